"""The store of studies as data: `jevons.study.open` and `jevons.study.prune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from jevons import options as o
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.study.draws.store_result import PruneResult, QueryResult, StoreResult

PLACE = o.Option(
    help="Folder or address of the store; the user's cache where not given", parse=o.store_place, metavar="STORE"
)
SQL = o.Option(help="Statement in DuckDB's SQL over the tables studies, draws, paths and segments", metavar="SELECT")
ONLY = o.Option(help="Beginning of a study's key", metavar="KEY")
KEYS = o.Option(help="Beginning of the key of a study to remove; may be given again", metavar="KEY")
TABLE = o.Option(
    help="Table to print whole", choices=lambda: ("studies", "draws", "paths", "segments"), metavar="NAME"
)  # fmt: skip
VERSIONS = o.Option(help="Remove studies of other versions of jevons, which no run goes on from")
DAMAGED = o.Option(help="Remove files that are damaged")
EVERYTHING = o.Option(help="Remove every study", flag="all")
DRY = o.Option(help="Say what would be removed, and remove nothing")


@o.declared
def open_(
    store: Annotated[Path | str | None, PLACE] = None,
    *,
    sql: Annotated[str | None, SQL] = None,
    table: Annotated[str | None, TABLE] = None,
    study: Annotated[str, ONLY] = "",
) -> StoreResult | QueryResult:
    """List the studies in a store, or ask SQL of their draws.

    Table `draws` has a row for each draw, its drawn inputs and its outcomes as columns; `paths` one for each draw, path
    and quarter. Nothing in the store is changed.

    Returns
    -------
    StoreResult or QueryResult
        The studies, with ``.to_frame("draws")`` and the like; or the rows that were asked for.

    Raises
    ------
    InputError
        If there is no such store, a study has a newer schema, or the statement is refused.

    Examples
    --------
    >>> import jevons, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = jevons.study.montecarlo("tests/unit/study/tiny.yaml", draws=4, processes=1, store=folder)
    >>> jevons.study.open(folder).to_frame("draws").height
    4
    >>> jevons.study.open(folder, sql="select count(*) from draws").rows
    ((4,),)
    """
    from jevons.study.draws.places import default_store
    from jevons.study.draws.sql import query
    from jevons.study.draws.store_result import QueryResult, StoreResult
    from jevons.study.draws.stored import FRAMES, frame_of, studies_in

    if sql is not None and table is not None:
        message = "--sql and --table exclude each other; give one"
        raise InputError(message)
    place = store if store is not None else default_store()
    studies = studies_in(place, study)
    if sql is not None:
        frames = {name: frame_of(name, studies) for name in FRAMES}
        names, rows = query(frames, sql)
        return QueryResult(columns=tuple(names), rows=tuple(rows))
    if table is not None:
        frame = frame_of(table, studies)
        return QueryResult(columns=tuple(frame.columns), rows=tuple(frame.rows()))
    return StoreResult(store=str(place), studies=tuple(studies))


@o.declared
def prune(
    store: Annotated[Path | str | None, PLACE] = None,
    *,
    study: Annotated[list[str] | None, KEYS] = None,
    other_versions: Annotated[bool, VERSIONS] = False,
    damaged: Annotated[bool, DAMAGED] = False,
    everything: Annotated[bool, EVERYTHING] = False,
    dry_run: Annotated[bool, DRY] = False,
) -> PruneResult:
    """Remove studies from a store: by key, of other versions, damaged files, or all.

    A study that a run is filling is refused, and files that no study wrote stay.

    Returns
    -------
    PruneResult
        What was removed of each study.

    Raises
    ------
    InputError
        If nothing is chosen, a key is unknown, a run fills the study, or the disk refuses.

    Examples
    --------
    >>> import jevons, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> _ = jevons.study.montecarlo("tests/unit/study/tiny.yaml", draws=4, processes=1, store=folder)
    >>> len(jevons.study.prune(folder, everything=True).pruned), jevons.study.open(folder).studies
    (1, ())
    """
    from jevons.study.draws.places import default_store
    from jevons.study.draws.prune import prune as run
    from jevons.study.draws.store_result import PruneResult

    place = store if store is not None else default_store()
    removed = run(
        place, keys=study or (), versions=other_versions, damaged=damaged, everything=everything, dry=dry_run
    )  # fmt: skip
    return PruneResult(store=str(place), pruned=tuple(removed), dry=dry_run)

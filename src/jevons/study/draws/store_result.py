"""What `jevons.study.open` and `jevons.study.prune` return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.results import Column, Result, Table, table
from jevons.study.draws.prune import Pruned
from jevons.study.draws.stored import FRAMES, Stored, frame_of

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = (
    Column("study", "study"), Column("kind", "kind"), Column("scenario", "scenario"), Column("state", "state"),
    Column("stored", "stored", "draws", form=",d"), Column("total", "of", "draws", form=",d"),
    Column("bytes", "size", "MB", scale=1e-6, form=",.2f"),
    Column("infeasible", "infeasible", "draws", form=",d"),
    Column("unsolved", "unsolved", "draws", form=",d"), Column("damaged", "damaged", "files", form=",d"),
    Column("seed", "seed", form="d"), Column("schema", "schema", form="d"), Column("version", "version"),
)  # fmt: skip
_SHOWN = 7


@dataclass(frozen=True, kw_only=True, repr=False)
class StoreResult(Result):
    """What a store holds.

    Parameters
    ----------
    store : str
        Its folder or address.
    studies : tuple of Stored
        In order of their keys.
    """

    store: str
    studies: tuple[Stored, ...]
    kind: ClassVar[str] = "store"
    main_table: ClassVar[str] = "studies"

    @property
    def answer(self) -> str:
        """How many studies and draws there are, and how large they are."""
        draws, size = sum(len(study.records) for study in self.studies), sum(study.bytes for study in self.studies)
        stopped = sum(study.state == "stopped" for study in self.studies)
        rest = f" {stopped} stopped before the end; the same command goes on." if stopped else ""
        aside = sum(len(found_study.aside) for found_study in self.studies)
        hurt = sum(found_study.damaged for found_study in self.studies) - aside
        if hurt:
            files = "A file is" if hurt == 1 else f"{hurt:,} files are"
            rest += f" {files} damaged; the command that made the study writes it again."
        if aside:
            files = "A damaged file is" if aside == 1 else f"{aside:,} damaged files are"
            rest += f" {files} set aside; `jevons study prune --damaged` removes it."
        count = f"{len(self.studies)} {'study' if len(self.studies) == 1 else 'studies'}"
        return f"{self.store}: {count}, {draws:,} draws, {size / 1e6:,.2f} MB.{rest}"

    def _tables(self) -> Iterator[Table]:
        rows = frame_of("studies", list(self.studies)).rows(named=True)
        columns = _COLUMNS[:_SHOWN]
        yield table("studies", "Studies", columns, [[row[c.name] for c in columns] for row in rows])
        columns = (_COLUMNS[0], *_COLUMNS[_SHOWN:])
        title = "Draws without outcomes, damage and versions"
        yield table("state", title, columns, [[row[c.name] for c in columns] for row in rows], detail=True)

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return a table as a polars frame: ``studies``, ``draws``, ``paths`` or ``segments``.

        Draws have their drawn inputs and outcomes as columns; paths have a row for each draw, path and quarter.

        Raises
        ------
        InputError
            If there is no table of that name, or a study has a newer schema.
        """
        name = table or self.main_table
        return frame_of(name, list(self.studies)) if name in FRAMES else super().to_frame(name)

    def _document(self) -> dict[str, Any]:
        """Return every study with its counts and size."""
        return {"store": self.store, "studies": frame_of("studies", list(self.studies)).to_dicts()}


@dataclass(frozen=True, kw_only=True, repr=False)
class QueryResult(Result):
    """What a statement selected from a store, or one of its tables.

    Parameters
    ----------
    columns : tuple of str
        Names.
    rows : tuple of tuple
        Cells.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    kind: ClassVar[str] = "query"

    @property
    def answer(self) -> str:
        """How many rows there are."""
        return f"{len(self.rows):,} row{'s' if len(self.rows) != 1 else ''}."

    def check(self) -> None:
        """Leave the rows as they are: a statement may ask for anything."""

    def _tables(self) -> Iterator[Table]:
        yield table("rows", "Rows", [Column(name, name, form=".6g") for name in self.columns], self.rows)

    def _document(self) -> dict[str, Any]:
        """Return the rows by name of column."""
        return {"columns": list(self.columns), "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, kw_only=True, repr=False)
class PruneResult(Result):
    """What was removed from a store.

    Parameters
    ----------
    store : str
        Its folder or address.
    pruned : tuple of Pruned
        What was removed of each study.
    dry : bool
        Whether it is only said.
    """

    store: str
    pruned: tuple[Pruned, ...]
    dry: bool = False
    kind: ClassVar[str] = "prune"

    @property
    def answer(self) -> str:
        """How much is gone."""
        files, size = sum(run.files for run in self.pruned), sum(run.bytes for run in self.pruned)
        verb = "would be removed" if self.dry else "removed"
        return f"{self.store}: {files} files, {size / 1e6:,.2f} MB {verb}."

    def _tables(self) -> Iterator[Table]:
        columns = (
            Column("study", "study"), Column("reason", "what"), Column("files", "files", form=",d"),
            Column("bytes", "size", "MB", scale=1e-6, form=",.2f"),
        )  # fmt: skip
        rows = [(run.key, run.reason, run.files, run.bytes) for run in self.pruned]
        yield table("pruned", "To remove" if self.dry else "Removed", columns, rows)

    def _document(self) -> dict[str, Any]:
        """Return what was removed of each study."""
        return {"store": self.store, "dry_run": self.dry, "pruned": self.tables["pruned"].records()}

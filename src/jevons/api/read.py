"""`jevons.read`: what an announcement says, against facts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.api.plan import opened

if TYPE_CHECKING:
    from jevons.study.announcement.result import ReadResult

SOURCE = o.Option(help="Text file of the announcement, in Chinese or English, or - for standard input", metavar="FILE")
DATE = o.Option(
    help="Day of the announcement; the one that its text states by default", parse=o.date, metavar="YYYY-MM-DD"
)
BASE = o.Option(help="Scenario whose other values complete the draft", parse=o.path, metavar="SCENARIO")


@o.declared
def read(
    source: Annotated[Any, SOURCE],
    *,
    date: Annotated[dt.date | str | None, DATE] = None,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    base: Annotated[Path | str | None, BASE] = None,
) -> ReadResult:
    """Read an announcement: its figures with sentence and place, its claims against facts, and a draft scenario.

    A string is read as text; a `Path`, or the name of a text file, is opened. Rules and word lists read it, not a
    language model; unread figures are reported. ``.save("draft.yaml")`` writes the draft; with `base` it is complete.

    Returns
    -------
    ReadResult
        With `.claims`, each with verdict, reason and ids of facts, and `.draft`, each field with its sentence.

    Raises
    ------
    InputError
        If there is no text, or an address of the web is given.

    Examples
    --------
    >>> import jevons
    >>> said = jevons.read("Microsoft plans to invest $80 billion in FY2025 on AI data centers.")
    >>> said.claims[0].verdict, said.claims[0].facts
    ('confirmed', ('peer.microsoft.capex_guidance_fy2025_usd',))
    """
    from jevons.study.announcement.run import read as run

    if base is not None:
        opened(base, None)
    return run(source, as_of=o.day(as_of), date=o.day(date), base=o.file(base))

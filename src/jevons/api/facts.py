"""`jevons.facts.list`, `search`, `show` and `check`: dated, sourced figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o

if TYPE_CHECKING:
    from jevons.facts.result import FactResult, FactsResult
    from jevons.study.upkeep.result import CheckResult

PREFIX = o.Option(help="Prefix of the ids, such as h20; all facts by default")
FACT_WORDS = o.Option(help="Words that must all occur in id, description or source")
FACT_ID = o.Option(help="Id of the fact, such as h20.price_cny", metavar="ID")


@o.declared
def list_(
    prefix: Annotated[str, PREFIX] = "", *, as_of: Annotated[dt.date | str | None, o.AS_OF] = None
) -> FactsResult:
    """List facts with their value in force, unit, grade and source.

    Returns
    -------
    FactsResult
        A row for each fact; iterating over it yields the facts.

    Raises
    ------
    InputError
        If no id begins so, or none of them had a public value on the date.

    Examples
    --------
    >>> import jevons
    >>> jevons.facts.list("h20.hbm").tables["facts"].column("fact")
    ['h20.hbm_bytes', 'h20.hbm_bytes_per_s']
    """
    from jevons.facts import default_facts
    from jevons.facts.result import facts_beginning

    return facts_beginning(default_facts(), prefix, o.day(as_of))


@o.declared
def search(*words: Annotated[str, FACT_WORDS], as_of: Annotated[dt.date | str | None, o.AS_OF] = None) -> FactsResult:
    """Search facts by words.

    Returns
    -------
    FactsResult
        A row for each fact; iterating over it yields the facts.

    Raises
    ------
    InputError
        If no fact has all words, or none of them had a public value on the date.

    Examples
    --------
    >>> import jevons
    >>> [fact.id for fact in jevons.facts.search("h20.hbm_bytes bandwidth")]
    ['h20.hbm_bytes_per_s']
    """
    from jevons.facts import default_facts
    from jevons.facts.result import facts_with

    return facts_with(default_facts(), " ".join(words), o.day(as_of))


@o.declared
def show(fact_id: Annotated[str, FACT_ID], *, as_of: Annotated[dt.date | str | None, o.AS_OF] = None) -> FactResult:
    """Show every dated value of a fact with its source.

    Returns
    -------
    FactResult
        With the value in force as `.current`, and a row for each value.

    Raises
    ------
    FactError
        If the id is unknown, or the fact had no public value on the date.

    Examples
    --------
    >>> import jevons
    >>> jevons.facts.show("h20.hbm_bytes").current.number / 2**30
    96.0
    """
    from jevons.facts import default_facts
    from jevons.facts.result import fact_shown

    return fact_shown(default_facts(), fact_id, o.day(as_of))


def _outcomes() -> Sequence[str]:
    from jevons.study.draws.outcomes import OUTCOMES

    return tuple(OUTCOMES)


CHECKED = o.Option(help="Scenario whose judgements are ranked by their effect", metavar="SCENARIO")
CHECK_OUTCOME = o.Option(help="Outcome by which judgements are ranked", choices=_outcomes, metavar="NAME")
CHECK_DRAWS = o.Option(help="Draws behind the ranking", low=8, high=100_000)


@o.declared
def check(
    *,
    scenario: Annotated[Any, CHECKED] = None,
    outcome: Annotated[str, CHECK_OUTCOME] = "value_per_share",
    draws: Annotated[int, CHECK_DRAWS] = 64,
    as_of: Annotated[dt.date | str | None, o.AS_OF] = None,
    processes: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> CheckResult:
    """Check facts: which are stale, which conflict, which judgements matter most, and what would settle each.

    Ages are measured at `as_of`, by default the publication day of the newest value. With a scenario, its judgements
    are ranked by the share of the outcome's spread that knowing them would remove.

    Returns
    -------
    CheckResult
        With `.stale`, `.conflicts` and `.judgements`, worst first.

    Raises
    ------
    InputError
        If the scenario cannot be read.

    Examples
    --------
    >>> import jevons
    >>> found = jevons.facts.check(as_of="2026-06-30")
    >>> len(found.stale) > 0, len(found.conflicts) > 0
    (True, True)
    """
    from jevons.api.plan import opened
    from jevons.facts import default_facts
    from jevons.study.upkeep.run import check_facts

    loaded = None if scenario is None else opened(scenario, None)[0]
    return check_facts(
        default_facts(), o.day(as_of), scenario=loaded, outcome=outcome, draws=draws, processes=processes,
        progress=progress,
    )  # fmt: skip

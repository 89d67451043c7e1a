"""`jevons.facts.list`, `search` and `show`: dated, sourced figures."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from jevons import options as o

if TYPE_CHECKING:
    from jevons.facts.result import FactResult, FactsResult

PREFIX = o.Option(help="Beginning of the ids, such as h20; all facts where not given")
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

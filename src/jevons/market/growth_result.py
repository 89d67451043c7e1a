"""The growth of a volume taken apart, as a result: users, price, use per user, and whether elasticity shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jevons.market.evidence import GrowthAccount
from jevons.market.history import History, growth_account, read_history
from jevons.results import Column, Result, Table, number, table
from jevons.words import Sentence


@dataclass(frozen=True, kw_only=True, repr=False)
class GrowthResult(Result):
    """What `jevons.study.growth` returns.

    Parameters
    ----------
    history : History
        Observations.
    account : GrowthAccount
        Growth from first to last, as factors that multiply to the whole.
    """

    kind: ClassVar[str] = "growth"

    history: History
    account: GrowthAccount

    @property
    def years(self) -> float:
        """Time from the first observation to the last [years]."""
        return (self.history.dates[-1] - self.history.dates[0]).days / 365.25

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How much the volume grew, and what is known of elasticity."""
        dates, account = self.history.dates, self.account
        grew = {
            "factor": number(account.volume_factor), "first": str(dates[0]), "last": str(dates[-1]),
            "count": f"{len(dates)}",
        }  # fmt: skip
        grown = Sentence("growth.grew", grew)
        if account.elasticity is None:
            return grown, Sentence("growth.no_elasticity", {"reason": account.reason})
        return grown, Sentence("growth.elasticity", {"elasticity": self._elasticity})

    @property
    def _elasticity(self) -> str:
        account = self.account
        error = "" if account.elasticity_error is None else f" ± {account.elasticity_error:.2f}"
        return "not identified" if account.elasticity is None else f"{account.elasticity:+.2f}{error}"

    def _tables(self) -> Iterator[Table]:
        account = self.account
        columns = (
            Column("what", "growth of"), Column("factor", "whole time, factor"),
            Column("factor_per_y", "a year, factor"), Column("note", "note"),
        )  # fmt: skip
        counted = "" if self.history.users else "not counted in the file: taken as constant"
        rows = (
            ("Tokens a day", account.volume_factor, ""),
            ("of it users", account.users_factor, counted),
            ("of it the price of this product", account.price_factor, f"elasticity {self._elasticity}"),
            ("of it use per user", account.intensity_factor, "tasks, tokens per task, other products"),
        )
        yield table("growth", "Growth", columns, [(n, f, _a_year(f, self.years), note) for n, f, note in rows])

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        dates = self.history.dates
        return {
            "answer": self.answer, "first": dates[0], "last": dates[-1], "observations": len(dates),
            "users_counted": self.history.users is not None, **dataclasses.asdict(self.account),
        }  # fmt: skip


def growth_of(file: Path) -> GrowthResult:
    """Return the growth in a CSV file with columns ``date``, ``tokens_per_day``, ``price`` and perhaps ``users``.

    Raises
    ------
    InputError
        Naming file, line, value and remedy.
    """
    history = read_history(file)
    return GrowthResult(history=history, account=growth_account(history))


def _a_year(factor: float, years: float) -> float:
    """Return a growth factor over *years* per year; infinite where it exceeds what a float holds."""
    try:
        return float(factor ** (1 / years))
    except OverflowError:
        return float("inf")

"""`jevons study growth`: what a history of volumes and prices says about elasticity, and what it cannot say."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from jevons.cli.output import check_out, emit, table
from jevons.results import number


def run_growth(file: Path, *, json: bool, out: Path | None) -> None:
    """Read the history, account for its growth, print."""
    from jevons.market.history import growth_account, read_history

    check_out(out)
    history = read_history(file)
    found = growth_account(history)
    first, last = history.dates[0], history.dates[-1]
    record: dict[str, Any] = {
        "first": first, "last": last, "observations": len(history.dates), "users_counted": history.users is not None,
        **dataclasses.asdict(found),
    }  # fmt: skip
    years = (last - first).days / 365.25

    def row(what: str, factor: float, note: str) -> tuple[str, str, str, str]:
        return what, f"x {number(factor)}", f"x {number(_a_year(factor, years))}", note

    rows = [
        row("tokens a day", found.volume_factor, f"{first} to {last}, {len(history.dates)} observations"),
        row("of it users", found.users_factor, "" if history.users else "not counted in the file: taken as constant"),
        row("of it the price of this product", found.price_factor, _elasticity(found)),
        row("of it use per user", found.intensity_factor, "tasks, tokens per task, other products: never elasticity"),
    ]
    sheets: list[Any] = [table("Growth", ("what", "whole time", "a year", "note"), rows, text_columns=4)]
    if found.elasticity is None:
        sheets.append(
            f"No elasticity: {found.reason}. Growth at one price is adoption and use, not a response to it.\n"
        )
    emit(record, sheets, as_json=json, out=out)


def _a_year(factor: float, years: float) -> float:
    """Return a growth factor over *years* per year; infinite where it exceeds what a float holds."""
    try:
        return float(factor ** (1 / years))
    except OverflowError:
        return float("inf")


def _elasticity(found: Any) -> str:
    if found.elasticity is None:
        return "not identified"
    error = "" if found.elasticity_error is None else f" ± {found.elasticity_error:.2f}"
    return f"elasticity of use per user {found.elasticity:+.2f}{error}, beside a steady trend"

"""`jevons study foresight`: the worth of seeing ahead and of knowing the export regime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jevons.cli.output import Sheet, check_out, emit, table

_BN = 1e9


def run_foresight(scenario: Path, *, window: int, as_of: str | None, json: bool, out: Path | None) -> None:
    """Print what planners of different sight reach, and what orders for each export regime bring under the others."""
    from jevons.cli.scenarios import solve
    from jevons.study.plan.foresight import knowing

    check_out(out)
    result = solve(scenario, seed=None, as_of=as_of, draws=0)
    found = knowing(result.chain, result.engineering, window_quarters=window)
    sight, regimes = found.sight, found.regimes
    value: dict[str, Any] = {
        "scenario": result.scenario.name, "as_of": result.scenario.as_of, "window_quarters": window,
        "perfect_cny": sight.perfect_cny, "rolling_cny": sight.rolling_cny, "myopic_cny": sight.myopic_cny,
        "known_from": found.known_from,
        "regimes": None if regimes is None else {
            "names": regimes.names, "probability_frac": regimes.probability_frac,
            "objective_cny": regimes.objective_cny, "expected_cny": regimes.expected_cny, "best": regimes.best,
            "information_cny": regimes.information_cny,
        },
    }  # fmt: skip
    emit(value, _tables(value), as_json=json, out=out)


def _tables(value: dict[str, Any]) -> Iterator[Sheet | str]:
    best = value["perfect_cny"]
    rows = [
        (label, f"{x / _BN:,.2f}", f"{(best - x) / _BN:,.2f}")
        for label, x in (
            ("the whole plan", best),
            (f"{value['window_quarters']} quarters (rolling)", value["rolling_cny"]),
            ("things stay as they are (myopic)", value["myopic_cny"]),
        )
    ]
    columns = ("the planner sees", "worth to callers less cost", "worth of seeing all")
    yield table("Worth of seeing ahead [bn CNY, present value]", columns, rows)
    regimes = value["regimes"]
    if regimes is None:
        yield "No export ban can come within the plan.\n"
        return
    rows = [
        (name, f"{100 * p:.0f} %", f"{expected / _BN:,.2f}", *(f"{x / _BN:,.2f}" for x in row))
        for name, p, expected, row in zip(
            regimes["names"], regimes["probability_frac"], regimes["expected_cny"], regimes["objective_cny"],
            strict=True,
        )
    ]  # fmt: skip
    yield table(
        f"Orders made for one export regime until it shows in {value['known_from']} [bn CNY, present value]",
        ("ordered for", "probability", "expected", *(f"if {name}" for name in regimes["names"])), rows,
    )  # fmt: skip
    yield (
        f"Best before the regime shows: order for `{regimes['best']}`. Knowing it from the start would add at most "
        f"{regimes['information_cny'] / _BN:,.2f} bn CNY.\n"
    )

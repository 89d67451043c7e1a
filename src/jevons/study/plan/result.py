"""The result of a plan: the answer, tables, JSON, labelled arrays, and the explanation of every headline."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.checks import check_record
from jevons.results import Result, Table
from jevons.study.chain.planner_inputs import unfed_arriving
from jevons.study.currency import in_currency, of_scenario
from jevons.study.plan.dataset import plan_dataset
from jevons.study.plan.figures import PlanFigures
from jevons.study.plan.invariants import check_plan
from jevons.study.plan.json import plan_json
from jevons.study.plan.sections import Section, section, value_section
from jevons.study.plan.tables.overview import central_outside, plan_sentences
from jevons.study.plan.tables.summary import plan_tables
from jevons.study.what_changes import of_value
from jevons.words import Sentence

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanResult(PlanFigures, Result):
    """What `jevons.plan` returns: the answer, named tables, labelled arrays by section, and explanations.

    ``plan.cost``, ``plan.fleet``, ``plan.tokens``, ``plan.market``, ``plan.cash`` and ``plan.value`` hold xarray
    arrays with units: ``plan.cost.per_mtok.sel(kind="output")``, ``plan.fleet.devices.sel(device="h20")``.
    """

    kind: ClassVar[str] = "plan"

    def draws_picture(self, name: str) -> bool:
        """Return whether it can be drawn: ranges and the inputs that move them need draws."""
        return self.draws is not None or name not in {"fan", "tornado"}

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """What is built, served, spent and worth; the Jevons verdict; the inputs that value rests on."""
        return plan_sentences(self)

    def check(self) -> None:
        """Check that tokens, money and power add up and keep their limits."""
        record = self._document()
        check_record(self.kind, record)
        check_plan(record)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """How near the fixed point is, how many inputs rest on judgement, and what else a reader has to know.

        Devices on their way that no site can feed, and where the central plan leaves the draws.
        """
        last = self.chain.convergence
        values = {"residual": f"{last.residual:.4f}", "rounds": f"{last.rounds}", "gap": f"{100 * last.gap_frac:.2f}"}
        notes = [
            Sentence("plan.converged", values), Sentence("plan.judgements", {"count": f"{len(self.judgements)}"}),
        ]  # fmt: skip
        unfed, need_w, room_w = unfed_arriving(self.scenario, self.engineering)
        if unfed > 0:
            power = {"need": f"{need_w / 1e6:,.4g}", "room": f"{room_w / 1e6:,.4g}"}
            notes.append(Sentence("plan.unfed", {"count": f"{unfed:,.0f}", **power}))
        outside = [Sentence(f"plan.headline.{name}") for name in central_outside(self)]
        if outside:
            notes.append(Sentence("plan.central_outside", {"names": outside}))
        return tuple(notes)

    @property
    @in_currency
    def change_parts(self) -> tuple[Sentence, ...]:
        """What moves the value of a share most, and which inputs alone bring it to the price."""
        names = {swing.path: self.amount_label(swing.path) for swing in self.value_swings}
        return tuple(of_value(self.value_swings, names, self.scenario))

    @in_currency
    def _tables(self) -> Iterable[Table]:
        return plan_tables(self)

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object: fleet, tokens, prices, cash, value, the verdict and the residual."""
        return plan_json(self)

    @functools.cached_property
    def _dataset(self) -> xr.Dataset:
        dataset = plan_dataset(self)
        for array in dataset.variables.values():
            array.attrs = of_scenario(self.scenario, array.attrs)
        return dataset

    def to_xarray(self) -> xr.Dataset:
        """Return the path as a labelled dataset with units in its attributes."""
        return self._dataset.copy()

    @property
    def cost(self) -> Section:
        """Cost per token and device-hour, and scarcity rents."""
        return section("cost", self._dataset)

    @property
    def fleet(self) -> Section:
        """Accelerators, power and utilisation."""
        return section("fleet", self._dataset)

    @property
    def tokens(self) -> Section:
        """Tokens and calls a day, served and demanded."""
        return section("tokens", self._dataset)

    @property
    def market(self) -> Section:
        """List prices, scarcity, elasticity and loop gain."""
        return section("market", self._dataset)

    @property
    def cash(self) -> Section:
        """Capital expenditure, revenue, EBITA and free cash flow of AI."""
        return section("cash", self._dataset)

    @property
    def value(self) -> Section:
        """Value of equity, its parts, and per share beside the price."""
        return value_section(self)

"""What a plan is worth against the dated share price, what that price implies, and a re-rating taken apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from jevons.errors import InfeasibleError
from jevons.facts import Facts
from jevons.finance import Rerating
from jevons.results import Result, Table
from jevons.rounding import share_price_text
from jevons.study.chain.accounts import cloud_value_implied_cur
from jevons.study.currency import in_currency
from jevons.study.plan import valuation
from jevons.study.plan.group_cash import GroupCash, group_cash
from jevons.study.plan.invariants import check_value
from jevons.study.plan.prices import Quote, explain_prices
from jevons.study.plan.result import PlanResult
from jevons.study.plan.sentiment import basket_of_facts, basket_of_quotes, layer_record, scores_of_quotes
from jevons.study.plan.tables.overview import a_share
from jevons.study.plan.tables.statements import cash_record, quarter_records, statements_record
from jevons.study.plan.tables.valuation import value_tables
from jevons.study.scenario.scenario import Scenario
from jevons.units import format_money
from jevons.words import Sentence

if TYPE_CHECKING:
    import polars as pl


_FRESH_DAYS = 10
"""Age of a price from which it is said to be stale."""


@dataclass(frozen=True, kw_only=True, repr=False)
class ValueResult(Result):
    """What `jevons.value` returns.

    Parameters
    ----------
    plan : PlanResult
        The plan that is valued.
    cash : GroupCash
        Cash of the group by quarter.
    record : dict
        The documented JSON object, without the answer.
    unscored_flows : int
        Dates of a user's file with a flow, where they are too few, or not all, to score flows; else 0.
    """

    plan: PlanResult
    cash: GroupCash
    record: dict[str, Any]
    unscored_flows: int = 0
    kind: ClassVar[str] = "value"

    @property
    def scenario(self) -> Scenario:
        """What was planned and valued."""
        return self.plan.scenario

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Value against price, growth that the price implies, and how far the re-rating is explained."""
        record, rerating, told = self.record, self.record["rerating"], self.record["multiple"]
        growth, currency = record["implied_cloud_growth_frac"], self.scenario.currency
        share = a_share(self.scenario.firm.share)
        needed = "some" if growth is not None else "none" if "worth it" in self.plan.implied[0]["reason"] else "most"
        worth, price = record["per_share"], record["price_per_share"]
        values = {
            "share": share[0].upper() + share[1:], "worth": share_price_text(worth), "currency": currency,
            "gap": worth / price - 1.0, "price": share_price_text(price), "date": str(record["price_date"]),
            "growth": growth,
        }  # fmt: skip
        if worth <= 0.0:
            needed = "nothing"
            values["equity"] = format_money(record["equity"], currency)
        sentences = [Sentence(f"value.worth_{needed}", values)]
        if rerating is not None:
            spans = {name: str(rerating[name]) for name in ("from", "to")}
            sentences.append(Sentence("value.rerated", {**spans, "explained": rerating["explained_frac"]}))
        if told is not None:
            at = {
                "multiple": float(told["multiple"]), "earnings": told["earnings_per_share"], "currency": currency,
                "price": told["price_per_share"], "change": told["change_frac"], "now": f"{told['multiple_now']:.1f}",
            }  # fmt: skip
            sentences.append(Sentence("value.at_multiple", at))
        return tuple(sentences)

    @property
    def change_parts(self) -> tuple[Sentence, ...]:
        """What moves the value of a share most, and which inputs alone bring it to the price."""
        return self.plan.change_parts

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """That figures are those of the central plan, that flows are not scored, and how old an old price is."""
        notes = [Sentence("value.central")]
        if self.unscored_flows:
            counts = {"fewest": f"{valuation.FEWEST_CLOSES}", "count": f"{self.unscored_flows}"}
            notes.append(Sentence("value.no_flows", counts))
        age = (self.scenario.as_of - self.record["price_date"]).days
        if age > _FRESH_DAYS:
            values = {"date": f"{self.record['price_date']}", "days": f"{age}", "as_of": f"{self.scenario.as_of}"}
            notes.append(Sentence("value.stale", values))
        return tuple(notes)

    def check(self) -> None:
        """Check that the bridge adds up."""
        super().check()
        check_value(self.record)

    @in_currency
    def _tables(self) -> Iterable[Table]:
        return value_tables(self.plan, self.record, self.cash)

    @in_currency
    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {**self.answer_record(), **self.record}

    def explain(self, path: str | None = None) -> str:
        """Return the tree of formulas, inputs and facts behind a figure of the plan."""
        return self.plan.explain(path)

    def to_frame(self, table: str | int | None = None) -> pl.DataFrame:
        """Return a table as a polars frame; where none is named, every line of the statements, a row per quarter."""
        import polars as pl

        if table is not None:
            return super().to_frame(table)
        return pl.DataFrame(quarter_records(self.plan.chain.accounts.statements, self.cash))


def value_plan(
    plan: PlanResult,
    first: dt.date,
    last: dt.date,
    *,
    quotes: Mapping[dt.date, Quote] | None = None,
    multiple: float | None = None,
    earnings_cur: float | None = None,
) -> ValueResult:
    """Return the value of a plan, what the dated price assumes, and the re-rating between two dates.

    Parameters
    ----------
    plan : PlanResult
        What is valued.
    first, last : date
        Ends of the re-rating.
    quotes : mapping, optional
        Prices of a user's file; the facts about the firm by default.
    multiple : float, optional
        Multiple of earnings that somebody calls fair.
    earnings_cur : float, optional
        Earnings per share and year it is taken of; those on file, or as the scenario has them, by default.

    Raises
    ------
    FactError
        If no enterprise value or rate is known for a date.
    InputError
        If the dates are not in order.
    """
    scenario, facts, accounts = plan.scenario, plan.facts, plan.chain.accounts
    left = cloud_value_implied_cur(accounts)
    own = plan.implied[0]
    cash = group_cash(scenario, accounts)
    record = {
        "scenario": scenario.name, "as_of": scenario.as_of, **plan.to_json()["value"],
        "cloud_left_by_price": left,
        "iso_price_by_wacc": valuation.iso_surface(scenario, left, 4 * scenario.finance.base_revenue.value),
        "deliver": [valuation.deliver(scenario, growth) for growth in _growths(own["growth_frac"])],
        "returns": valuation.returns_on_capital(scenario, accounts), "wacc_frac": scenario.cost.wacc.value,
        "stories": _tilted(scenario, accounts.price_per_share_cur),
        "statements": statements_record(accounts.statements), "funding": cash_record(cash),
        "required": valuation.required_of_plan(accounts),
        "price_date": valuation.price_date(scenario, facts), "rerating": None, "basket": None,
        "narrative": None, "flows": None,
        "multiple": None if multiple is None else valuation.fair_multiple(plan, multiple, earnings_cur),
    }  # fmt: skip
    unscored = 0
    if quotes is not None:
        record["rerating"] = _parts(explain_prices(scenario, quotes, first, last), first, last, scenario.currency)
        record["basket"] = basket_of_quotes(quotes, first, last)
        story, flows = scores_of_quotes(quotes)
        record |= {"narrative": layer_record(story), "flows": layer_record(flows)}
        unscored = sum("flow" in quote.figures for quote in quotes.values()) if flows is None else 0
    elif all(name in facts for name in valuation.rerating_facts(scenario)):
        record |= _rerated(scenario, facts, first, last)
    return ValueResult(plan=plan, cash=cash, record=record, unscored_flows=unscored)


def _rerated(scenario: Scenario, facts: Facts, first: dt.date, last: dt.date) -> dict[str, Any]:
    """Return a re-rating of the firm taken apart, and the score of the story layer on its share."""
    rerating = valuation.explain_rerating(scenario, facts, first, last)
    score = valuation.narrative_score(scenario, facts)
    alone = valuation.rise_alone(scenario, facts, rerating.change, last)
    return {
        "rerating": _parts(rerating, first, last, "USD") | {"from_cloud_alone": alone},
        "basket": basket_of_facts(scenario, facts, first, last),
        "narrative": layer_record(score),
    }


def _parts(rerating: Rerating, first: dt.date, last: dt.date, currency: str) -> dict[str, Any]:
    """Return a re-rating as plain values."""
    return {
        "from": first, "to": last, "currency": currency,
        "value_before": rerating.value_before, "value_after": rerating.value_after,
        "model_before": rerating.model_before, "model_after": rerating.model_after,
        "parts": dict(rerating.parts), "explained_frac": rerating.explained_frac,
    }  # fmt: skip


def _tilted(scenario: Scenario, price_cur: float) -> dict[str, Any]:
    """Return the weights of futures, or why no weights explain the price: an answer about the price, not a failure."""
    try:
        stories = valuation.stories(scenario, price_cur)
    except InfeasibleError as error:
        return {"reason": str(error), "weights": None}
    return {
        "names": stories.names, "prior": stories.prior, "weights": stories.weights,
        "value_per_share": stories.value_per_share_cur, "tilt_per": stories.tilt.tilt_per_cur,
        "relative_entropy_nats": stories.tilt.relative_entropy_nats,
        "prior_value_per_share": stories.prior_value_cur, "reason": "",
    }  # fmt: skip


def _growths(implied: float | None) -> list[float]:
    return sorted({0.08, 0.15, 0.25, 0.37, *([round(implied, 4)] if implied is not None else [])})

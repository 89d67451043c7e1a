"""What training cost and reached, and how complete tool chains are: read from facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from jevons.facts import Facts
from jevons.facts.rates import cny_per

_RUN, _TOOL = "training_yardstick.", "tool_chain."
_SINCE = dt.date(2023, 1, 1)
_DAYS_PER_YEAR = 365.25
_FLOP_PER_PARAM_TOK = 6.0
"""Forward and backward pass of a product: two FLOP each way for a weight, and two for its gradient."""

QUESTIONS: dict[str, dict[str, str]] = {
    "chip": {
        "pytorch": "runs with PyTorch as released (a plug-in of the maker counts half)",
        "triton": "has a Triton compiler (a fork counts half)",
        "vllm": "is served by vLLM's main tree (a plug-in counts half)",
        "sglang": "is served by SGLang's main tree",
        "trainer": "is trained on by a Megatron-class trainer (a fork counts half)",
        "attention": "has an open kernel of FlashAttention's class",
        "experts": "has a library for the exchange between experts",
        "fp8": "multiplies in 8-bit floating point",
        "collectives": "has an open collectives library",
        "mlperf": "has results in MLPerf",
    },
    "provider": {
        "openai": "speaks the API of OpenAI",
        "cache": "charges less for cached prompts, and says how",
        "batch": "sells batches at a discount",
        "tools": "calls functions",
        "tuning": "tunes models for a customer",
        "knowledge": "keeps and searches a customer's documents",
        "workflow": "has a builder of agents and workflows",
        "evaluation": "evaluates and traces",
        "private": "sells capacity or deployment of one's own",
        "connectors": "has a market of connectors (MCP, plug-ins)",
    },
}
"""The rubric: ten questions of a kind of tool chain, each worth a tenth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingYardstick:
    """What one training run took.

    Parameters
    ----------
    name, provider, device : str
        Run, who trained it, and on what; the device is empty where not published.
    day : date
        Of publication.
    work_flop : float
        FLOP of the run, 6 for a parameter at work and token.
    gain : float
        Algorithmic gain: what the same quality took at the start of 2023, over what it takes on the day.
    device_h : float or None
        Accelerator-hours.
    cost_cny : float
        As published, or hours at one rent for all devices.
    stated : bool
        Whether the cost itself is published.
    """

    name: str
    provider: str
    device: str
    day: dt.date
    work_flop: float
    gain: float
    device_h: float | None
    cost_cny: float
    stated: bool

    @property
    def flop_per_cny(self) -> float:
        """FLOP used times algorithmic gain, for a yuan."""
        return self.work_flop * self.gain / self.cost_cny

    @property
    def flop_per_s(self) -> float | None:
        """FLOP a second that a device reached over the whole run."""
        return None if self.device_h is None else self.work_flop / (self.device_h * 3600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChain:
    """How complete the tools around a chip or an API are.

    Parameters
    ----------
    kind, name : str
        ``chip`` or ``provider``, and which.
    score, low, high : float
        Completeness, 0..1, and its range.
    marks : dict of str to float
        By question of `QUESTIONS`.
    """

    kind: str
    name: str
    score: float
    low: float
    high: float
    marks: dict[str, float]


def training_yardsticks(facts: Facts, on: dt.date | None) -> tuple[TrainingYardstick, ...]:
    """Return the runs of which work and cost, or hours, are published, the most efficient first."""
    halving_y = facts.get("efficiency.algorithms_halving_y", on).number
    runs = []
    for name in _names(facts, _RUN, ".provider", on):
        head = f"{_RUN}{name}."
        active = facts.get(f"{head}active_params", on)
        stated = facts.get(f"{head}cost_cny", on).number if f"{head}cost_cny" in facts else None
        hours = facts.get(f"{head}device_h", on).number if f"{head}device_h" in facts else None
        rent = facts.get("training_yardstick_rent.usd_per_h", on).number * cny_per(facts, "USD", on)
        years = (active.start - _SINCE).days / _DAYS_PER_YEAR
        runs.append(
            TrainingYardstick(
                name=name, provider=str(facts.get(f"{head}provider", on).value), day=active.start,
                device=str(facts.get(f"{head}device", on).value) if f"{head}device" in facts else "",
                work_flop=_FLOP_PER_PARAM_TOK * active.number * facts.get(f"{head}training_tok", on).number,
                gain=2.0 ** (years / halving_y), device_h=hours,
                cost_cny=stated if stated is not None else (hours or 0.0) * rent, stated=stated is not None,
            )
        )  # fmt: skip
    return tuple(sorted(runs, key=lambda run: -run.flop_per_cny))


def tool_chains(facts: Facts, kind: str, on: dt.date | None) -> dict[str, ToolChain]:
    """Return the tool chains of a kind by name, the most complete first."""
    chains = []
    for name in _names(facts, f"{_TOOL}{kind}.", ".score", on):
        score = facts.get(f"{_TOOL}{kind}.{name}.score", on)
        pairs = (mark.split() for mark in str(facts.get(f"{_TOOL}{kind}.{name}.marks", on).value).split(";"))
        chains.append(
            ToolChain(
                kind=kind, name=name, score=score.number, low=score.low or 0.0, high=score.high or 1.0,
                marks={question: float(mark) for question, mark in pairs},
            )
        )  # fmt: skip
    return {chain.name: chain for chain in sorted(chains, key=lambda one: (-one.score, one.name))}


def _names(facts: Facts, prefix: str, suffix: str, on: dt.date | None) -> Iterator[str]:
    for fact in facts:
        if fact.id.startswith(prefix) and fact.id.endswith(suffix) and facts.series(fact.id, on):
            yield fact.id[len(prefix) : -len(suffix)]

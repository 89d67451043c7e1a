"""Whether a yardstick explains what is measured of groups that were left out of its fit."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jevons import models, training
from jevons.arrays import Array
from jevons.errors import InputError
from jevons.facts import Facts
from jevons.facts.rates import cny_per
from jevons.hardware import Cluster, accelerator
from jevons.sizing.rents import rent_offers
from jevons.training.paired import paired_runs
from jevons.validation.yardsticks.measures import ToolChain, TrainingYardstick

LEAST_GROUPS = 5
"""Groups from which on leaving one out says anything."""
MOST_CHANCE_FRAC = 0.1
"""Share of random exchanges of a yardstick between its holders that may do as well as the yardstick itself."""
_EXCHANGES, _SEED = 400, 7
_BETTER = 0.95
"""Share of the error without a yardstick below which the one with it must lie for the yardstick to be kept."""
_LARGE_CLOUDS = ("aws", "azure", "google", "oracle")
_DAYS_PER_YEAR, _MIX = 365.25, 0.75  # share of input tokens in the price that is compared
_SMALL, _LARGE = ("llama-2-7b", 8), ("llama-2-70b", 64)
_LARGE_FROM = 30.0

_ACTIVE: dict[str, str] = {
    "deepseek.chat": "deepseek-v3", "deepseek.reasoner": "deepseek-r1", "volcano.deepseek_r1": "deepseek-r1",
    "fireworks.deepseek_v3": "deepseek-v3", "fireworks.llama_3_1_405b": "llama-3.1-405b",
    "fireworks.llama_3_1_8b": "llama-3.1-8b", "together.llama_3_1_405b": "llama-3.1-405b",
    "together.llama_3_1_70b": "llama-3.1-70b", "together.llama_3_1_8b": "llama-3.1-8b",
    "together.llama_3_3_70b": "llama-3.3-70b", "groq.llama_3_1_70b": "llama-3.1-70b",
    "groq.llama_3_1_8b": "llama-3.1-8b", "groq.llama_3_3_70b": "llama-3.3-70b",
    "cerebras.llama_3_1_70b": "llama-3.1-70b", "cerebras.llama_3_1_8b": "llama-3.1-8b",
    "deepinfra.llama_3_1_405b": "llama-3.1-405b", "qwen.open_qwen2_72b": "qwen2.5-72b",
    "moonshot.kimi_k2_0711_preview": "kimi-k2", "minimax.text_01": "minimax-m1-80k",
}  # fmt: skip
"""Models at list prices whose shape is on file, by fact."""

_SHARES: tuple[tuple[str, str, str], ...] = (
    ("calls from public clouds", "volcano", "share.volcano.public_cloud_calls_frac"),
    ("calls from public clouds", "qwen", "share.alibaba.public_cloud_calls_frac"),
    ("calls from public clouds", "ernie", "share.baidu.public_cloud_calls_frac"),
    ("calls of enterprises", "qwen", "share.qwen.enterprise_calls_frac"),
    ("calls of enterprises", "volcano", "share.doubao.enterprise_calls_frac"),
    ("calls of enterprises", "deepseek", "share.deepseek.enterprise_calls_frac"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class YardstickScore:
    """Errors of groups left out, without a yardstick and with it.

    Parameters
    ----------
    yardstick, outcome : str
        What explains, and what is explained.
    rows, groups : int
        Observations, and groups of them that are left out as a whole.
    without_frac, with_frac : float or None
        Median absolute error as a share (a factor of 1.2 either way is 20 %); None where the test cannot be made.
    why : str
        Why not, or what the comparison is.
    tenth_frac : float or None
        By how much a tenth more of the yardstick raises what is explained, fitted to all rows.
    chance_frac : float or None
        Share of random exchanges of the yardstick between its holders that do as well.
    """

    yardstick: str
    outcome: str
    rows: int
    groups: int
    without_frac: float | None
    with_frac: float | None
    why: str
    tenth_frac: float | None = None
    chance_frac: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the yardstick improves groups that it has not seen, enough of them, and more than chance does."""
        if self.without_frac is None or self.with_frac is None or self.groups < LEAST_GROUPS:
            return False
        beats = self.chance_frac is None or self.chance_frac <= MOST_CHANCE_FRAC
        return beats and self.with_frac < _BETTER * self.without_frac


_RIDGE = 1e-3
"""Penalty on coefficients other than the first, so that a fit of few groups has an answer."""


def held_out_frac(features: Array, log_value: Array, group: Sequence[str]) -> float:
    """Return the median absolute error of rows predicted without their group, as a factor less one.

    Parameters
    ----------
    features : (n, k)
        Columns of a linear fit, the constant among them.
    log_value : (n,)
        Logarithm of what is explained.
    group : sequence of str
        Group of each row.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    >>> held_out_frac(x, 2.0 * x[:, 1], ["a", "b", "c", "d"]) < 0.02
    True
    """
    errors = []
    names = np.asarray(group)
    for name in np.unique(names):
        out = names == name
        errors += list(np.abs(features[out] @ _fit(features[~out], log_value[~out]) - log_value[out]))
    return math.expm1(float(np.median(errors)))


def _fit(features: Array, target: Array) -> Array:
    """Return the coefficients of a linear fit, all but the first drawn a little to zero."""
    penalty = _RIDGE * np.eye(features.shape[1])
    penalty[0, 0] = 0.0
    return np.asarray(np.linalg.lstsq(features.T @ features + penalty, features.T @ target, rcond=None)[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An observation: its group, who holds the yardstick, the logarithm of the value, and what else explains it."""

    group: str
    holder: str
    log_value: float
    features: tuple[float, ...] = ()


def _scored(
    yardstick: str, outcome: str, rows: Sequence[_Row], chains: Mapping[str, ToolChain], why: str
) -> YardstickScore:
    """Return the score of rows by the tool chains of their holders."""
    groups = [row.group for row in rows]
    plain = np.array([[1.0, *row.features] for row in rows])
    value = np.array([row.log_value for row in rows])
    names = sorted({row.holder for row in rows})
    place = np.array([names.index(row.holder) for row in rows])
    levels = np.array([chains[name].score for name in names])

    def error(each: Array) -> float:
        return held_out_frac(np.column_stack([plain, each[place]]), value, groups)

    own, draw = error(levels), np.random.default_rng(_SEED)
    as_good = sum(error(draw.permutation(levels)) <= own for _ in range(_EXCHANGES))
    slope = float(_fit(np.column_stack([plain, levels[place]]), value)[-1])
    return YardstickScore(
        yardstick=yardstick, outcome=outcome, rows=len(rows), groups=len(set(groups)), why=why,
        without_frac=held_out_frac(plain, value, groups), with_frac=own, tenth_frac=math.expm1(0.1 * slope),
        chance_frac=as_good / _EXCHANGES,
    )  # fmt: skip


def rent_score(chips: Mapping[str, ToolChain], on: dt.date | None) -> YardstickScore:
    """Score tool chains of chips on rents, by silicon left out."""
    rows = []
    for name in chips:
        device = accelerator(name)
        peak, memory = device.peak_flop_per_s["bf16"], device.hbm_bytes_per_s
        for offer in rent_offers(device, on):
            years = (offer.since - dt.date(2024, 1, 1)).days / _DAYS_PER_YEAR
            terms = (float(offer.provider in _LARGE_CLOUDS), float(offer.term == "1y"), float(offer.term == "3y"))
            features = (math.log(peak), math.log(memory), years, *terms)
            log_rent = math.log(offer.cny_per_h)
            rows.append(_Row(group=_family(name), holder=name, log_value=log_rent, features=features))
    why = "beside peak, bandwidth, date, kind of cloud and term; chips of one silicon are left out together"
    return _scored("tool chain of the chip", "rent of an accelerator-hour", rows, chips, why)


def _family(device: str) -> str:
    """Return the silicon of a device: H100 of any form is one group, and so are all TPU."""
    stem = device.split("_", maxsplit=1)[0]
    return "ada" if stem in {"l40", "l40s", "rtx"} else stem


def price_score(providers: Mapping[str, ToolChain], facts: Facts, on: dt.date | None) -> YardstickScore:
    """Score tool chains of providers on prices of open models, by provider left out."""
    rows = []
    for key, model in _ACTIVE.items():
        provider = key.split(".")[0]
        active = math.log(models.load(model).parameters_active)
        for price, since in _prices(key, facts, on):
            years = (since - dt.date(2024, 1, 1)).days / _DAYS_PER_YEAR
            features = (active - math.log(1e10), years)
            rows.append(_Row(group=provider, holder=provider, log_value=math.log(price), features=features))
    why = "beside parameters at work and date; a provider is left out at a time"
    return _scored("tool chain of the provider", "price of a million tokens of open models", rows, providers, why)


def _prices(key: str, facts: Facts, on: dt.date | None) -> Iterator[tuple[float, dt.date]]:
    """Yield the latest price of a mix of tokens in CNY, in either currency."""
    for currency in ("cny", "usd"):
        asked, told = (f"api.{key}.{side}_{currency}_per_mtok" for side in ("input", "output"))
        if all(fact_id in facts and facts.series(fact_id, on) for fact_id in (asked, told)):
            paid = _MIX * facts.get(asked, on).number + (1 - _MIX) * facts.get(told, on).number
            yield paid * cny_per(facts, currency.upper(), on), facts.get(told, on).start
            return


def share_score(providers: Mapping[str, ToolChain], facts: Facts, on: dt.date | None) -> YardstickScore:
    """Score tool chains of providers on shares of calls, by provider left out."""
    known = [(market, who, facts.get(fact, on).number) for market, who, fact in _SHARES
             if fact in facts and facts.series(fact, on)]  # fmt: skip
    rows = []
    for market, who, share in known:
        others = [math.log(price) for where, _, price in known if where == market]
        rows.append(_Row(group=who, holder=who, log_value=math.log(share) - sum(others) / len(others)))
    why = "beside equal shares of those named; a provider is left out at a time"
    if len(rows) < 2:
        return YardstickScore(
            yardstick="tool chain of the provider", outcome="share of calls", rows=len(rows), groups=len(rows),
            without_frac=None, with_frac=None, why="no shares were public on the date",
        )  # fmt: skip
    return _scored("tool chain of the provider", "share of calls", rows, providers, why)


def efficiency_score(runs: Sequence[TrainingYardstick], providers: Mapping[str, ToolChain]) -> YardstickScore:
    """Say how far training efficiency can be scored on prices: by providers who publish cost and a price."""
    named = sorted({run.provider for run in runs})
    selling = [name for name in named if name.lower() in providers]
    why = f"{', '.join(named)} publish what training took; {len(selling)} of them sells calls at a list price on file"
    return YardstickScore(
        yardstick="training efficiency", outcome="price of a million tokens", rows=len(runs), groups=len(selling),
        without_frac=None, with_frac=None, why=why,
    )  # fmt: skip


def training_score(device: str, facts: Facts, on: dt.date | None) -> YardstickScore | None:
    """Score a factor for a chip's training software on runs of one script on two chips, by model left out.

    None where no such runs were public on the date.
    """
    runs = paired_runs(device, facts, on)
    if runs is None:
        return None
    predicted = {size: predicted_ratio(device, runs.reference, *size) for size in (_SMALL, _LARGE)}
    names = list(runs.ratio)
    log_error = np.array([math.log(runs.ratio[n] / predicted[_LARGE if _billions(n) > _LARGE_FROM else _SMALL])
                          for n in names])  # fmt: skip
    without = math.expm1(float(np.median(np.abs(log_error))))
    return YardstickScore(
        yardstick="factor for the chip's training software", outcome=f"training on {device} beside {runs.reference}",
        rows=len(names), groups=len(names), without_frac=without,
        with_frac=held_out_frac(np.ones((len(names), 1)), log_error, names),
        why=f"`jevons train` predicts {predicted[_SMALL]:.2f} and {predicted[_LARGE]:.2f} (small and large models); "
        f"published {runs.mean:.2f} in the mean; a model is left out at a time",
    )  # fmt: skip


def predicted_ratio(device: str, reference: str, model: str, devices: int) -> float:
    """Return training tokens a second on a device over those on another, each in its fastest plain layout."""
    rate = [_tok_per_s(name, model, devices) for name in (device, reference)]
    return rate[0] / rate[1]


def _tok_per_s(device: str, model: str, devices: int) -> float:
    job = training.TrainingJob(
        model=models.load(model), cluster=Cluster(accelerator(device), devices, 1.0), seq_len=4096,
        global_batch=8 * devices, precision="bf16", tokens=1e9,
    )  # fmt: skip
    searched = training.search(job, best=1, zero=(1,), recompute=("none", "selective"), most_micro_batch=2)
    if not searched.best:
        message = f"no layout trains {model} on {devices} {device}"
        raise InputError(message)
    return float(searched.best[0].tokens_per_s)


def _billions(name: str) -> float:
    digits = name.rsplit("_", 1)[-1].removesuffix("b")
    return float(digits) if digits.isdigit() else 0.0

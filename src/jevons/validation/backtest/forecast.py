"""Forecasts frozen at a date: cloud revenue and margin, capital expenditure, tokens, list prices and the share price.

The chain in its reduced form, one equation per link, so that thousands of draws take a second: adoption and tokens per
user move tokens, list prices move in steps, tokens and capital move the cloud's AI revenue, the plan moves capital, and
capital comes back as depreciation. Everything is read through the fact reader at the date: nothing published later is
visible. Variants switch links off, so that dead weight shows when they are scored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jevons.arrays import Array
from jevons.errors import FactError, InputError
from jevons.facts import Facts
from jevons.finance.narrative import forecast_change
from jevons.rounding import shown_in
from jevons.study.draws.sampling import correlate, latin_hypercube, stream
from jevons.study.scenario.amounts import Amount, triangular_quantile

HORIZON = 5
"""Quarters forecast after the last one that was reported at the main date: to 2026-Q1."""

VARIANTS = ("full", "constant elasticity only", "no narrative")

TARGETS: dict[str, tuple[str, str]] = {
    "cloud_revenue": ("CNY", "Alibaba Cloud revenue of the quarter"),
    "cloud_growth_frac": ("1", "Alibaba Cloud revenue growth on the year"),
    "cloud_margin_frac": ("1", "Alibaba Cloud adjusted EBITA margin"),
    "capex": ("CNY", "Alibaba Group capital expenditure of the quarter"),
    "china_tok_per_d": ("tok/day", "Tokens a day, China"),
    "doubao_tok_per_d": ("tok/day", "Tokens a day, Doubao"),
    "qwen_price_index": ("1", "List-price index, Qwen (date = 1)"),
    "deepseek_price_index": ("1", "List-price index, DeepSeek (date = 1)"),
    "ads_price_usd": ("USD/ADS", "Alibaba share price per ADS at the quarter's end"),
}

PRODUCTS = {
    "qwen": ("api.qwen.max", "api.qwen.plus", "api.qwen.turbo"),
    "deepseek": ("api.deepseek.chat", "api.deepseek.reasoner"),
}
_ENDINGS = (".input_cny_per_mtok", ".output_cny_per_mtok")


def target_unit(target: str) -> tuple[float, str]:
    """Return the factor and the name of the unit in which a target is shown."""
    return (0.01, "%") if target.endswith("_frac") else shown_in(TARGETS[target][0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What could be known on a date.

    Parameters
    ----------
    as_of : date
        The date.
    revenue_cur : (4,)
        Cloud revenue of the last four reported quarters, oldest first.
    margin_frac, capex_cur : float
        Of the last reported quarter.
    revenue_growth_frac : float
        On the year, of the last reported quarter.
    doubao_tok_per_d, doubao_date : tuple
        Stated volumes and their dates.
    named_tok_per_d : float
        Sum of the last volumes that Doubao, MiniMax and Baidu stated.
    users : float
        Users of generative AI.
    plan_cur : float
        The plan, over twelve quarters.
    life_y : float
        Life of servers in the accounts.
    ads_price_usd : float
        Last close.
    price_changes : (n,)
        Past quarterly changes of the share's price in the logarithm, the running quarter last.
    priors : mapping of str to Amount
        Parameters with their ranges.
    """

    as_of: dt.date
    revenue_cur: Array
    margin_frac: float
    capex_cur: float
    revenue_growth_frac: float
    doubao_tok_per_d: tuple[float, ...]
    doubao_date: tuple[dt.date, ...]
    named_tok_per_d: float
    users: float
    plan_cur: float
    life_y: float
    ads_price_usd: float
    price_changes: Array
    priors: Mapping[str, Amount]
    fixed: Mapping[str, float]
    ranks: Mapping[tuple[str, str], float]

    @property
    def quarters(self) -> tuple[str, ...]:
        """Labels of the quarters forecast."""
        year, quarter = self.as_of.year, (self.as_of.month - 1) // 3
        return tuple(f"{year + (quarter + i) // 4}-Q{(quarter + i) % 4 + 1}" for i in range(HORIZON))

    @property
    def ends(self) -> tuple[dt.date, ...]:
        """Last days of the quarters forecast."""
        return tuple(quarter_end(label) for label in self.quarters)


def quarter_end(label: str) -> dt.date:
    """Return the last day of a quarter such as ``2025-Q1``."""
    year, quarter = int(label[:4]), int(label[6:])
    first_after = dt.date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return first_after - dt.timedelta(days=1)


def evidence(facts: Facts, as_of: dt.date) -> Evidence:
    """Return what the fact reader shows on the date.

    Raises
    ------
    FactError
        If a figure was not public by then.
    InputError
        If the cloud's last quarter is not the one before the date's, or there are fewer than four.
    """
    revenue = facts.series("alibaba.cloud.revenue_quarter_cny", as_of)
    label = f"{as_of.year}-Q{(as_of.month - 1) // 3 + 1}"
    before = quarter_end(label).replace(day=1) - dt.timedelta(days=70)
    last = revenue[-1].start if revenue else None
    if len(revenue) < 4 or last is None or abs((last - before).days) > 31:
        message = (
            f"--as-of {as_of}: forecasts need four quarters of cloud revenue, the last ended before {label}; public by "
            f"then are {len(revenue)}, the last of {last}. Choose a date after results, such as 2025-02-24"
        )
        raise InputError(message)

    def number(fact_id: str) -> float:
        return facts.get(fact_id, as_of).number

    priors = {}
    for fact in facts:
        if fact.id.startswith("forecast."):
            value = facts.get(fact.id, as_of)
            priors[fact.id.removeprefix("forecast.")] = Amount(
                value=value.number, unit=value.unit, low=value.low, high=value.high
            )
    ids = [fact.id for fact in facts if fact.id.startswith("backtest.")]
    fixed = {name.removeprefix("backtest."): number(name) for name in ids}
    ranks = {
        (first, second): fixed.pop(name)
        for name in list(fixed)
        if name.startswith("rank.")
        for _, first, second in (name.split("."),)
    }
    doubao = facts.series("tokens.doubao.daily_tok_per_d", as_of)
    named = doubao[-1].number + number("tokens.minimax.daily_tok_per_d") + number("tokens.baidu.daily_tok_per_d")
    closes = [value.number for value in facts.series("alibaba.group.ads_price_adjusted_usd", as_of)]
    price = number("alibaba.group.ads_price_usd")
    if not closes:
        message = f"no quarterly closes of the share were public on {as_of}"
        raise FactError(message)
    return Evidence(
        as_of=as_of,
        revenue_cur=np.array([value.number for value in revenue[-4:]]),
        margin_frac=number("alibaba.cloud.ebita_margin_frac"),
        capex_cur=number("alibaba.group.capex_quarter_cny"),
        revenue_growth_frac=number("alibaba.cloud.revenue_growth_frac"),
        doubao_tok_per_d=tuple(value.number for value in doubao),
        doubao_date=tuple(value.start for value in doubao),
        named_tok_per_d=named,
        users=number("users.china.generative_ai"),
        plan_cur=number("alibaba.plan.capex_cny"),
        life_y=number("alibaba.group.server_life_y"),
        ads_price_usd=price,
        price_changes=np.diff(np.log([*closes, price])),
        priors=priors,
        fixed=fixed,
        ranks=ranks,
    )


def price_products(facts: Facts, as_of: dt.date) -> dict[str, dict[str, float]]:
    """Return the list prices on the date behind each vendor's index [CNY/Mtok], by fact id."""
    return {
        vendor: {f"{p}{e}": facts.get(f"{p}{e}", as_of).number for p in products for e in _ENDINGS}
        for vendor, products in PRODUCTS.items()
    }


@dataclass(frozen=True, slots=True)
class Forecast:
    """Draws of each target by quarter.

    Parameters
    ----------
    variant : str
        Which links are on.
    quarters : tuple of str
        Labels.
    draws : mapping of str to (n, q)
        See `TARGETS`.
    """

    variant: str
    quarters: tuple[str, ...]
    draws: Mapping[str, Array]

    def quantiles(self, target: str, at: tuple[float, ...] = (0.1, 0.5, 0.9)) -> Array:
        """Return quantiles by quarter, (quantiles, q)."""
        return np.asarray(np.quantile(self.draws[target], at, axis=0))


def forecast(known: Evidence, *, draws: int = 4000, seed: int = 7, variant: str = "full") -> Forecast:
    """Return forecasts from what was known.

    Parameters
    ----------
    known : Evidence
        From `evidence`.
    draws : int
        Correlated draws of the priors, >= 100.
    seed : int
        Root of the random streams; variants share their draws.
    variant : str
        One of `VARIANTS`. *Constant elasticity only* leaves tokens to the list price alone; *no narrative* leaves
        funding and the share price without a story.

    Raises
    ------
    InputError
        If the variant is unknown or there are too few draws.
    """
    if variant not in VARIANTS:
        message = f"variant = `{variant}`: must be one of {', '.join(VARIANTS)}"
        raise InputError(message)
    if draws < 100:
        message = f"draws = {draws}: quantiles need at least 100"
        raise InputError(message)
    p = draw_priors(known, draws, seed)
    price = {vendor: _list_prices(known, p, seed, vendor, draws) for vendor in PRODUCTS}
    china, doubao = _tokens(known, p, np.sqrt(price["qwen"] * price["deepseek"]), variant)
    share = share_price(known, p, seed, draws, narrative=variant != "no narrative")
    capex, ai_capital = _capex(known, p, seed, share, narrative=variant != "no narrative")
    revenue, growth, margin = _cloud(known, p, seed, china, np.sqrt(price["qwen"] * price["deepseek"]), ai_capital)
    forecasts = {
        "cloud_revenue": revenue, "cloud_growth_frac": growth, "cloud_margin_frac": margin, "capex": capex,
        "china_tok_per_d": china, "doubao_tok_per_d": doubao, "qwen_price_index": price["qwen"],
        "deepseek_price_index": price["deepseek"], "ads_price_usd": share,
    }  # fmt: skip
    return Forecast(variant, known.quarters, forecasts)


def draw_priors(known: Evidence, draws: int, seed: int) -> dict[str, Array]:
    """Return correlated draws (n,) of each prior of the forecasts."""
    names = list(known.priors)
    pairs = {pair: rank for pair, rank in known.ranks.items() if set(pair) <= set(names)}
    uniform = correlate(latin_hypercube(seed, names, draws), names, pairs, seed)
    return {name: _as_registered(known.priors[name], uniform[:, column]) for column, name in enumerate(names)}


def _as_registered(prior: Amount, probability: Array) -> Array:
    """Return quantiles of a prior in the form in which priors were written down before they were scored.

    Triangular, in the logarithm where high exceeds ten times low. Amounts of a scenario have another rule by now; the
    priors keep theirs, as a change after their scores were known would be a fit to these.
    """
    if prior.low is None or prior.high is None or prior.high <= prior.low:
        return np.full_like(probability, prior.value)
    if prior.low > 0 and prior.high > 10 * prior.low:
        return np.exp(triangular_quantile(probability, *np.log([prior.low, prior.value, prior.high])))
    return triangular_quantile(probability, prior.low, prior.value, prior.high)


def _years(known: Evidence, since: dt.date) -> Array:
    return np.array([(end - since).days / 365.25 for end in known.ends])


def _list_prices(known: Evidence, p: Mapping[str, Array], seed: int, vendor: str, draws: int) -> Array:
    """Return the index by quarter (n, q): a Poisson number of moves a quarter, most of them cuts."""
    rng = stream(seed, f"forecast:{vendor}")
    level = np.zeros((draws, HORIZON))
    # The first quarter is part gone: moves before the date are in its prices.
    length = np.array([known.fixed["first_quarter_left_frac"], *np.ones(HORIZON - 1)])
    for quarter in range(HORIZON):
        moves = rng.poisson(p["price_moves"] * length[quarter])
        up = rng.random(draws) < p["price_rise_frac"]
        size = p["price_move_cut"] * rng.lognormal(0.0, known.fixed["price_move_sd"], draws)
        level[:, quarter] = moves * np.where(up, known.fixed["price_rise_over_cut"] * size, -size)
    return np.asarray(np.exp(np.cumsum(level, axis=1)))


def _tokens(known: Evidence, p: Mapping[str, Array], price: Array, variant: str) -> tuple[Array, Array]:
    """Return tokens a day in China and of Doubao (n, q): users by diffusion, tokens per user, list price."""
    years = _years(known, known.doubao_date[-1])
    by_price = np.log(price) * -p["tokens_elasticity"][:, None]
    if variant == "constant elasticity only":
        log_factor = by_price
        drift = np.zeros_like(by_price)
    else:
        potential = np.maximum(p["users_potential"], known.users * known.fixed["least_potential_over_users"])
        share = known.users / potential
        users = np.empty((share.size, HORIZON))
        step = np.diff(np.concatenate([[0.0], years])) * 4
        for quarter in range(HORIZON):
            share = share + step[quarter] * p["adoption_imitation"] * share * (1.0 - share)
            users[:, quarter] = np.minimum(share, 1.0) * potential / known.users
        # The pace of new uses slows as the base grows.
        halving_y = known.fixed["pace_halving_y"]
        pace = halving_y / np.log(2) * (1 - 0.5 ** (years / halving_y))
        log_factor = np.log(users) + np.log(p["tokens_per_user_growth"])[:, None] * pace + by_price
        drift = np.log(p["doubao_share_drift"])[:, None] * years
    china = known.named_tok_per_d / p["named_share_frac"] * p["tokens_counting_factor"]
    return china[:, None] * np.exp(log_factor), known.doubao_tok_per_d[-1] * np.exp(log_factor + drift)


def share_price(known: Evidence, p: Mapping[str, Array], seed: int, draws: int, *, narrative: bool) -> Array:
    """Return the share's price by quarter's end (n, q): a random walk, and the story's pull over one quarter."""
    rng = stream(seed, "forecast:share")
    years = np.maximum(_years(known, known.as_of), 0.0)
    steps = np.sqrt(np.diff(np.concatenate([[0.0], years])) * 4)
    walk = np.cumsum(rng.standard_normal((draws, HORIZON)) * steps * p["price_sigma_frac"][:, None], axis=1)
    pull = forecast_change(known.price_changes) if narrative else 0.0
    return np.asarray(known.ads_price_usd * np.exp(walk + pull * np.minimum(4 * years, 1.0)))


def _capex(known: Evidence, p: Mapping[str, Array], seed: int, share: Array, *, narrative: bool) -> tuple[Array, Array]:
    """Return group capital expenditure and AI capital placed since the date, each by quarter (n, q)."""
    rng = stream(seed, "forecast:capex")
    n = share.shape[0]
    tilt = np.log(p["plan_last_over_first"])[:, None] * (np.arange(12) / 11 - 0.5)
    path = np.exp(tilt)
    plan = p["plan_spent_frac"][:, None] * known.plan_cur * path / path.sum(axis=1, keepdims=True)
    barred = rng.random(n) < p["ban_probability_frac"]
    begins = np.asarray(rng.integers(1, HORIZON, n))
    hit = barred[:, None] & (np.arange(HORIZON) >= begins[:, None])
    plan = plan[:, :HORIZON] * np.where(hit, p["ban_capex_factor"][:, None], 1.0)
    if narrative:
        plan = plan * funding_factor(known, p, share)
    plan = plan * quarter_noise(p, rng)
    return plan * (1.0 + p["other_capex_frac"][:, None]), np.cumsum(plan, axis=1)


def _cloud(
    known: Evidence, p: Mapping[str, Array], seed: int, china: Array, price: Array, placed: Array
) -> tuple[Array, Array, Array]:
    """Return the cloud's revenue, growth on the year and margin by quarter (n, q)."""
    rng = stream(seed, "forecast:cloud")
    n = china.shape[0]
    last = known.revenue_cur[-1]
    ai_now = p["ai_share_frac"] * last
    rest_before = rest_of_year(known, ai_now, p["ai_growth_frac"])
    year_ago = last / (1.0 + known.revenue_growth_frac)
    rest_year_ago = year_ago - ai_now / (1.0 + p["ai_growth_frac"])
    rest_growth = rest_before[:, -1] / rest_year_ago - 1.0
    # Spending on tokens since the last reported quarter moves AI revenue with the stated elasticity.
    base = known.named_tok_per_d / p["named_share_frac"] * p["tokens_counting_factor"]
    wanted = ai_now[:, None] * np.maximum(china / base[:, None] * price, 1e-6) ** p["ai_revenue_to_tokens"][:, None]
    in_service = np.concatenate([np.zeros((n, 1)), placed[:, :-1]], axis=1)
    most = (
        ai_now[:, None] * (1.0 + known.fixed["most_ai_growth_frac"])
        + in_service * p["revenue_per_ai_capital"][:, None] / 4
    )
    ai = np.minimum(wanted, most)
    rest = seasonal(known, rest_before, 1.0 + rest_growth, rng)
    revenue = ai + rest
    depreciation = p["cloud_depreciation_quarter_cny"][:, None] * (
        1 - known.fixed["depreciation_runoff_frac"] * np.arange(1, HORIZON + 1)
    )
    depreciation = depreciation + in_service / (4 * known.life_y)
    before_depreciation = known.margin_frac + p["cloud_depreciation_quarter_cny"] / last
    drifted = before_depreciation[:, None] + p["base_margin_drift_frac"][:, None] * np.arange(1, HORIZON + 1)
    ebita = drifted * (rest + ai_now[:, None]) + p["ai_gross_margin_frac"][:, None] * (ai - ai_now[:, None])
    noise = rng.normal(0.0, known.fixed["margin_noise_frac"], (n, HORIZON))
    return revenue, growth_on_year(known, revenue), (ebita - depreciation) / revenue + noise


def funding_factor(known: Evidence, p: Mapping[str, Array], share: Array) -> Array:
    """Return the factor of the story in the share's price (n, q) on capital expenditure, (n, q)."""
    doublings = np.log2(share / known.ads_price_usd)
    return np.maximum(1.0 + p["narrative_capex_gain_frac"][:, None] * doublings, known.fixed["least_funding_factor"])


def quarter_noise(p: Mapping[str, Array], rng: np.random.Generator) -> Array:
    """Return factors of mean 1 on capital expenditure by quarter (n, q): orders do not arrive evenly."""
    sigma = p["capex_quarter_sigma"][:, None]
    return np.asarray(np.exp(rng.standard_normal((sigma.size, HORIZON)) * sigma - sigma**2 / 2))


def rest_of_year(known: Evidence, ai_cur: Array, ai_growth_frac: Array) -> Array:
    """Return last year's quarters of the cloud's revenue less AI (n, 4), from AI's last quarter and growth (n,)."""
    back = np.array([0.75, 0.5, 0.25, 0.0])
    return np.asarray(known.revenue_cur - ai_cur[:, None] * (1.0 + ai_growth_frac)[:, None] ** -back)


def seasonal(known: Evidence, before: Array, growth_factor: Array, rng: np.random.Generator) -> Array:
    """Return revenue (n, q) that grows by a factor a year (n,) on its own quarters of the year before (n, 4)."""
    drift = np.cumsum(rng.normal(0.0, known.fixed["season_drift_sd"], (before.shape[0], HORIZON)), axis=1)
    growths = np.empty((before.shape[0], HORIZON))
    for quarter in range(HORIZON):
        ago = before[:, quarter] if quarter < 4 else growths[:, quarter - 4]
        growths[:, quarter] = ago * growth_factor * np.exp(drift[:, quarter])
    return growths


def growth_on_year(known: Evidence, revenue: Array) -> Array:
    """Return growth of the cloud's revenue (n, q) on the quarter of the year before, (n, q)."""
    before = np.concatenate([np.broadcast_to(known.revenue_cur, (revenue.shape[0], 4)), revenue], axis=1)
    return np.asarray(revenue / before[:, :HORIZON] - 1.0)

"""What the market stage is given: segments, unit costs and starting weights."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.errors import InputError
from jevons.formula import Formula, Symbol
from jevons.market import MarketInputs
from jevons.market.types import Adoption, Pricing, Renting, Supply, Use
from jevons.study.chain.demand import (
    announcements,
    income_growth,
    opening_scale,
    peak_frac,
    per_tok_cur,
    premium,
    price_factor,
    rivalry,
)
from jevons.study.chain.rented_uses import model_index, renting_segments, rush_path, switch_of
from jevons.study.chain.setting import Setting
from jevons.study.scenario.scenario import RENTAL, Scenario

BUSY = Formula(
    "cap * availability * min(hours / 24 / peak, (1 - hours / 24) / (1 - peak))",
    "1",
    {
        "cap": Symbol("highest busy share of a slot while latency holds"),
        "availability": Symbol("share of device-hours in working order"),
        "hours": Symbol("hours of the peak slot in a day", "h"),
        "peak": Symbol("share of calls in the peak slot, mean of the model's callers"),
    },
)
"""Mean busy share of a model's device-hours: a fleet sized for the busier slot is idle for part of the other."""

MEAN_PEAK = Formula("mean(peaks)", "1", {"peaks": Symbol("share of calls in the peak slot, by segment")})

TOKEN_COST = Formula(
    "sum(share * hour * seconds / software) * error / efficiency / 3600 / busy * 1e6",
    "¤/Mtok",
    {
        "share": Symbol("of the model's device-hours on each device"),
        "hour": Symbol("cost of an hour of each device", "¤/h"),
        "seconds": Symbol("modelled device-seconds per token on each device", "s/tok"),
        "software": Symbol("share of the modelled speed that each device's software reaches"),
        "error": Symbol("true over modelled device-seconds"),
        "efficiency": Symbol("tokens per device-second relative to the model's"),
        "busy": Symbol("mean busy share of device-hours"),
    },
)
"""Cost of a million tokens in the first quarter; `unit_cost` computes it for all models, kinds and quarters at once."""


def market_inputs(
    scenario: Scenario,
    setting: Setting,
    weights: Array,
    scarcity: Array,
    rent_index: Array | None = None,
    cloud_frac: Array | None = None,
    brokers_frac: Array | None = None,
) -> MarketInputs:
    """Return the market's inputs.

    Parameters
    ----------
    scenario, setting
        Figures of this draw.
    weights : (m, v, t)
        Share of each model's device-hours on each device.
    scarcity : (s, t)
        Clearing over posted price.
    rent_index : (t,), optional
        Rent of the reference device-hour over the scenario's; where rents clear.
    cloud_frac : (s, t), optional
        Share of tokens that does not go to machines of the buyers' own; all by default.
    brokers_frac : (t,), optional
        Share of rented device-hours that brokers let in the firm's place; none by default.
    """
    segments = list(scenario.market.segments.values())
    models = list(scenario.serving.models)
    index = model_index(scenario)

    def column(name: str) -> Array:
        return np.array([getattr(s, name).value for s in segments])

    rental = index >= len(models)
    asked, cached = column("input_tokens"), column("cached")
    tokens = np.stack([asked * (1 - cached), asked * cached, column("output_tokens")], axis=1)
    tokens[rental] = (0.0, 0.0, 1.0)
    rent = np.array([0.0, 0.0, scenario.market.rental_price.value])
    listed = [per_tok_cur(served.price) for served in scenario.serving.models.values()]
    prices = np.array([*listed, *[rent] * max(int(rental.sum()), 1)])
    inputs = MarketInputs(
        model=index,
        share_frac=column("share"),
        adoption=Adoption(
            adopters=column("adopters"),
            value_cur=column("value") * scenario.market.value_scale.value,
            value_sigma=column("value_sigma"),
            integration_cur_per_y=column("integration"),
            integration_growth_frac=scenario.market.integration_growth.value,
            bass_p=column("bass_p"),
            bass_q=column("bass_q"),
            adopted_frac=column("adopted"),
        ),
        use=Use(
            calls_per_d=column("calls"),
            calls_growth=column("calls_growth")
            * income_growth(scenario)
            * np.where(rental, column("tokens_growth"), 1.0),
            tokens_growth=np.where(rental, 1.0, column("tokens_growth")),
            tokens_per_call=tokens,
            counts_tokens=~rental,
            elasticity=column("elasticity") * scenario.market.elasticity_scale.value,
            wallet_cur_per_y=column("wallet"),
            attention_calls_per_d=column("attention"),
            depth_frac=column("depth"),
            depth_exponent=column("depth_exponent"),
            depth_most=column("depth_most"),
            rush=rush_path(scenario),
        ),
        pricing=Pricing(
            list_price_cur_per_tok=prices,
            markup=scenario.market.markup.value,
            price_inertia=scenario.market.price_inertia.value,
            price_factor=price_factor(scenario),
            premium=premium(scenario),
            price_step_frac=scenario.market.price_step.value,
            announced=announcements(scenario),
        ),
        supply=Supply(
            unit_cost_cur_per_tok=unit_cost(scenario, setting, weights),
            scarcity=scarcity,
            learning_exponent=scenario.serving.learning_exponent.value,
        ),
        renting=Renting(rent_index=rent_index, cloud_frac=cloud_frac, brokers_frac=brokers_frac, work=setting.work),
    )
    inputs = inputs.replace(calls_per_d=inputs.use.calls_per_d * opening_scale(scenario, inputs))
    called = (tokens * prices[index]).sum(axis=1) * price_factor(scenario) / np.maximum(tokens.sum(axis=1), 1e-30) * 1e6
    switch = switch_of(scenario, setting.device_s_per_tok, called, setting.price_cur)
    inputs = inputs.replace(switch=switch)
    return dataclasses.replace(inputs, rivals=rivalry(scenario, inputs))


def unit_cost(scenario: Scenario, setting: Setting, weights: Array) -> Array:
    """Return full cost per token by model, kind and quarter, (m, 3, t) [currency], over the devices that serve it.

    A fleet sized for the busier slot is idle for part of the rest of the day; its tokens bear that.
    """
    busy = busy_frac(scenario)
    seconds = np.where(np.isfinite(setting.device_s_per_tok), setting.device_s_per_tok, 0.0)
    return np.asarray(np.einsum("mvt,mvkt,vt->mkt", weights, seconds, setting.hour_cur) / 3600.0 / busy[:, None, None])


def busy_frac(scenario: Scenario) -> Array:
    """Return the mean busy share of device-hours by model (m,), the rented uses last."""
    share_of_day = scenario.market.peak_hours.value / 24.0
    names = [*scenario.serving.models, *[RENTAL] * max(len(renting_segments(scenario)), 1)]
    busy = np.empty(len(names))
    rows, segment_peaks = model_index(scenario), peak_frac(scenario)
    for m, name in enumerate(names):
        peaks = [peak for peak, row in zip(segment_peaks, rows, strict=True) if row == m]
        peak = sum(peaks) / len(peaks) if peaks else share_of_day
        busy[m] = BUSY(
            cap=attention_cap(scenario, name),
            availability=scenario.serving.availability.value,
            hours=scenario.market.peak_hours.value,
            peak=min(max(peak, 1e-9), 1 - 1e-9),
        )
    return busy


def attention_cap(scenario: Scenario, model: str) -> float:
    """Return the most of its hours that a device sells: of calls to a model, or of rented hours."""
    return (scenario.market.rental_utilisation if model == RENTAL else scenario.serving.utilisation_cap).value


def starting_weights(scenario: Scenario, setting: Setting) -> Array:
    """Return each model's device shares before a plan exists: by what stands and can be bought, per device able."""
    devices = list(scenario.hardware.devices.values())
    installed = np.array([d.installed.value for d in devices])
    stock = installed[:, None] + np.cumsum(setting.supply, axis=1)
    able = np.asarray(np.isfinite(setting.device_s_per_tok).all(axis=2))
    return normalised(able * stock[None], able)


def normalised(amount: Array, able: NDArray[np.bool_]) -> Array:
    """Return *amount* (m, v, t) as shares over devices; equal shares over able devices where it is all zero."""
    amount = np.where(amount.sum(axis=1, keepdims=True) > 0, amount, able.astype(float))
    total = amount.sum(axis=1, keepdims=True)
    if np.any(total <= 0):
        message = "a served model fits on none of the devices; add a device or raise `most_devices`"
        raise InputError(message)
    return np.asarray(amount / total)

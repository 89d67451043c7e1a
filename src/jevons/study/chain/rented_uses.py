"""What renters do with device-hours: serve models themselves, train, or hold them in reserve.

A renter buys work. The work of an hour rises with the engineered throughput of the model that it runs, with software
and with its own progress; what it pays for work is the rent over that. Hours are work over work per hour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jevons.arrays import Array
from jevons.costing import capital_recovery_factor
from jevons.errors import Fault, InputError
from jevons.facts import get
from jevons.market import NestedChoice, Offer, Switch
from jevons.study.chain.operating_points import Engineering
from jevons.study.scenario.market import SegmentSpec
from jevons.study.scenario.scenario import Scenario


def renting_segments(scenario: Scenario) -> list[tuple[int, str, SegmentSpec]]:
    """Return row, name and terms of the segments that rent, in their order; each is a pseudo-model of its own."""
    segments = enumerate(scenario.market.segments.items())
    return [(row, name, segment) for row, (name, segment) in segments if segment.rents]


def model_index(scenario: Scenario) -> NDArray[np.int64]:
    """Return the row of each segment's model among the served models and, after them, the rented uses, (s,)."""
    models = list(scenario.serving.models)
    rented = {name: len(models) + k for k, (_, name, _) in enumerate(renting_segments(scenario))}
    segments = scenario.market.segments.items()
    return np.array([rented[name] if name in rented else models.index(s.model) for name, s in segments])


def token_mix(segment: SegmentSpec) -> Array:
    """Return the shares of uncached, cached and output tokens in a segment's calls, (3,)."""
    asked, cached = segment.input_tokens.value, segment.cached.value
    tokens = np.array([asked * (1 - cached), asked * cached, segment.output_tokens.value])
    return tokens / max(float(tokens.sum()), 1e-30)


def use_seconds(scenario: Scenario, engineering: Engineering) -> Array:
    """Return seconds of each device that stand for a reference device-hour, (k, v, 3), by rented use.

    All are worth what rents say (`Setting.with_hour_worth` puts that in); before rents are known, the geometric mean of
    peak and bandwidth. Only the third column counts; inf where a device cannot serve the model of a self-served use.

    Raises
    ------
    InputError
        If the reference device cannot run the model of a self-served use.
    """
    devices, models = scenario.hardware.devices, list(scenario.serving.models)
    software = np.array([d.software.value for d in devices.values()])
    rented = renting_segments(scenario)
    seconds = np.zeros((max(len(rented), 1), len(devices), 3))
    seconds[:, :, 2] = 3600.0 * engineering.rental_ratio / software
    for k, (_, name, segment) in enumerate(rented):
        if segment.kind == "self_served":
            able = np.isfinite(engineering.device_s_per_tok[models.index(segment.model)]).all(axis=1)
            if not able[reference_row(scenario)]:
                device = scenario.market.rental_device
                message = (
                    f"has no throughput: `{segment.model}` is not served on market.rental_device `{device}`; "
                    "name a device that serves it, or another model"
                )
                raise InputError([Fault(message=message, path=f"market.segments.{name}.model")])
            seconds[k, ~able, 2] = np.inf
    return seconds


def reference_row(scenario: Scenario) -> int:
    """Return the row of the reference device among the scenario's devices; the first where it is not one of them.

    Cross-checks refuse self-served uses and boxes whose accelerator is not among the devices.
    """
    devices = list(scenario.hardware.devices)
    return devices.index(scenario.market.rental_device) if scenario.market.rental_device in devices else 0


def work_path(scenario: Scenario) -> Array:
    """Return the work of a rented device-hour over that at which demand is stated, by segment, (s, t); ones for calls.

    Demand is stated at the first quarter, at `efficiency` 1 and `engineering_error` as in `calibrated_error`.
    """
    years = np.arange(scenario.quarters) / 4
    serving = scenario.serving
    work = np.ones((len(scenario.market.segments), scenario.quarters))
    for row, _, segment in renting_segments(scenario):
        gain = segment.work_gain.value
        if segment.kind == "reserve":
            continue
        level = serving.efficiency.value
        if segment.kind == "self_served":
            gain *= serving.software_gain.value
            level *= serving.calibrated_error.value / serving.engineering_error.value
        work[row] = level * gain**years
    return work


def tokens_per_hour(scenario: Scenario, device_s_per_tok: Array) -> Array:
    """Return tokens of a reference device-hour by segment, (s, t): what self-served uses make of it, 0 for others.

    Parameters
    ----------
    scenario : Scenario
        Skill and busy share of renters.
    device_s_per_tok : (m, v, 3, t)
        Device-seconds per token, as in `Setting`.
    """
    models, reference = list(scenario.serving.models), reference_row(scenario)
    tokens = np.zeros((len(scenario.market.segments), scenario.quarters))
    years = np.arange(scenario.quarters) / 4
    for row, _, segment in renting_segments(scenario):
        if segment.kind == "self_served":
            seconds = token_mix(segment) @ device_s_per_tok[models.index(segment.model), reference]
            own = segment.work_gain.value**years
            tokens[row] = 3600.0 / seconds * segment.skill.value * segment.busy.value * own
    return tokens


def rush_path(scenario: Scenario) -> Array | None:
    """Return the factor on each segment's calls from a rush that passes, (s, t); None without one."""
    rush = scenario.market.rental_rush.value
    if rush <= 0:
        return None
    left = 0.5 ** (np.arange(scenario.quarters) / max(scenario.market.rush_half_life.value, 1e-9))
    serves = np.array([segment.kind == "self_served" for segment in scenario.market.segments.values()])
    return 1.0 + rush * serves[:, None] * left


def switch_of(
    scenario: Scenario, device_s_per_tok: Array, call_cur_per_mtok: Array, machine_cur: Array
) -> Switch | None:
    """Return who may call a model in place of serving it on rented machines; None where nobody may.

    Parameters
    ----------
    scenario : Scenario
        Segments with `calls_instead`.
    device_s_per_tok : (m, v, 3, t)
        Device-seconds per token, as in `Setting`.
    call_cur_per_mtok : (s,)
        What callers of each segment pay at the start.
    machine_cur : (v, t)
        Price of a device, as in `Setting`: an owned machine's follows it.
    """
    names = list(scenario.market.segments)
    rows = [(row, segment) for row, _, segment in renting_segments(scenario) if segment.calls_instead]
    if not rows:
        return None
    renting = np.array([row for row, _ in rows])
    per_hour = tokens_per_hour(scenario, device_s_per_tok)[renting, 0] / work_path(scenario)[renting, 0]
    calling = np.array([names.index(segment.calls_instead) for _, segment in rows])
    index = machine_cur[reference_row(scenario)] / machine_cur[reference_row(scenario), 0]
    return Switch(
        renting=renting,
        calling=calling,
        start_frac=np.array([segment.rented_share.value for _, segment in rows]),
        elasticity=np.array([segment.switch.value for _, segment in rows]),
        tokens_per_hour=per_hour,
        inertia=scenario.market.providers.share_inertia.value,
        choices=tuple(
            _choice(scenario, segment, float(tokens), float(call_cur_per_mtok[called]), index)
            for (_, segment), tokens, called in zip(rows, per_hour, calling, strict=True)
        ),
    )


_SIZES = np.linspace(-2.5, 2.5, 11)
_NORMAL = np.exp(-(_SIZES**2) / 2) / np.exp(-(_SIZES**2) / 2).sum()


def _choice(
    scenario: Scenario, segment: SegmentSpec, tokens_per_hour: float, call_cur_per_mtok: float, machine_index: Array
) -> NestedChoice | None:
    """Return the choice between owning, renting and calling of users who serve *segment*'s model; None without it.

    Sizes are lognormal; shares are of tokens, so their distribution is weighted by size. Of an owned machine the device
    share of the cost follows the price of devices; staff stay.
    """
    box = scenario.market.box
    if box is None or segment.owned_share.value <= 0:
        return None
    capital = box.price.value * capital_recovery_factor(scenario.cost.wacc.value, box.life.value)
    yearly = capital + box.staff.value
    sigma = segment.buyer_sigma.value
    # drawn shares may make more than all: what is called keeps a little
    machines = np.array([segment.owned_share.value, segment.rented_share.value])
    machines *= min(1.0, get("assumption.self_served_most_frac").number / float(machines.sum()))
    return NestedChoice(
        sizes_tok_per_d=segment.buyer_tokens.value * np.exp(sigma * _SIZES + sigma**2),
        weights=_NORMAL,
        growth=(segment.calls_growth.value * segment.tokens_growth.value) ** (np.arange(machine_index.size) / 4),
        offer=Offer(
            machine_cur_per_y=yearly,
            rent_cur_per_machine_h=box.devices.value * scenario.market.rental_price.value,
            machine_tok_per_d=box.devices.value * 24.0 * tokens_per_hour,
            api_cur_per_mtok=call_cur_per_mtok,
            privacy_cur_per_mtok=segment.privacy.value,
        ),
        machine_index=(capital * machine_index + box.staff.value) / yearly,
        start_frac=np.array([*machines, 1.0 - machines.sum()]),
        elasticity=segment.switch.value,
        nest_elasticity=min(segment.own_switch.value, segment.switch.value),
    )

"""Fits the power of devices to measured draws, and judges it and energy per token on groups that no fit saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jevons.errors import FactError, InfeasibleError, InputError
from jevons.serving.calibration import shipped_calibration
from jevons.serving.energy import Activity, PowerModel, activity_of, power_model
from jevons.serving.types import Deployment, FloatArray
from jevons.validation.rows import read_table
from jevons.validation.serving.case import Case
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.energy import (
    IMAGES,
    MeasuredRate,
    flow_of,
    measured_rate,
    predicted_batch,
    predicted_rate,
    runs_of,
    step_frac,
)
from jevons.validation.serving.predict import Answer, answer, calibrated, prepare

FITTED = {"memory_load": (0.0, 8.0), "compute_load": (0.0, 40.0), "empty_weight": (0.0, 1.0), "most_frac": (0.9, 1.0)}
"""Factors that are fitted, and their bounds."""
_START = {"memory_load": 1.0, "compute_load": 5.0, "empty_weight": 0.5, "most_frac": 0.97}
_WAITING = (0.05, 0.6)
_COVERAGE = (0.1, 0.9)
_SOFT = 0.1
_WAITING = (0.05, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """The measured draw of a run.

    Parameters
    ----------
    run, model, device, task : str
        Which run, and the groups that it belongs to; the model's name is without precision.
    tdp_w, power_w : float
        Limit of the device, and mean draw of each [W].
    measured, predicted : Activity
        What the devices did by the measured rates, and by the predicted ones.
    rate_ratio : float
        Predicted over measured output rate.
    """

    run: str
    model: str
    device: str
    task: str
    tdp_w: float
    power_w: float
    measured: Activity
    predicted: Activity
    rate_ratio: float


def read_draws(path: Path | str) -> list[Draw]:
    """Return the runs of a table of power whose rates were measured and can be predicted."""
    engines, scales = calibrated(shipped_calibration()), shipped_calibration().scales
    draws = []
    for run, rows in runs_of(read_table(path).rows).items():
        if "power_w" not in rows:
            continue
        try:
            case = read_case(rows["power_w"])
            answered = answer(prepare(case, engines), engines, scales)
        except (FactError, InputError, InfeasibleError):
            continue
        measured = measured_rate(case, rows)
        if answered.deployment is not None and measured is not None:
            draws.append(_draw(run, case, answered, answered.deployment, measured, float(rows["power_w"]["value"])))
    if not draws:
        message = f"{path}: no run states a power that can be predicted"
        raise InputError(message)
    return draws


def _draw(
    run: str, case: Case, answered: Answer, deployment: Deployment, measured: MeasuredRate, drawn_w: float
) -> Draw:
    device, predicted = deployment.accelerator, predicted_rate(case, answered)
    rate = measured.output_tok_per_s / answered.replicas
    return Draw(
        run=run,
        model=deployment.model.name,
        device=device.id,
        task=measured.task,
        tdp_w=device.tdp_w,
        power_w=drawn_w / case.gpus,
        measured=activity_of(deployment, flow_of(case, measured.batch, rate)),
        predicted=activity_of(deployment, flow_of(case, predicted_batch(case, answered), predicted)),
        rate_ratio=predicted / rate,
    )


def shares(activities: Sequence[Activity], model: PowerModel) -> FloatArray:
    """Return power over the limit, as `jevons.serving.energy.power_w` has it."""
    memory = np.array([activity.memory_frac for activity in activities])
    compute = np.array([activity.compute_frac + model.empty_weight * activity.empty_frac for activity in activities])
    load = model.memory_load * memory + model.compute_load * np.sqrt(compute)
    shared: FloatArray = model.most_frac - (model.most_frac - model.idle_frac) * np.exp(-load)
    return shared


def known_shares(draws: Sequence[Draw], model: PowerModel) -> FloatArray:
    """Return power over the limit at the measured rates; devices that wait for images work at the predicted ones."""
    steps = np.array([step_frac(draw.task, draw.rate_ratio) for draw in draws])
    activities = [draw.predicted if part < 1.0 else draw.measured for draw, part in zip(draws, steps, strict=True)]
    working = shares(activities, model)
    known: FloatArray = model.waiting_frac + (working - model.waiting_frac) * steps
    return known


def fit_power(draws: Sequence[Draw], start: PowerModel | None = None) -> PowerModel:
    """Return the model of power that fits measured draws at measured rates, outliers weighed down.

    Groups of a task, model and device count by the square root of their size. Tasks with images tell what a device
    draws while it waits, and nothing else.
    """
    from scipy.optimize import least_squares

    model = replace(start or power_model(), **_START)
    waiting = [draw for draw in draws if draw.task in IMAGES]
    draws = [draw for draw in draws if draw.task not in IMAGES]
    activities = [draw.measured for draw in draws]
    target = np.log([draw.power_w / draw.tdp_w for draw in draws])
    groups = [(draw.task, draw.model, draw.device) for draw in draws]
    weight = np.array([groups.count(group) ** -0.25 for group in groups])

    def residuals(values: FloatArray) -> FloatArray:
        predicted = np.log(shares(activities, replace(model, **dict(zip(FITTED, values, strict=True))))) - target
        weighed: FloatArray = predicted * weight
        return weighed

    low, high = zip(*FITTED.values(), strict=True)
    solution = least_squares(residuals, list(_START.values()), bounds=(low, high), loss="soft_l1", f_scale=_SOFT)
    model = replace(model, **dict(zip(FITTED, map(float, solution.x), strict=True)))
    if not waiting:
        return model
    drawn = np.log([draw.power_w / draw.tdp_w for draw in waiting])

    def waited(values: FloatArray) -> FloatArray:
        off: FloatArray = np.log(known_shares(waiting, replace(model, waiting_frac=float(values[0])))) - drawn
        return off

    rest = least_squares(waited, [model.idle_frac], bounds=_WAITING, loss="soft_l1", f_scale=_SOFT)
    return replace(model, waiting_frac=float(rest.x[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Log errors of runs: of power at measured rates, and of power and energy per token at predicted ones."""

    power: FloatArray
    power_all: FloatArray
    energy: FloatArray


def errors(draws: Sequence[Draw], model: PowerModel) -> Errors:
    """Return the log errors of a model of power on runs."""
    drawn = np.array([draw.power_w / draw.tdp_w for draw in draws])
    rates = np.array([draw.rate_ratio for draw in draws])
    known, predicted = known_shares(draws, model), shares([draw.predicted for draw in draws], model)
    return Errors(
        power=np.log(known / drawn), power_all=np.log(predicted / drawn), energy=np.log(predicted / drawn / rates)
    )


def held_out(draws: Sequence[Draw], by: str) -> Errors:
    """Return the errors of runs under fits that saw no run of the same group: ``model``, ``device`` or ``task``."""
    keys = np.array([getattr(draw, by) for draw in draws])
    parts = {name: np.zeros(len(draws)) for name in ("power", "power_all", "energy")}
    for key in sorted(set(keys.tolist())):
        out = np.flatnonzero(keys == key)
        model = fit_power([draw for draw in draws if getattr(draw, by) != key])
        own = errors([draw for draw in draws if getattr(draw, by) == key], model)
        for name, of in parts.items():
            of[out] = getattr(own, name)
    return Errors(**parts)


def interval(log_errors: FloatArray) -> tuple[float, float]:
    """Return the 80 % interval of measured over predicted."""
    low, high = np.quantile(np.exp(-log_errors), _COVERAGE)
    return float(low), float(high)

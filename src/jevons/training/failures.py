"""What failures, checkpoints, stragglers and repairs take from a run of many devices."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw
from scipy.stats import poisson

from jevons.errors import InfeasibleError, InputError
from jevons.facts import Facts, default_facts
from jevons.limits import RUN_FAILURES

_HOUR_S = 3600.0
_SPARE_CONFIDENCE = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureModel:
    """How often a run is interrupted and what an interruption costs.

    Parameters
    ----------
    job_per_h : float
        Interruptions per hour that do not depend on size: software, storage, network services, people.
    device_per_h : float
        Interruptions per device-hour: devices, hosts, links.
    restart_s : float
        From the failure to the next useful step: detection, replacement, start, reading the checkpoint.
    checkpoint_s : float
        Time that a checkpoint keeps the devices from working.
    slow_node_frac, slow_loss_frac : float
        Share of nodes that are slow at a time, and what the job loses while at least one is among its own.
    repair_h : float
        Hours until a failed node is back.
    node_devices : int
        Devices lost together.
    """

    job_per_h: float
    device_per_h: float
    restart_s: float
    checkpoint_s: float
    slow_node_frac: float
    slow_loss_frac: float
    repair_h: float
    node_devices: int = 8

    def per_h(self, devices: int) -> float:
        """Return the interruptions per hour of a job of that many devices."""
        return self.job_per_h + self.device_per_h * devices

    def mttf_h(self, devices: int) -> float:
        """Return the mean time between interruptions [h]."""
        return 1.0 / self.per_h(devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutlook:
    """What interruptions do to a run.

    Parameters
    ----------
    mttf_h : float
        Mean time between interruptions.
    interval_s : float
        Work between checkpoints that maximises useful time.
    goodput_frac : float
        Expected share of wall time in useful steps, stragglers included.
    straggler_frac : float
        Part of it that slow nodes take.
    spare_nodes : int
        Nodes in reserve so that failed ones can be replaced at once 99 % of the time.
    days : mapping of str to float
        Wall time: ``mean``, ``p5``, ``p50``, ``p95``.
    interruptions : float
        Expected in the run.
    """

    mttf_h: float
    interval_s: float
    goodput_frac: float
    straggler_frac: float
    spare_nodes: int
    days: dict[str, float]
    interruptions: float


def failure_model(facts: Facts | None = None) -> FailureModel:
    """Return the shipped failure model."""
    facts = facts or default_facts()

    def number(name: str) -> float:
        return facts.get(f"training_failures.{name}").number

    return FailureModel(
        job_per_h=number("job_per_s") * _HOUR_S,
        device_per_h=number("device_per_s") * _HOUR_S,
        restart_s=number("restart_s"),
        checkpoint_s=number("checkpoint_s"),
        slow_node_frac=number("slow_node_frac"),
        slow_loss_frac=number("slow_loss_frac"),
        repair_h=number("repair_s") / _HOUR_S,
    )


def best_interval_s(checkpoint_s: float, mttf_s: float) -> float:
    """Return the work between checkpoints that minimises expected time under exponential failures [s].

    Notes
    -----
    Minimises ``(exp((t + C) / M) - 1) / t``: ``t = M (1 + W(-exp(-1 - C / M)))`` with Lambert's W. Young's
    ``sqrt(2 C M)`` is its limit for ``C << M``.

    References
    ----------
    [young1974]_, [daly2006]_

    Examples
    --------
    >>> round(best_interval_s(60.0, 3.0 * 3600.0))
    1099
    """
    _positive(checkpoint_s=checkpoint_s, mttf_s=mttf_s)
    return mttf_s * (1.0 + float(lambertw(-math.exp(-1.0 - checkpoint_s / mttf_s)).real))


def useful_frac(interval_s: float, checkpoint_s: float, restart_s: float, mttf_s: float) -> float:
    """Return the expected share of wall time in work that lasts, failures being exponential.

    Notes
    -----
    ``t / (exp(R / M) M (exp((t + C) / M) - 1))``: a segment is repeated until it and its checkpoint finish; a restart
    can itself be interrupted.
    """
    _positive(interval_s=interval_s, checkpoint_s=checkpoint_s, restart_s=restart_s, mttf_s=mttf_s)
    wall_s = math.exp(restart_s / mttf_s) * mttf_s * math.expm1((interval_s + checkpoint_s) / mttf_s)
    return interval_s / wall_s


def straggler_frac(model: FailureModel, devices: int) -> float:
    """Return the share of speed that slow nodes take: the loss times the chance that the job has one."""
    nodes = max(devices / model.node_devices, 1.0)
    return float(model.slow_loss_frac * -np.expm1(nodes * np.log1p(-model.slow_node_frac)))


def goodput_frac(model: FailureModel, devices: int) -> float:
    """Return the expected share of wall time in useful steps, slow nodes included.

    Zero where failures come faster than a restart and a checkpoint take.
    """
    mttf_s = model.mttf_h(devices) * _HOUR_S
    if mttf_s < model.restart_s + model.checkpoint_s:
        return 0.0
    interval_s = best_interval_s(model.checkpoint_s, mttf_s)
    lasting = useful_frac(interval_s, model.checkpoint_s, model.restart_s, mttf_s)
    return lasting * (1.0 - straggler_frac(model, devices))


def spare_nodes(model: FailureModel, devices: int) -> int:
    """Return the nodes in reserve that cover those in repair 99 % of the time, failures being Poisson."""
    return int(poisson.ppf(_SPARE_CONFIDENCE, model.device_per_h * devices * model.repair_h))


def outlook(
    model: FailureModel, devices: int, work_days: float, rng: np.random.Generator, *, draws: int = 400
) -> RunOutlook:
    """Return what failures do to a run that would take *work_days* without any.

    Parameters
    ----------
    model : FailureModel
        Rates and costs of interruptions.
    devices : int
        Of the job.
    work_days : float
        Days of useful steps, > 0.
    rng : Generator
        Of the failure process.
    draws : int
        Runs to draw.

    Raises
    ------
    InputError
        If a figure is out of range.
    InfeasibleError
        If failures come faster than a restart and a checkpoint take.
    """
    _positive(devices=devices, work_days=work_days)
    mttf_s = model.mttf_h(devices) * _HOUR_S
    if mttf_s < model.restart_s + model.checkpoint_s:
        message = (
            f"{devices:,} devices fail every {mttf_s / 60.0:.1f} min on average, less than a restart and a checkpoint "
            f"take ({(model.restart_s + model.checkpoint_s) / 60.0:.1f} min). Use fewer devices or a faster restart."
        )
        raise InfeasibleError(message, ["failures"])
    interval_s = best_interval_s(model.checkpoint_s, mttf_s)
    slow = straggler_frac(model, devices)
    frac = useful_frac(interval_s, model.checkpoint_s, model.restart_s, mttf_s) * (1.0 - slow)
    work_s = work_days * 86_400.0 / (1.0 - slow)
    if work_s / mttf_s > RUN_FAILURES:
        message = (
            f"{work_days:,.0f} days on {devices:,} devices mean {work_s / mttf_s:,.0f} failures, too many to draw. "
            "State the run's own --tokens or --samples, or use more devices."
        )
        raise InputError(message)
    wall = _walls(work_s, interval_s, model, mttf_s, rng, draws) / 86_400.0
    days = {"mean": float(wall.mean())}
    days |= {f"p{q}": float(np.percentile(wall, q)) for q in (5, 50, 95)}
    return RunOutlook(
        mttf_h=model.mttf_h(devices),
        interval_s=interval_s,
        goodput_frac=frac,
        straggler_frac=slow,
        spare_nodes=spare_nodes(model, devices),
        days=days,
        interruptions=work_days / frac * 86_400.0 / mttf_s,
    )


def _walls(
    work_s: float, interval_s: float, model: FailureModel, mttf_s: float, rng: np.random.Generator, draws: int
) -> npt.NDArray[np.float64]:
    """Draw wall times: work between failures counts up to the last checkpoint, a restart can fail too [s]."""
    left, wall = np.full(draws, work_s), np.zeros(draws)
    running = np.ones(draws, dtype=bool)
    cycle_s = interval_s + model.checkpoint_s
    cut_short_s = mttf_s - model.restart_s / math.expm1(model.restart_s / mttf_s)  # mean length of a failed restart
    while running.any():
        gap = rng.exponential(mttf_s, draws)
        needed = left + np.floor(left / interval_s) * model.checkpoint_s
        ends = running & (gap >= needed)
        wall = np.where(ends, wall + needed, wall)
        fails = running & ~ends
        saved_s = np.floor(gap / cycle_s) * interval_s
        left = np.where(fails, np.maximum(left - saved_s, 0.0), left)
        again = rng.geometric(math.exp(-model.restart_s / mttf_s), draws) - 1.0
        wall = np.where(fails, wall + gap + model.restart_s + again * cut_short_s, wall)
        running = fails
    return wall


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0.0 or not math.isfinite(value):
            message = f"{name} = {value}: must be above 0 and finite"
            raise InputError(message)

"""Predictions of measured interruptions, effective time and stragglers by the shipped failure model."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jevons.errors import FactError, InputError
from jevons.training import FailureModel, failure_model, goodput_frac, straggler_frac, training_factors
from jevons.units import HOURS_PER_MONTH
from jevons.validation.names import device_id
from jevons.validation.report import Entry

RELIABILITY_COLUMNS = ("system", "gpu", "n_gpus", "window", "metric", "value", "unit")
_FAULTS = (InputError, FactError)
_NUMBER = re.compile(r"^(?:~|about\s+)?(\d+(?:\.\d+)?)$")
_BOUND = re.compile(r"^([<>])\s*(\d+(?:\.\d+)?)$|^(\d+(?:\.\d+)?)\s*(\+)$")
_FROM_TO = re.compile(r"^(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)$")
_WINDOW = re.compile(r"\b(\d+(?:\.\d+)?)\s+(hour|day|week)s?\b")
_WINDOW_H = {"hour": 1.0, "day": 24.0, "week": 168.0}
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)\s?B\b")
_UNNAMED = re.compile(r"\bGPU servers\b.*\bnot named\b")
_WEIGHT_BYTES = 2.0
_TERA = 1e12


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a row states beside its figure."""

    row: dict[str, str]
    model: FailureModel

    def devices(self) -> int:
        """Return the devices of the job, of two the mean."""
        text = self.row["n_gpus"].strip()
        counts = [int(part) for part in text.split(" or ") if part.isdigit()]
        if not counts:
            message = "the row prints no number of devices" + (f": `{text}`" if text else "")
            raise InputError(message)
        return round(sum(counts) / len(counts))

    def window_h(self) -> float:
        """Return the hours observed."""
        window = _WINDOW.search(self.row["window"])
        if not window:
            message = "the row prints no length of the time observed"
            raise InputError(message)
        return float(window[1]) * _WINDOW_H[window[2]]

    def effective_frac(self) -> float:
        """Return the share of wall time in steps that last; slow steps are useful time too."""
        goodput = goodput_frac(self.model, self.devices())
        return goodput / (1.0 - straggler_frac(self.model, self.devices()))

    def uptime_frac(self) -> float:
        """Return the share of time between restarts."""
        if "manual" in self.row["system"].lower():
            message = "restarts by hand: their time is not printed"
            raise InputError(message)
        mttf_s = self.model.mttf_h(self.devices()) * 3600.0
        return mttf_s / (mttf_s + self.model.restart_s)

    def checkpoint_tb(self) -> float:
        """Return the size of weights and optimiser states."""
        size = _PARAMETERS.search(self.row["system"])
        if not size:
            message = "the row prints no number of parameters"
            raise InputError(message)
        return float(size[1]) * 1e9 * (_WEIGHT_BYTES + training_factors().memory.optimizer_bytes) / _TERA


def _hardware_per_h(stated: _Stated) -> float:
    return stated.model.device_per_h * stated.devices()


def _node_per_h(stated: _Stated) -> float:
    return stated.model.device_per_h * stated.model.node_devices


# Metric, unit, prediction; the first match wins.
_PREDICTED: tuple[tuple[str, str, Callable[[_Stated], float]], ...] = (
    (r"unexpected interruptions|restarts", "count", lambda s: s.model.per_h(s.devices()) * s.window_h()),
    (r"hardware failures\b.*", "count", lambda s: _hardware_per_h(s) * s.window_h()),
    (
        r"mean time between unexpected interruptions|job MTTF\b.*|job mean time to interrupt", "hours",
        lambda s: s.model.mttf_h(s.devices()),
    ),
    (
        r"share of unexpected interruptions from confirmed or suspected hardware", "percent",
        lambda s: 100.0 * _hardware_per_h(s) * s.model.mttf_h(s.devices()),
    ),
    (r"effective training time.*", "percent", lambda s: 100.0 * s.effective_frac()),
    (r"job uptime", "percent", lambda s: 100.0 * s.uptime_frac()),
    (r"machines going down", "machines per day", lambda s: 24.0 * _hardware_per_h(s)),
    (r"hardware failure rate", "GPU failures per week", lambda s: 168.0 * _hardware_per_h(s)),
    (r"node failure rate|node fault rate", r"(failures )?per 1000 node-days", lambda s: 24_000.0 * _node_per_h(s)),
    (r"single-node failure rate", "percent per node-day", lambda s: 2400.0 * _node_per_h(s)),
    (r"node faults", "count", lambda s: _hardware_per_h(s) * s.window_h()),
    (r"node fault rate", "per node-month", lambda s: HOURS_PER_MONTH * _node_per_h(s)),
    (r"mean time between node faults per node", "days", lambda s: 1.0 / (24.0 * _node_per_h(s))),
    (r"node unavailability", "percent", lambda s: 100.0 * _node_per_h(s) * s.model.repair_h),
    (r"outage duration mean", "hours", lambda s: s.model.repair_h),
    (r"recovery from checkpoint", "minutes", lambda s: s.model.restart_s / 60.0),
    (r"throughput loss from one slow node", ".*", lambda s: 100.0 * s.model.slow_loss_frac),
    (r"checkpoint size", "TB", lambda s: s.checkpoint_tb()),
)  # fmt: skip
_LEFT_OUT = (
    (r"unexpected interruptions: |share of unexpected interruptions from GPU", "causes are not told apart"),
    (r"node faults( per node-month)?: |outage duration (mean|median): ", "causes are not told apart"),
    (r"outage duration .*", "a repair has one length in the model: the mean"),
    (r"servers with at least one fault", "servers that fail again and again are not modelled"),
    (r"planned interruptions|job interruptions total|manual interventions|handled automatically|repaired automatically",
     "planned stops and interventions are not modelled"),
    (r"computational stragglers|blocking time", "an input of the failure model, taken from this figure"),
    (r"checkpoint save time|checkpoint state", "the bandwidth of the storage is not printed"),
    (r"failure interval", "the row prints no number of devices"),
)  # fmt: skip


def reliability_entries(path: Path, rows: tuple[dict[str, str], ...]) -> list[Entry]:
    """Return an entry for every row about failures; those that cannot be predicted carry the reason.

    Rates do not depend on the kind of accelerator, which must be known all the same: they were taken from devices of
    2020 and later. A printed bound is no figure to take an error of; its reason says whether the prediction keeps it.
    """
    model = failure_model()
    return [_entry(path, index, row, model) for index, row in enumerate(rows)]


def _entry(path: Path, index: int, row: dict[str, str], model: FailureModel) -> Entry:
    group = f"{row.get('source_title') or '–'} :: {row['system']}"
    entry = partial(Entry, file=path.name, row=index, metric=row["metric"], group=group, family=path.stem)
    measured = _measured(row)
    try:
        predicted = _predicted(row, model)
    except _FAULTS as error:
        return entry(measured=measured, reason=str(error))
    if measured is not None:
        return entry(measured=measured, predicted=predicted)
    return entry(measured=None, reason=_bound_reason(row, predicted))


def _predicted(row: dict[str, str], model: FailureModel) -> float:
    metric, unit = row["metric"].strip(), row["unit"].strip()
    for pattern, units, predict in _PREDICTED:
        if re.fullmatch(pattern, metric) and re.fullmatch(units, unit):
            if not _UNNAMED.search(row["gpu"]):
                device_id(row["gpu"])
            return predict(_Stated(row, model))
    for pattern, reason in _LEFT_OUT:
        if re.search(pattern, metric):
            raise InputError(reason)
    message = f"`{metric}` [{unit}] is nothing that the failure model gives"
    raise InputError(message)


def _measured(row: dict[str, str]) -> float | None:
    """Return the printed figure, of a fall from one level to another the loss in percent; None for bounds and text."""
    text = row["value"].strip()
    fall = _FROM_TO.match(text)
    if fall and "loss" in row["metric"]:
        return 100.0 * (1.0 - float(fall[2]) / float(fall[1]))
    stated = _NUMBER.match(text)
    return float(stated[1]) if stated and float(stated[1]) > 0.0 else None


def _bound_reason(row: dict[str, str], predicted: float) -> str:
    text, unit = row["value"].strip(), row["unit"].strip()
    bound = _BOUND.match(text)
    if not bound:
        return f"`{text}` is not one figure; {predicted:.3g} {unit} predicted"
    limit = float(bound[2] or bound[3])
    holds = predicted < limit if bound[1] == "<" else predicted > limit
    return f"`{text}` {unit} is a bound, which the prediction of {predicted:.3g} {'keeps' if holds else 'breaks'}"

"""Faults of an expansion problem, all of them at once."""

from __future__ import annotations

import numpy as np

from jevons.errors import Fault, InputError
from jevons.expansion.types import ExpansionProblem

# Field: axes, least, most, and whether infinity is meant (no limit, cannot serve).
_FIELDS: dict[str, tuple[str, float, float, bool]] = {
    "slot_h_per_d": ("k", 1e-9, 24.0, False),
    "block_value_cur_per_call": ("stb", 0.0, np.inf, False),
    "block_calls_per_d": ("stb", 0.0, np.inf, False),
    "further_value_cur_per_call": ("stf", 0.0, np.inf, False),
    "further_calls_per_d": ("stf", 0.0, np.inf, False),
    "slot_share_frac": ("sk", 0.0, 1.0, False),
    "deferrable_frac": ("s", 0.0, 1.0, False),
    "device_s_per_call": ("svt", 1e-30, np.inf, True),
    "utilisation_cap_frac": ("s", 1e-9, 1.0, False),
    "availability_frac": ("", 1e-9, 1.0, False),
    "capex_cur_per_device": ("vt", 0.0, np.inf, False),
    "device_w": ("v", 0.0, np.inf, False),
    "site_capex_cur_per_w": ("rt", 0.0, np.inf, False),
    "energy_cur_per_device_h": ("vrt", 0.0, np.inf, False),
    "fixed_cur_per_device_quarter": ("vt", 0.0, np.inf, False),
    "budget_cur": ("t", 0.0, np.inf, False),
    "supply_devices": ("vt", 0.0, np.inf, True),
    "lead_quarters": ("v", 0.0, np.inf, False),
    "life_quarters": ("v", 1.0, np.inf, False),
    "initial_devices": ("vr", 0.0, np.inf, False),
    "initial_age_quarters": ("v", 0.0, np.inf, False),
    "initial_site_w": ("r", 0.0, np.inf, False),
    "site_limit_w": ("rt", 0.0, np.inf, True),
    "site_build_w_per_quarter": ("r", 0.0, np.inf, True),
    "training_flop_per_s": ("t", 0.0, np.inf, False),
    "device_flop_per_s": ("v", 0.0, np.inf, False),
    "discount": ("t", 1e-30, np.inf, False),
    "terminal_cur_per_device": ("vt", 0.0, np.inf, False),
    "site_terminal_cur_per_w": ("rt", 0.0, np.inf, False),
    "site_block_w": ("r", 0.0, np.inf, False),
    "cluster_devices": ("", 0.0, np.inf, False),
    "cluster_cur_per_quarter": ("t", 0.0, np.inf, False),
    "tail_quarters": ("", 0.0, 400.0, False),
    "step_quarters": ("", 1e-9, 400.0, False),
    "order_spread_frac": ("", 0.0, 1.0, False),
    "initial_terminal_cur_per_device": ("v", 0.0, np.inf, False),
    "arriving_devices": ("vrt", 0.0, np.inf, False),
    "arriving_terminal_cur_per_device": ("vt", 0.0, np.inf, False),
    "committed_devices": ("vt", 0.0, np.inf, False),
}
_AXES = {"t": "quarters", "s": "segments", "v": "devices", "r": "sites", "k": "slots"}
_WHOLE = ("lead_quarters", "life_quarters", "initial_age_quarters", "tail_quarters")


def check_problem(problem: ExpansionProblem) -> None:
    """Raise `InputError` with every fault of shape, sign and range, in the order of the fields."""
    faults: list[Fault] = []
    labels = {axis: problem.field(name) for axis, name in _AXES.items()}
    for axis, names in labels.items():
        if not names:
            faults.append(Fault(message="needs at least one label", path=_AXES[axis]))
        elif len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            faults.append(Fault(message=f"labels must differ; twice: {', '.join(twice)}", path=_AXES[axis]))
    sizes = {axis: len(names) for axis, names in labels.items()}
    values = np.asarray(problem.demand.block_value_cur_per_call)
    sizes["b"] = values.shape[-1] if values.ndim == 3 else -1
    further = problem.demand.further_value_cur_per_call
    sizes["f"] = -1 if further is None or np.ndim(further) != 3 else np.shape(further)[-1]
    if (further is None) != (problem.demand.further_calls_per_d is None):
        message = "give `further_value_cur_per_call` and `further_calls_per_d` both, or neither"
        faults.append(Fault(message=message, path="further_calls_per_d"))
    for name in _FIELDS:
        if problem.field(name) is not None:
            faults += _field_faults(problem, name, sizes, labels)
    if not faults:
        faults = _joint_faults(problem)
    if faults:
        raise InputError(faults)


def _field_faults(
    problem: ExpansionProblem, name: str, sizes: dict[str, int], labels: dict[str, tuple[str, ...]]
) -> list[Fault]:
    axes, least, most, infinite = _FIELDS[name]
    array = np.asarray(problem.field(name), float)
    want = tuple(sizes[axis] for axis in axes)
    if array.shape != want and -1 not in want:
        return [Fault(message=f"shape {array.shape}: must be {want} ({', '.join(axes)})", path=name)]
    if -1 in want and array.ndim != len(want):
        return [Fault(message=f"{array.ndim} axes: must have {len(want)} ({', '.join(axes)})", path=name)]
    bad = np.isnan(array) | (array < least) | (array > most)
    if not infinite:
        bad |= np.isinf(array)
    if name in _WHOLE:
        bad |= array != np.round(array)
    if not bad.any():
        return []
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    place = ", ".join(labels[a][i] if a in labels else str(i) for a, i in zip(axes, first, strict=True))
    kind = "a whole number" if name in _WHOLE else "a number" if infinite else "a finite number"
    span = f">= {least:g}" if np.isinf(most) else f"in {least:g}..{most:g}"
    count = int(bad.sum())
    more = f" (and {count - 1} more)" if count > 1 else ""
    where = f"{name}[{place}]" if place else name
    return [Fault(message=f"{array[first]:g}: must be {kind} {span}{more}", path=where)]


def _joint_faults(problem: ExpansionProblem) -> list[Fault]:
    """Return faults that show only where several fields meet."""
    faults = []
    day_h = float(problem.demand.slot_h_per_d.sum())
    if abs(day_h - 24.0) > 1e-6:
        faults.append(Fault(message=f"sums to {day_h:g} h: must be 24", path="slot_h_per_d"))
    rows = problem.demand.slot_share_frac.sum(axis=1)
    for segment, total in zip(problem.segments, rows, strict=True):
        if abs(total - 1.0) > 1e-6:
            faults.append(Fault(message=f"sums to {total:g} over slots: must be 1", path=f"slot_share_frac[{segment}]"))
    values = problem.demand.block_value_cur_per_call
    rise = np.argwhere(np.diff(values, axis=2) > 1e-9 * np.abs(values[:, :, :-1]))
    if rise.size:
        s, t, b = (int(i) for i in rise[0])
        message = f"rises from {values[s, t, b]:g} to {values[s, t, b + 1]:g}: must not rise along blocks"
        place = f"block_value_cur_per_call[{problem.segments[s]}, {problem.quarters[t]}, {b + 1}]"
        faults.append(Fault(message=message, path=place))
    training, supply = problem.training, problem.supply
    if training.cluster_devices > 0 and training.cluster_cur_per_quarter is None:
        message = f"{training.cluster_devices:g} devices without a worth: give `cluster_cur_per_quarter`, or no cluster"
        faults.append(Fault(message=message, path="cluster_devices"))
    if supply.committed_devices is not None:
        short = supply.committed_devices - supply.supply_devices > 1e-9 * supply.committed_devices
        for v, t in np.argwhere(short)[:1].tolist():
            message = (
                f"{supply.committed_devices[v, t]:,.6g} devices are committed and {supply.supply_devices[v, t]:,.6g} "
                "can be supplied: lower the commitment or raise the supply"
            )
            faults.append(
                Fault(message=message, path=f"committed_devices[{problem.devices[v]}, {problem.quarters[t]}]")
            )
    for r, site in enumerate(problem.sites):
        least = float(problem.power.site_limit_w[r].min())
        if least < problem.opening.initial_site_w[r] * (1 - 1e-12):
            message = f"{least:g} W is below the {problem.opening.initial_site_w[r]:g} W the site has: raise it"
            faults.append(Fault(message=message, path=f"site_limit_w[{site}]"))
    return faults

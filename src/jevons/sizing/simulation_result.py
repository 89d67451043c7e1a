"""What a simulation reports."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jevons.sizing.load import Offered
from jevons.sizing.options import Simulation

if TYPE_CHECKING:
    import polars as pl

    from jevons.serving import Deployment
    from jevons.serving.sim import SimLimits, SimResult, SplitResult
    from jevons.sizing.hour_price import HourPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One simulation, and what it was of."""

    offered: Offered
    deployment: Deployment
    replicas: int
    limits: SimLimits
    found: SimResult
    prompts: Deployment | None = None
    prompt_replicas: int = 0
    split: SplitResult | None = None

    @property
    def copies(self) -> int:
        """Replicas, those for prompts included."""
        return self.replicas + self.prompt_replicas

    @property
    def accelerators(self) -> int:
        """Accelerators of all replicas."""
        prompts = 0 if self.prompts is None else self.prompts.devices * self.prompt_replicas
        return self.deployment.devices * self.replicas + prompts

    @property
    def words(self) -> str:
        """What the load ran on."""
        own = f"{self.replicas} x {self.deployment}"
        return own if self.prompts is None else f"{self.prompt_replicas} x {self.prompts} for prompts and {own}"


def run_record(options: Simulation, run: Run, price: HourPrice | None) -> dict[str, Any]:
    """Return the documented JSON object."""
    from jevons.facts import default_facts
    from jevons.serving import sim

    deployment, replicas, limits, found = run.deployment, run.replicas, run.limits, run.found
    load, entry_s = run.offered.requests, run.deployment.engine.entry_s
    plain = {f.name: getattr(found, f.name) for f in dataclasses.fields(found) if f.name != "trail"}
    spreads = {
        name: None if plain[name] is None else dataclasses.asdict(plain[name])
        for name in ("ttft_s", "tpot_s", "itl_s", "e2e_s")
    }
    accelerators = run.accelerators
    per_request = found.output_tok_per_s / found.req_per_s if found.req_per_s > 0 else 0.0
    tokens_per_s = found.req_per_s * (float(load.isl.mean()) + per_request)
    hourly = None if price is None else price.amount * accelerators / 3600 * 1e6
    idle_frac = default_facts().get("own_machine.idle_power_frac").number
    drawn_j = sum(
        sim.energy_j(
            dataclasses.replace(found, utilisation_frac=busy), d.devices * d.accelerator.server_w, idle_frac, n
        )
        for d, n, busy in _pools(run)
    )
    made = tokens_per_s * (found.window_s[1] - found.window_s[0])
    return {
        "model": deployment.model.name, "gpu": deployment.accelerator.id, "precision": deployment.precision,
        "engine": deployment.engine.name, "tp": deployment.layout.tp, "replicas": replicas,
        "prefill": _prefill_record(run), "accelerators": accelerators,
        "routing": options.routing, "load": load.origin, "seed": options.seed,
        "mean_isl": float(load.isl.mean()), "mean_osl": float(load.osl.mean()),
        "limits": dataclasses.asdict(limits),
        **plain, **spreads,
        "slo": {"ttft_s": options.ttft, "tpot_s": options.tpot, "e2e_s": options.e2e},
        "window_s": list(found.window_s),
        "stable": found.overload_frac is None,
        "output_tok_per_s_per_gpu": found.output_tok_per_s / accelerators,
        "cost_per_mtok": hourly / tokens_per_s if hourly is not None and tokens_per_s > 0 else None,
        "cost_per_output_mtok":
            hourly / found.output_tok_per_s if hourly is not None and found.output_tok_per_s > 0 else None,
        "currency": None if price is None else price.currency,
        "gpu_hour": None if price is None else {"amount": price.amount, "origin": price.origin},
        "energy_kwh": drawn_j / 3.6e6,
        "energy_kwh_per_mtok": drawn_j / 3.6e6 / made * 1e6 if made > 0 else None,
        "edges": {"warm_up_s": found.window_s[0], "drain_s": found.end_s - found.window_s[1]},
        "classes": [] if run.offered.mix is None
            else [dataclasses.asdict(one) for one in sim.by_class(run.offered.mix, found, entry_s)],
        "series": sim.time_series(load, found, limits, replicas=run.copies, entry_s=entry_s).to_json(),
        "simulated_req_per_s": found.served / found.wall_s if found.wall_s > 0 else None,
    }  # fmt: skip


def _pools(run: Run) -> list[tuple[Deployment, int, float]]:
    """Return deployment, replicas and utilisation of each pool."""
    if run.prompts is None or run.split is None:
        return [(run.deployment, run.replicas, run.found.utilisation_frac)]
    return [
        (run.prompts, run.prompt_replicas, run.split.prefill.utilisation_frac),
        (run.deployment, run.replicas, run.split.decode.utilisation_frac),
    ]


def _prefill_record(run: Run) -> dict[str, Any] | None:
    """Return the pool for prompts, where there is one."""
    if run.prompts is None or run.split is None:
        return None
    moved = run.split.hand_over_s
    return {
        "tp": run.prompts.layout.tp, "replicas": run.prompt_replicas,
        "utilisation_frac": run.split.prefill.utilisation_frac,
        "decode_utilisation_frac": run.split.decode.utilisation_frac,
        "hand_over_s": None if moved is None else dataclasses.asdict(moved),
    }  # fmt: skip


def _classes(offered: Offered) -> dict[str, Any]:
    """Return the columns of class and conversation, where there are any."""
    if offered.mix is None:
        return {}
    names = [one.name for one in offered.mix.classes]
    return {"class": [names[number] for number in offered.mix.of_class], "session": offered.mix.session}


def run_frame(run: Run) -> pl.DataFrame:
    """Return one row for each request: when it arrived, was admitted, began and ended, and where it ran."""
    import numpy as np
    import polars as pl

    load, found, entry_s = run.offered.requests, run.found, run.deployment.engine.entry_s
    trail = found.trail
    ticks = {"arrival_s": trail.arrival, "admitted_s": trail.admitted, "first_s": trail.first, "finish_s": trail.finish}
    times = {name: np.where(values >= 0, values / 1e12, math.nan) for name, values in ticks.items()}
    times["arrival_s"] = times["arrival_s"] - entry_s
    return pl.DataFrame(
        {
            "request": np.arange(load.count), **times, "isl": load.isl, "osl": load.osl,
            "ttft_s": times["first_s"] - times["arrival_s"], "e2e_s": times["finish_s"] - times["arrival_s"],
            "preempted": trail.preempted, "replica": trail.replica,
        }
        | _classes(run.offered)
    ).with_columns(pl.selectors.float().fill_nan(None))  # fmt: skip

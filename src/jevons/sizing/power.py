"""What accelerators of a simulation or an operating point draw, and the share of full load that their hour pays for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jevons.serving.energy import Flow, activity_of, mean_power_w, power_model, power_w

if TYPE_CHECKING:
    from jevons.serving import Deployment, StaticPoint, Workload
    from jevons.serving.sim import SimResult


@dataclass(frozen=True, slots=True)
class ReplicaPower:
    """Power of one replica, its accelerators' parts of the servers included [W]."""

    busy_w: float
    idle_w: float

    def mean_w(self, busy_frac: float) -> float:
        """Return the mean power at a share of time with a step running [W]."""
        return self.idle_w + (self.busy_w - self.idle_w) * busy_frac


def replica_power(deployment: Deployment, flow: Flow) -> ReplicaPower:
    """Return the power of a replica with such a flow of tokens while it works, and without work."""
    device, activity = deployment.accelerator, activity_of(deployment, flow)
    busy, idle = (mean_power_w(device, activity, frac) for frac in (1.0, 0.0))
    return ReplicaPower(deployment.devices * busy, deployment.devices * idle)


def simulated_flow(result: SimResult, replicas: int, busy_frac: float, isl: float, *, pool: str = "") -> Flow:
    """Return the flow of tokens through one replica of a simulation while a step runs.

    Parameters
    ----------
    result : SimResult
        The simulation, of all pools together.
    replicas : int
        Of the pool.
    busy_frac : float
        Share of time in which a step of it runs.
    isl : float
        Mean prompt tokens.
    pool : str
        ``prefill`` or ``decode`` where these are apart.
    """
    per = max(replicas * busy_frac, 1e-9)
    osl = result.throughput.output_tok_per_s / result.throughput.req_per_s if result.throughput.req_per_s > 0 else 0.0
    known = result.work.prefill_tokens + result.work.hit_tokens
    new_frac = result.work.prefill_tokens / known if known > 0 else 1.0
    return Flow(
        batch=0.0 if pool == "prefill" else result.occupancy.mean_batch,
        context=isl + osl / 2.0,
        output_tok_per_s=0.0 if pool == "prefill" else result.throughput.output_tok_per_s / per,
        prompt_tok_per_s=0.0 if pool == "decode" else result.throughput.req_per_s * isl * new_frac / per,
        prompt_context=isl / 2.0,
    )


def point_load_frac(deployment: Deployment, workload: Workload, point: StaticPoint, busy_frac: float) -> float:
    """Return the mean power at an operating point over that at full load, busy that share of the time."""
    device = deployment.accelerator
    output = point.tok_per_s_per_device * deployment.devices
    flow = Flow(
        batch=point.batch, context=workload.decode_context, output_tok_per_s=output,
        prompt_tok_per_s=output / workload.osl * workload.new_tokens, prompt_context=workload.isl / 2.0,
    )  # fmt: skip
    return min(mean_power_w(device, activity_of(deployment, flow), busy_frac) / device.server_w, 1.0)


def energy_ratios(deployment: Deployment, flow: Flow) -> tuple[float, float]:
    """Return the 80 % interval of energy per token over its prediction; the server's part is taken as sure."""
    model, device = power_model(), deployment.accelerator
    own_w = power_w(device, activity_of(deployment, flow), model)
    own = own_w / (own_w + max(device.server_w - device.tdp_w, 0.0))
    return 1.0 + own * (model.low_ratio - 1.0), 1.0 + own * (model.high_ratio - 1.0)

"""Power of accelerators by what they do: at rest, moving bytes and computing; and energy per token from it."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from jevons.facts import default_facts
from jevons.hardware import Accelerator
from jevons.models import LayerGroup
from jevons.models.formulas import expert_parameters, flop_per_token, layer_gemms
from jevons.operators.kernels import active_experts
from jevons.operators.types import kv_bytes_of, storage_of
from jevons.serving.precisions import multiplied_in, stored_bytes, weight_precision
from jevons.serving.step_layers import computes_buffers
from jevons.serving.types import Deployment

_STATE_BYTES = 8.0  # a recurrent state is read and written, in 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Tokens through one instance while it works.

    Parameters
    ----------
    batch : float
        Requests that decode at once, >= 0.
    context : float
        Mean tokens that each of them has in the cache.
    output_tok_per_s, prompt_tok_per_s : float
        Tokens made, and prompt tokens computed, per second [tokens/s].
    prompt_context : float
        Mean tokens of a prompt computed before one of its tokens.
    """

    batch: float
    context: float
    output_tok_per_s: float
    prompt_tok_per_s: float = 0.0
    prompt_context: float = 0.0


@dataclass(frozen=True, slots=True)
class Activity:
    """What a device does with its memory and its arithmetic.

    Parameters
    ----------
    memory_frac, compute_frac : float
        Bytes moved over the memory's bandwidth, and work over the dense peak of the precision, in [0, 1].
    empty_frac : float
        Work on rows of buffers that hold no token, over the same peak, in [0, 1].
    """

    memory_frac: float
    compute_frac: float
    empty_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerModel:
    """Power of a device as shares of its limit; facts ``power.…``.

    Parameters
    ----------
    idle_frac, waiting_frac, most_frac : float
        Without work, between the steps of requests that wait for the host, and what ever more load comes near.
    memory_load, compute_load : float
        What full memory bandwidth adds to the load, and what the full peak adds; work counts by its square root.
    empty_weight : float
        Work on a row of a buffer that holds no token, over that on a filled one: its operands hardly change.
    low_ratio, high_ratio : float
        80 % interval of energy per token, over its prediction.
    power_low_ratio, power_high_ratio : float
        That of power at a predicted rate.
    rated_low_ratio, rated_high_ratio : float
        That of power at a measured rate.
    """

    idle_frac: float
    waiting_frac: float
    most_frac: float
    memory_load: float
    compute_load: float
    empty_weight: float
    low_ratio: float
    high_ratio: float
    power_low_ratio: float
    power_high_ratio: float
    rated_low_ratio: float
    rated_high_ratio: float


def power_model(on: dt.date | None = None) -> PowerModel:
    """Return the shipped model of power, as public on a date."""
    facts = default_facts()
    names = PowerModel.__dataclass_fields__
    return PowerModel(**{name: facts.get(f"power.{name}", on).number for name in names})


def power_w(
    device: Accelerator, activity: Activity, model: PowerModel | None = None, *, step_frac: float = 1.0
) -> float:
    """Return the mean power of a device while it has requests [W].

    Parameters
    ----------
    device : Accelerator
        Its limit `tdp_w` scales all parts.
    activity : Activity
        What it does.
    model : PowerModel, optional
        The shipped one by default.
    step_frac : float
        Share of the time in which a step runs, in (0, 1]; in the rest the device waits for its host, as with images.

    Notes
    -----
    ``tdp (idle + (most - idle) (1 - exp(-load)))`` with ``load = memory m + compute sqrt(c + empty e)``. The nearer a
    device is to its limit, the more its clock gives way, and the less each further load adds. The root stands for units
    that switch whether or not a tile is full. A device that waits keeps its clock, and draws `waiting_frac`. Leaves out
    the host.
    """
    model = model or power_model()
    work = activity.compute_frac + model.empty_weight * activity.empty_frac
    load = model.memory_load * activity.memory_frac + model.compute_load * work**0.5
    share = model.most_frac - (model.most_frac - model.idle_frac) * math.exp(-load)
    return float(device.tdp_w * (model.waiting_frac + (share - model.waiting_frac) * step_frac))


def mean_power_w(device: Accelerator, activity: Activity, busy_frac: float, model: PowerModel | None = None) -> float:
    """Return the mean power of a device that works a share of the time, its part of the server included [W].

    Notes
    -----
    The server's part, `server_w` less `tdp_w`, counts in full: fans and processors hardly follow the load.
    """
    model = model or power_model()
    idle_w = device.tdp_w * model.idle_frac
    own_w = idle_w + (power_w(device, activity, model) - idle_w) * min(max(busy_frac, 0.0), 1.0)
    return own_w + max(device.server_w - device.tdp_w, 0.0)


def activity_of(deployment: Deployment, flow: Flow) -> Activity:
    """Return what each device of an instance does at a flow of tokens.

    Notes
    -----
    A decode step reads the weights once, experts as far as its tokens reach them, and the cache of every request.
    Prompts ride along: their work counts, the weights read for them do not. Matrix units compute whole tiles, so that
    few rows take the power of more (`_padding_flop`); engines that compute their experts' whole buffers have empty rows
    as well (`_empty_flop`). Leaves out activations and collectives.
    """
    device, devices = deployment.accelerator, deployment.devices
    steps_per_s = flow.output_tok_per_s / flow.batch if flow.batch > 0 else 0.0
    moved = steps_per_s * step_bytes(deployment, flow.batch, flow.context)
    work = flow.output_tok_per_s * flop_per_token(deployment.model, int(flow.context))
    work += flow.prompt_tok_per_s * flop_per_token(deployment.model, int(flow.prompt_context))
    empty = 0.0
    if steps_per_s > 0.0:
        rows = (flow.output_tok_per_s + flow.prompt_tok_per_s) / steps_per_s
        work += steps_per_s * _padding_flop(deployment, rows)
        empty = steps_per_s * _empty_flop(deployment, rows, flow.prompt_tok_per_s / steps_per_s)
    peak_flop_per_s = devices * _peak_flop_per_s(deployment)
    return Activity(
        min(moved / devices / device.hbm_bytes_per_s, 1.0),
        min(work / peak_flop_per_s, 1.0),
        min(empty / peak_flop_per_s, 1.0),
    )


def _padding_flop(deployment: Deployment, rows: float) -> float:
    """Return what a step of so many tokens computes on rows that only fill tiles [FLOP].

    Notes
    -----
    Products with weights have at least the 16 rows of a matrix instruction. An expert's rows are rounded up to tiles of
    as many; with 8-bit weights that are scaled by blocks, to the 128 to which the grouped kernel aligns each expert.

    References
    ----------
    DeepGEMM's contiguous layout, as vLLM and SGLang call it.
    """
    tile_rows, block_rows = (default_facts().get(f"power.{name}").number for name in ("tile_rows", "block_rows"))
    spec, idle_rows = deployment.model, max(tile_rows - rows, 0.0)
    tile = block_rows if weight_precision(deployment).experts == "fp8_block" else tile_rows
    work = 0.0
    for group in spec.layers:
        work += group.count * idle_rows * 2.0 * sum(gemm.n * gemm.k for gemm in layer_gemms(group, spec.hidden))
        block = group.feed_forward
        if block.kind == "moe" and not computes_buffers(deployment, block):
            reached = float(active_experts(max(rows, 1.0), block.experts, block.experts_per_token))
            each = rows * block.experts_per_token / reached
            padded = tile * max(each / tile + 0.5, 1.0)
            work += group.count * reached * max(padded - each, 0.0) * 2.0 * expert_parameters(block, spec.hidden)
    return work


def _empty_flop(deployment: Deployment, rows: float, prompt_rows: float) -> float:
    """Return what a step of so many tokens computes on rows of its experts' buffers that hold no token [FLOP].

    Each rank's buffer has room for every token's slots, and for each of its experts what rounding up may add. Where
    attention ranks are padded to the busiest, a prompt on one of them is as many tokens on each.
    """
    spec, block_rows, work = deployment.model, deployment.engine.kernels.padded_expert_rows, 0.0
    layout, taken = deployment.layout, rows
    if layout.dp_attention and deployment.engine.kernels.pads_ranks:
        taken += (layout.dp - 1.0) * prompt_rows
    for group in spec.layers:
        block = group.feed_forward
        if block.kind == "moe" and computes_buffers(deployment, block):
            slots = (layout.ep * taken - rows) * block.experts_per_token
            empty = slots + block.experts * (block_rows - 1.0)
            work += group.count * empty * 2.0 * expert_parameters(block, spec.hidden)
    return work


def step_bytes(deployment: Deployment, batch: float, context: float) -> float:
    """Return what one decode step of an instance reads from memory: weights and cache [bytes]."""
    spec = deployment.model
    tokens = batch * (1.0 + deployment.draft_tokens)
    total = sum(group.count * _layer_bytes(deployment, group, batch, tokens, context) for group in spec.layers)
    head = spec.vocab * spec.hidden * stored_bytes(weight_precision(deployment).embeddings)
    return float(total + head)


def _layer_bytes(deployment: Deployment, group: LayerGroup, batch: float, tokens: float, context: float) -> float:
    stored, hidden, a, block = (
        weight_precision(deployment),
        deployment.model.hidden,
        group.attention,
        group.feed_forward,
    )
    read = sum(g.n * g.k * stored_bytes(getattr(stored, g.precision_class)) for g in layer_gemms(group, hidden))
    if block.kind == "moe":
        reached = float(active_experts(tokens, block.experts, block.experts_per_token))
        read += reached * expert_parameters(block, hidden) * stored_bytes(stored.experts)
    window = deployment.window_of(a)
    seen = min(context, window) if window else context
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    return read + batch * (seen * a.cached_elements_per_token * element_bytes + a.mixer.state_elements * _STATE_BYTES)


def _peak_flop_per_s(deployment: Deployment) -> float:
    stored, peaks = weight_precision(deployment), deployment.accelerator.peak_flop_per_s
    experts = any(group.feed_forward.kind == "moe" for group in deployment.model.layers)
    name = multiplied_in(deployment, stored.experts if experts else stored.dense, experts=experts)
    return peaks.get(storage_of(name)[1].peak) or peaks["bf16"]

"""What training software adds to the operators' times, from facts."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from jevons.facts import Facts, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware import Accelerator, accelerator
from jevons.parts import Grouped, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFactors(Part):
    """Rates of kernels in a training run over those that the operators' times state.

    Parameters
    ----------
    sustained_frac : float
        Rate of matrix products in a run of hours over that of a lone product on H100; clocks fall under lasting load.
    power_exponent : float
        How that rate falls with the peak per watt of a generation's reference board, over H100's.
    board_exponent : float
        How it falls with a device's peak per watt, over that of its generation's reference board.
    cap_exponent : float
        How it falls with a power limit below the device's own, over that limit.
    older_frac : float
        Rate of products in the libraries of software that hides no communication, over that of later ones.
    narrow_frac : float
        Rate of products in 8 bits and fewer over the operator's, which quantises each input for itself.
    attention_frac, eager_attention_frac : float
        Rate of training attention over the prefill kernels'; the second for kernels of the generation before.
    flash2_on_hopper_frac : float
        Rate of FlashAttention-2 on Hopper and later over that of FlashAttention-3.
    tpu_attention_gain : float
        Rate of training attention on TPUs, whose splash kernel is not the paged one of inference, over the latter's.
    tpu_attention_block : float
        Keys in a block of that kernel, which computes whole blocks of a window.
    newton_schulz_steps, newton_schulz_frac : float
        Steps of the iteration by which Muon orthogonalises an update; share of the peak that their products reach.
    """

    sustained_frac: float
    power_exponent: float
    board_exponent: float
    cap_exponent: float
    older_frac: float
    narrow_frac: float
    attention_frac: float
    eager_attention_frac: float
    flash2_on_hopper_frac: float
    tpu_attention_gain: float
    tpu_attention_block: float
    newton_schulz_steps: float
    newton_schulz_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFactors(Part):
    """Memory traffic of steps between products, over the least.

    Parameters
    ----------
    elementwise, eager_elementwise : float
        Of norms, activations and residuals, where kernels are fused and where not.
    casts : float
        Passes over the inputs of products to bring them to 8 bits and fewer, over one.
    permute : float
        Passes over routed tokens to sort them to experts and back, over two each way.
    score_passes : float
        Passes over the scores of unfused attention between its two products.
    eager_norm_elements, eager_norm_backward_elements, eager_rotation_elements : float
        Elements of 16 bits that a layer's norms, forward and backward, and its rotation move for each of their width
        where each step of a formula is a kernel.
    state_tokens : float
        Tokens after which linear attention reads and writes its recurrent state once.
    loss_bytes, older_loss_bytes : float
        Bytes moved for each logit by the loss, both ways; the second where each of its steps is a kernel.
    """

    elementwise: float
    eager_elementwise: float
    casts: float
    permute: float
    score_passes: float
    eager_norm_elements: float
    eager_norm_backward_elements: float
    eager_rotation_elements: float
    state_tokens: float
    loss_bytes: float
    older_loss_bytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFactors(Part):
    """Times in which a device waits for its host.

    Parameters
    ----------
    layer_overhead_s, older_layer_overhead_s : float
        Host time per layer and pass; what the device's work does not cover is a gap. The second for software of 2019
        to 2022, which launches each step of a formula from Python.
    older_rank_s : float
        What each further tensor-parallel device adds to ``older_layer_overhead_s``: the slowest host sets the pace.
    expert_sync_s : float
        Gap per layer of routed experts and pass, in which the host learns how many rows each expert has.
    step_overhead_s : float
        Data loading, logging and synchronisation per step.
    """

    layer_overhead_s: float
    older_layer_overhead_s: float
    older_rank_s: float
    expert_sync_s: float
    step_overhead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeFactors(Part):
    """What devices exchange: how much of it hides behind computation, and how unevenly experts receive it.

    Parameters
    ----------
    tp_overlap_frac, ep_overlap_frac, cp_overlap_frac, pp_overlap_frac, dp_overlap_frac : float
        Share of each kind of communication that hides behind computation where there is enough of it.
    far_ep_overlap_frac : float
        As ``ep_overlap_frac``, where experts lie in several scale-up domains.
    gather_overlap_frac : float
        As ``dp_overlap_frac``, where replicas share weights out and gather a layer's while the one before it works.
    comm_cores : float
        Cores of a device that collectives hold while they hide behind computation.
    expert_imbalance : float
        Tokens on the busiest expert device over the mean, >= 1.
    """

    tp_overlap_frac: float
    ep_overlap_frac: float
    far_ep_overlap_frac: float
    cp_overlap_frac: float
    pp_overlap_frac: float
    dp_overlap_frac: float
    gather_overlap_frac: float
    comm_cores: float
    expert_imbalance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFactors(Part):
    """What a device's memory holds beyond weights and the activations that a formula counts.

    Parameters
    ----------
    reserved_bytes, alone_reserved_bytes : float
        Runtime context and communication buffers per device; the context of a device that works alone.
    fragmentation_frac : float
        Share of activation memory lost to the allocator.
    gradient_bytes, optimizer_bytes : float
        Bytes per parameter of gradients, and of optimiser states with the master weights.
    logit_bytes : float
        Bytes of each logit at the peak of the last stage.
    eager_gradient_bytes, eager_optimizer_bytes, eager_logit_bytes, eager_activation_frac : float
        As above, and activations over those of fused kernels, where software keeps copies and upcasts as PyTorch does.
    deepspeed_bucket, deepspeed_live : float
        Gradients in one of DeepSpeed's two buckets; weights that it keeps gathered for layers to come.
    """

    reserved_bytes: float
    alone_reserved_bytes: float
    fragmentation_frac: float
    gradient_bytes: float
    optimizer_bytes: float
    logit_bytes: float
    eager_gradient_bytes: float
    eager_optimizer_bytes: float
    eager_logit_bytes: float
    eager_activation_frac: float
    deepspeed_bucket: float
    deepspeed_live: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFactors(Grouped):
    """What the training software adds to the operators' times; each factor is the fact ``training.NAME``.

    Parameters
    ----------
    kernels : KernelFactors
        Rates of products and of attention.
    traffic : TrafficFactors
        Memory traffic between products.
    host : HostFactors
        Waits for the host.
    exchange : ExchangeFactors
        Communication.
    memory : MemoryFactors
        Memory per device.
    """

    kernels: KernelFactors
    traffic: TrafficFactors
    host: HostFactors
    exchange: ExchangeFactors
    memory: MemoryFactors


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedLaunch:
    """What software adds that launches each kernel and collective from a script, one after the other.

    Parameters
    ----------
    layer_s : float
        Least time of a layer's pass [s].
    rank_s : float
        Least time of a layer's pass for each tensor-parallel rank [s]: collectives go around a ring.
    pass_s : float
        Of each micro-batch on each stage [s].
    replica_s : float
        Of the exchange of gradients, for each replica [s].
    far_frac : float
        Rate of tensor parallelism between scale-up domains over that of the collectives alone.
    hand_over_s : float
        Wait of each hand-over between stages [s].
    """

    layer_s: float
    rank_s: float
    pass_s: float
    replica_s: float
    far_frac: float
    hand_over_s: float = 0.0


def training_factors(facts: Facts | None = None, on: dt.date | None = None) -> TrainingFactors:
    """Return what training software adds to the operators' times, as shipped or as of a date."""
    facts = facts or default_facts()
    return TrainingFactors.of(**{name: facts.get(f"training.{name}", on).number for name in TrainingFactors.names()})


@per_facts()
def default_training_factors() -> TrainingFactors:
    """Return the shipped factors, read once."""
    return training_factors()


@per_facts()
def scripted_launch() -> ScriptedLaunch:
    """Return what software adds that launches everything from a script, hand-overs with their wait."""
    facts = default_facts()
    names = [field.name for field in dataclasses.fields(ScriptedLaunch)]
    return ScriptedLaunch(**{name: facts.get(f"training_scripted.{name}").number for name in names})


@per_facts()
def reference_flop_per_j() -> dict[str, float]:
    """Return the dense bf16 peak per watt of each generation's reference board [FLOP/J], by generation.

    Boards of a generation share a process and a design, so that they differ by the power that they may draw. A
    generation without a reference board is its own.
    """
    boards = default_facts().get("training.reference_boards").value
    devices = [accelerator(name.strip()) for name in str(boards).split(";")]
    return {device.generation: device.peak_flop_per_s["bf16"] / device.tdp_w for device in devices}


@dataclass(frozen=True, slots=True)
class HostLink:
    """A device's share of its host.

    Parameters
    ----------
    link_bytes_per_s : float
        Sustained between device and host memory, one direction.
    memory_bytes_per_s : float
        Sustained of the host's memory.
    capacity_bytes : float
        Of the host's memory.
    """

    link_bytes_per_s: float
    memory_bytes_per_s: float
    capacity_bytes: float


@per_facts()
def _host_link(kind: str, capacity: str) -> HostLink:
    facts = default_facts()
    link, memory = (facts.get(f"training_host.{kind}_{name}_bytes_per_s").number for name in ("link", "memory"))
    return HostLink(link, memory, facts.get(f"training_host.{capacity}_capacity_bytes").number)


def host_link(device: Accelerator) -> HostLink:
    """Return a device's share of its host: coherent where it is sold with its processor, over PCIe elsewhere."""
    return _host_link(device.host_link, "graphics" if f"{device.id}.host" in default_facts() else device.host_link)

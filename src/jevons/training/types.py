"""What a training job, its layout and its step are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jevons.hardware import Cluster
from jevons.models import ModelSpec
from jevons.training.factors import ScriptedLaunch, TrainingFactors
from jevons.training.recipe import Lora, Recipe

RECOMPUTE = ("none", "selective", "alternate", "full")
OFFLOAD = ("none", "optimizer", "parameters", "activations", "both")
OFFLOADED = ("optimizer", "parameters", "activations")
"""What can be kept in the host's memory; `offload` names none, one, or several with commas between."""
PARTS = (
    "compute", "recompute", "tp_comm", "cp_comm", "ep_comm", "pp_comm", "pp_bubble", "dp_exposed", "optimizer",
    "offload", "overhead",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLayout:
    """How a training job is spread over ``tp * pp * dp * cp`` devices.

    Parameters
    ----------
    tp : int
        Tensor parallel, with sequence parallelism in the norms.
    pp, vpp : int
        Pipeline stages, and virtual stages per device (interleaving; 1 is plain 1F1B).
    dp : int
        Data-parallel replicas.
    cp : int
        Devices over which one sequence is split.
    ep : int
        Devices over which routed experts are split; carved out of ``tp * dp * cp / etp``.
    etp : int
        Tensor parallel of routed experts; 0 for that of everything else.
    zero : int
        What the replicas share out: 0 nothing, 1 optimiser states, 2 and gradients, 3 and weights (FSDP).
    shard : int
        Replicas that share it out among themselves, each such group holding all of it (HSDP); 0 for all replicas.
    recompute : str
        Recomputation of activations in the backward pass: ``none``, ``selective`` (norms, the activation of the
        feed-forward block, and the expansions of latent attention), ``alternate`` (every second product and what
        lies between products, PyTorch's policy per operator) or ``full`` (only layer inputs are kept).
    micro_batch : int
        Sequences per replica and forward pass.
    sequence_parallel : bool
        Whether tensor-parallel devices share the tokens of norms and residuals; without, each works on all.
    zero_bubble : bool
        Whether the weights' half of the backward pass is moved into the pipeline's bubble.
    stage_layers : tuple of int
        Layers of each stage, first to last; empty for as even as the head allows.
    offload : str
        What is kept in the host's memory: ``none``, ``optimizer`` (states, the host also running the update),
        ``parameters`` (with ``zero`` of 3), ``activations``, several with commas between, or ``both`` for the first and
        the last.
    """

    tp: int = 1
    pp: int = 1
    vpp: int = 1
    dp: int = 1
    cp: int = 1
    ep: int = 1
    zero: int = 1
    recompute: str = "selective"
    micro_batch: int = 1
    zero_bubble: bool = False
    sequence_parallel: bool = True
    etp: int = 0
    shard: int = 0
    stage_layers: tuple[int, ...] = ()
    offload: str = "none"

    def offloads(self, what: str) -> bool:
        """Return whether that is kept in the host's memory: one of `OFFLOADED`."""
        if self.offload == "both":
            return what != "parameters"
        return what in self.offload.split(",")

    @property
    def expert_tp(self) -> int:
        """Tensor parallel of routed experts."""
        return self.etp or self.tp

    @property
    def expert_replicas(self) -> int:
        """Devices that hold the same routed experts, at least one."""
        return max(self.tp * self.dp * self.cp // (self.expert_tp * self.ep), 1)

    @property
    def devices(self) -> int:
        """Accelerators that the layout takes."""
        return self.tp * self.pp * self.dp * self.cp

    def __str__(self) -> str:
        """Return the sizes above one, such as ``tp8 pp16 vpp4 dp128 zero1 selective mbs1``."""
        sizes = {name: getattr(self, name) for name in ("tp", "pp", "vpp", "dp", "cp", "ep")}
        shown = [f"{name}{size}" for name, size in sizes.items() if size > 1]
        if self.etp and self.etp != self.tp:
            shown.append(f"etp{self.etp}")
        shared = f"zero{self.zero}" + (f"/{self.shard}" if self.shard else "")
        again = {"none": [], "full": ["recompute"]}.get(self.recompute, [self.recompute])
        extras = [f"offload-{self.offload}"] if self.offload != "none" else []
        uneven = ["stages" + "-".join(map(str, self.stage_layers))] if self.stage_layers else []
        return " ".join([*shown, *uneven, shared, *again, f"mbs{self.micro_batch}", *extras])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSoftware:
    """How the software runs a job: its kernels, what it hides, what it keeps.

    Parameters
    ----------
    flash : bool
        Whether attention is fused; otherwise scores are written to memory and softmax is a kernel of its own.
    older_attention : bool
        Whether fused attention is a Triton kernel of the generation before Hopper, as Composer's was.
    ampere_attention : bool
        Whether it is FlashAttention-2 or like it, written for Ampere, which most software had until the middle of 2024.
    eager : bool
        Whether kernels are PyTorch's own, one for each step of a formula, rather than fused by hand or a compiler.
    eager_norms : bool
        Whether norms and rotations run in 32 bits, a kernel for each step, as in PyTorch without a compiler.
    eager_memory : bool
        Whether gradients, logits and activations are kept as PyTorch's own operators keep them, with copies.
    kept_frac : float
        Activations over what a pipeline has to keep, of software that is known to keep more.
    overlap : bool
        Whether it hides communication at all; Megatron of 2021 did not.
    tp_overlap : bool
        Whether it hides that of tensor parallelism; PyTorch's own does not unless asked for.
    graphed : bool
        Whether the host never waits for the number of rows of each expert: rows are padded to a capacity, or graphs
        hold the whole pass.
    scripted : ScriptedLaunch or None
        Costs of software that launches everything from a script; ``None`` for frameworks that run ahead of the device.
    """

    flash: bool = True
    older_attention: bool = False
    ampere_attention: bool = False
    eager: bool = False
    eager_norms: bool = False
    eager_memory: bool = False
    kept_frac: float = 1.0
    overlap: bool = True
    tp_overlap: bool = True
    graphed: bool = False
    scripted: ScriptedLaunch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """A model to be trained on a cluster.

    Parameters
    ----------
    model : ModelSpec
        What is trained.
    cluster : Cluster
        On what; the layout must take all its devices.
    seq_len : int
        Tokens per sequence.
    global_batch : int
        Sequences per optimiser step.
    precision : str
        In which matrices are multiplied (``bf16``, ``fp8``); attention and the head stay in 16 bits.
    tokens : float
        Of the whole run.
    factors : TrainingFactors or None
        The shipped ones where ``None``.
    mtp : bool
        Whether the layers that predict further tokens are trained along, where the model has them.
    adapters : bool
        Whether only low-rank adapters are trained: no gradients of the frozen weights. The adapters' own work, under
        a percent, is left out.
    power_frac : float
        Power limit that operators set over the device's own.
    even_experts : bool
        Whether tokens are forced evenly onto experts, as benchmarks do.
    pod_devices : int
        Neighbouring devices whose traffic no oversubscription thins: those under one leaf, or on the leaves of one
        rail each, since replicas' groups stay on their rail.
    recipe : Recipe or None
        Optimizer, types of states and software; the factors' bytes and Megatron's habits where ``None``.
    lora : Lora or None
        Adapters where only they are trained; ``None`` with *adapters* leaves out what they keep.
    software : TrainingSoftware
        How the software runs it; as current Megatron does where not given.
    document_len : int
        Tokens of each document packed into a sequence, which attention does not look beyond; 0 for one a sequence.
    """

    model: ModelSpec
    cluster: Cluster
    seq_len: int
    global_batch: int
    precision: str = "bf16"
    tokens: float = 0.0
    factors: TrainingFactors | None = None
    mtp: bool = False
    adapters: bool = False
    power_frac: float = 1.0
    even_experts: bool = False
    pod_devices: int = 0
    recipe: Recipe | None = None
    lora: Lora | None = None
    software: TrainingSoftware = TrainingSoftware()
    document_len: int = 0

    @property
    def attended_len(self) -> int:
        """Tokens over which attention is causal: a document's, or a sequence's."""
        return min(self.document_len, self.seq_len) if self.document_len else self.seq_len

    @property
    def frozen_bytes(self) -> float:
        """Bytes per weight of linear layers that a device keeps and gathers."""
        return self.lora.frozen_bytes if self.lora is not None else 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStep:
    """One optimiser step.

    Parameters
    ----------
    layout : TrainingLayout
        Spread how.
    step_time_s : float
        From one update to the next, without failures.
    parts : mapping of str to float
        The same, split into `PARTS` [s]; they add up.
    memory_bytes : mapping of str to float
        Peak per device of the fullest stage, by kind.
    tokens_per_s : float
        Of the whole cluster.
    model_flop : float
        Useful work of the step: forward and backward, causal attention, no recomputation.
    flop_per_s_per_device : float
        Useful work per second and device.
    mfu_frac, hfu_frac : float
        Useful work, and work with recomputation, over the device's peak in the job's precision.
    """

    layout: TrainingLayout
    step_time_s: float
    parts: Mapping[str, float]
    memory_bytes: Mapping[str, float]
    tokens_per_s: float
    model_flop: float
    flop_per_s_per_device: float
    mfu_frac: float
    hfu_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEstimate:
    """A whole run at constant step time.

    Parameters
    ----------
    days : float
        Of wall time, goodput included.
    accelerator_h : float
        Accelerator-hours.
    energy_j : float
        Of the servers at full load; facility overhead is left to `jevons.costing`.
    cost : float or None
        In the currency of the hourly price; ``None`` where none was given.
    goodput_frac : float
        Share of the wall time in useful steps that was assumed.
    """

    days: float
    accelerator_h: float
    energy_j: float
    cost: float | None
    goodput_frac: float


@dataclass(frozen=True, slots=True)
class TrainingSearch:
    """Layouts that a search tried.

    Parameters
    ----------
    best : tuple of TrainingStep
        Fastest first.
    tried : int
        Layouts that divide.
    rejected : mapping of str to int
        How many of them were infeasible, by reason.
    """

    best: tuple[TrainingStep, ...]
    tried: int
    rejected: Mapping[str, int]

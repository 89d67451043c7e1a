"""What a deployment, a workload and an operating point of a served model are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jevons.errors import InputError
from jevons.hardware import Accelerator
from jevons.models import Attention, ModelSpec
from jevons.serving.engine_factors import EngineFactors

FloatArray = NDArray[np.float64]

_UNSTATED_CONTEXT = 8192
PARTS = ("compute", "attention", "moe", "memory", "comm", "head", "overhead")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How one instance of a model is spread over devices: ``tp * pp * dp`` of them.

    Parameters
    ----------
    tp : int
        Tensor-parallel devices of one attention rank.
    pp : int
        Pipeline stages; as many micro-batches are in flight.
    ep : int
        Devices over which routed experts are split; must divide the devices of one stage. What is left of the stage
        splits each expert's inner dimension.
    dp : int
        Attention ranks. Without ``dp_attention`` they are independent copies of the whole model.
    dp_attention : bool
        Whether the ranks hold their own requests and attention but share one set of experts.
    redundant_experts : int
        Copies of busy experts kept on top of the model's own, so that ``ep`` may divide the total.
    """

    tp: int = 1
    pp: int = 1
    ep: int = 1
    dp: int = 1
    dp_attention: bool = False
    redundant_experts: int = 0

    def __post_init__(self) -> None:
        """Check that sizes are whole and that experts fit in the group that shares them.

        Raises
        ------
        InputError
            Naming the size and the nearest one that is right.
        """
        for name, least in (("tp", 1), ("pp", 1), ("ep", 1), ("dp", 1), ("redundant_experts", 0)):
            size = getattr(self, name)
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < least:
                message = f"layout.{name} = {size}: must be a whole number, at least {least}"
                raise InputError(message)
        group, ep = int(self.expert_group), int(self.ep)
        if group % ep:
            use = max(size for size in range(1, min(group, ep) + 1) if group % size == 0)
            hint = (
                " or share experts between attention ranks (dp_attention)"
                if self.dp > 1 and not self.dp_attention
                else ""
            )
            message = f"ep = {ep} does not divide the {group} devices that share the experts. Use ep = {use}{hint}."
            raise InputError(message)

    @property
    def devices(self) -> int:
        """Accelerators of one instance."""
        return self.tp * self.pp * self.dp

    @property
    def expert_group(self) -> int:
        """Devices of one stage that share one set of experts."""
        return self.tp * self.dp if self.dp_attention else self.tp

    @property
    def expert_tp(self) -> int:
        """Devices over which one expert is split."""
        return self.expert_group // self.ep

    def __str__(self) -> str:
        """Return the sizes above one, such as ``tp1 dp32-attention ep32``."""
        parts = [f"tp{self.tp}"]
        if self.pp > 1:
            parts.append(f"pp{self.pp}")
        if self.dp > 1:
            parts.append(f"dp{self.dp}" + ("-attention" if self.dp_attention else ""))
        if self.ep > 1:
            parts.append(f"ep{self.ep}" + (f"+{self.redundant_experts}" if self.redundant_experts else ""))
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a server is told beside its layout and precision; see `Deployment`."""

    memory_frac: float | None = None
    draft_tokens: int = 0
    max_model_len: int = 0
    eager: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One instance of a model on accelerators of one kind.

    Parameters
    ----------
    model : ModelSpec
        What is served.
    accelerator : Accelerator
        On what.
    layout : Layout
        Spread how.
    precision : str
        Of the weights, ``native`` for what the model is shipped in. Where the device cannot multiply in it, weights are
        expanded to 16 bits on the way in.
    kv_precision : str
        Of the cache.
    engine : EngineFactors
        Served by what.
    memory_frac : float or None
        Share of device memory the engine may use; the engine's default where ``None``.
    draft_tokens : int
        Tokens that a multi-token-prediction head drafts per request and step, all verified in the next step; 0 for
        plain decoding.
    max_model_len : int
        Longest sequence that is served [tokens]; 0 for what the model reads.
    eager : bool
        Whether no graphs are captured.
    drafter : ModelSpec or None
        Model that drafts; the served model's own layers for further tokens, or a one-layer head, where ``None``.
    draft_by_lookup : bool
        Whether drafts are looked up in the text (n-grams), which takes no memory.
    kv_tokens : int
        Most tokens that an attention rank caches, whatever memory is left; 0 for all that it holds.
    """

    model: ModelSpec
    accelerator: Accelerator
    layout: Layout
    precision: str
    kv_precision: str
    engine: EngineFactors
    memory_frac: float | None = None
    draft_tokens: int = 0
    max_model_len: int = 0
    eager: bool = False
    drafter: ModelSpec | None = None
    draft_by_lookup: bool = False
    kv_tokens: int = 0

    def told(self, settings: Settings) -> Deployment:
        """Return the deployment with a server's settings."""
        return replace(
            self, memory_frac=settings.memory_frac, draft_tokens=settings.draft_tokens,
            max_model_len=settings.max_model_len, eager=settings.eager,
        )  # fmt: skip

    @property
    def devices(self) -> int:
        """Accelerators of the instance."""
        return self.layout.devices

    @property
    def usable_bytes(self) -> float:
        """Memory per device that the engine may use; all of it where its share is of what weights leave."""
        return self.shown_bytes if self.engine.memory.share_of_rest else self.shown_bytes * self.share_frac

    @property
    def shown_bytes(self) -> float:
        """Memory per device that the engine's share is counted from."""
        return self.accelerator.usable_bytes if self.engine.memory.paged else self.accelerator.hbm_bytes

    @property
    def share_frac(self) -> float:
        """Share of device memory that the engine is given; its own where none is stated."""
        return self.engine.batching.memory_frac if self.memory_frac is None else self.memory_frac

    @property
    def serves_shorter(self) -> bool:
        """Whether it starts with a cache below one sequence of the greatest length, and serves shorter ones."""
        return self.engine.memory.serves_shorter > 0.0 or self.engine.loaded.shortens

    @property
    def encodes(self) -> bool:
        """Whether an encoder of images is loaded; videos are read by those alone that take images of any size."""
        loaded = self.engine.loaded
        taken = loaded.takes_images or (loaded.takes_videos and self.model.free_images)
        return taken and self.model.vision_parameters > 0

    def window_of(self, attention: Attention) -> int | None:
        """Return the tokens that a layer's queries look back, as the engine runs it; None for all."""
        kernels = self.engine.kernels
        whole = attention.chunked and self.accelerator.generation == "hopper" and not kernels.cuts_chunks_on_hopper
        return attention.window if kernels.cuts_windows and not whole else None

    def cache_ranks_of(self, attention: Attention) -> float:
        """Return the devices over which decode context parallelism spreads a layer's tokens; 1 where it does not.

        Windows and compressed entries stay whole on each.
        """
        spread = not self.window_of(attention) and not attention.latent.one_vector
        return self.engine.loaded.cache_ranks if spread else 1.0

    @property
    def longest(self) -> int:
        """Longest sequence that is served [tokens]."""
        return self.max_model_len or self.model.max_context or _UNSTATED_CONTEXT

    def __str__(self) -> str:
        """Return one line that names model, precision, device and layout."""
        return f"{self.model.name} {self.precision} on {self.devices} {self.accelerator.id} ({self.layout})"


@dataclass(frozen=True, slots=True)
class Workload:
    """Requests of one length.

    Parameters
    ----------
    isl : float
        Prompt tokens per request, cached ones included, >= 1.
    osl : float
        Output tokens per request, >= 1.
    cached_frac : float
        Share of the prompt whose keys and values are read from a prefix cache, in [0, 1).
    """

    isl: float
    osl: float
    cached_frac: float = 0.0

    @property
    def new_tokens(self) -> float:
        """Prompt tokens to be computed per request, at least one."""
        return max(1.0, self.isl * (1.0 - self.cached_frac))

    @property
    def cached_tokens(self) -> float:
        """Prompt tokens found in the cache per request."""
        return self.isl - self.new_tokens

    @property
    def decode_context(self) -> float:
        """Mean cache length of a request over its decode steps."""
        return self.isl + self.osl / 2.0


@dataclass(frozen=True, slots=True)
class StepTime:
    """Time of engine steps.

    Parameters
    ----------
    time_s : ndarray
        From launch to the last stage's end; with ``pp`` stages, ``pp`` such steps run at once.
    by_part : mapping of str to ndarray
        The same, split into `PARTS`; ``comm`` holds only what is not hidden. The parts add up to the whole.
    bound_frac : mapping of str to ndarray
        Share of the operators' time that each limit sets (``compute``, ``memory``, ``link``, ``launch``).
    """

    time_s: FloatArray
    by_part: Mapping[str, FloatArray]
    bound_frac: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Memory per device of the fullest stage, by kind [bytes].

    Parameters
    ----------
    weights_bytes : float
        Weights as they lie in memory, padding and the vision tower included.
    activations_bytes : float
        Peak of the largest step beside weights and cache.
    reserved_bytes : float
        Outside the framework's allocator: context and communicators.
    graphs_bytes : float
        Captured graphs; 0 where `reserved_bytes` holds them.
    graphs_inside : bool
        Whether graphs are taken from the engine's share of memory; else they lie outside it.
    kv_bytes : float
        What is left for the cache; below zero where nothing is.
    kv_bytes_per_token : float
        Cache of one token in sequences of 8,192.
    """

    weights_bytes: float
    activations_bytes: float
    reserved_bytes: float
    kv_bytes: float
    kv_bytes_per_token: float
    graphs_bytes: float = 0.0
    graphs_inside: bool = False

    @property
    def room_bytes(self) -> float:
        """All of it: what the engine takes of a device, without graphs that lie outside its share."""
        inside = self.graphs_bytes if self.graphs_inside else 0.0
        return self.weights_bytes + self.activations_bytes + self.reserved_bytes + self.kv_bytes + inside


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticPoint:
    """An instance in the steady state with a constant number of requests in flight.

    Parameters
    ----------
    batch : float
        Requests decoding at once, over all ranks and stages of the instance.
    ttft_s : float
        Time to first token without queueing: the request's way through the host, the prompt's own steps, and where
        prompts share devices with others' decodes half a decode step of waiting; else the transfer of the cache to the
        decode pool.
    tpot_s : float
        Time per output token as users see it. On shared devices it includes the prompts of others in between; on a
        decode pool of its own, half a decode step of waiting before the second token.
    decode_step_s : float
        One decode step alone.
    prefill_tok_per_s_per_device, decode_tok_per_s_per_device : float
        Computed prompt tokens, and output tokens, per second of a device that does nothing else.
    tok_per_s_per_device : float
        Output tokens per second and device, the devices or time that prompts take included.
    req_per_s_per_device : float
        Requests finished per second and device, likewise.
    kv_capacity_tokens : float
        Tokens the cache of the decoding instance can hold.
    memory_bytes : mapping of str to float
        Per device, by kind, at this batch.
    bounds : mapping of str to str
        What sets the time of ``prefill`` and ``decode``, and (from `best_static_point`) the ``batch``.
    prefill_device_s, cached_device_s, decode_device_s : float
        Accelerator-seconds per request: computing the new prompt tokens, attending to and loading the cached ones,
        and decoding.
    """

    batch: float
    ttft_s: float
    tpot_s: float
    decode_step_s: float
    prefill_tok_per_s_per_device: float
    decode_tok_per_s_per_device: float
    tok_per_s_per_device: float
    req_per_s_per_device: float
    kv_capacity_tokens: float
    memory_bytes: Mapping[str, float]
    bounds: Mapping[str, str]
    prefill_device_s: float
    cached_device_s: float
    decode_device_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSeconds:
    """Accelerator-seconds of one request, at a stated operating point.

    Parameters
    ----------
    input_s, cached_s, output_s : float
        For the prompt tokens that are computed, those read from the cache, and the output tokens.
    input_tokens, cached_tokens, output_tokens : float
        How many of each a request has.
    point : StaticPoint
        Where on the curve this holds.
    """

    input_s: float
    cached_s: float
    output_s: float
    input_tokens: float
    cached_tokens: float
    output_tokens: float
    point: StaticPoint

    @property
    def total_s(self) -> float:
        """Accelerator-seconds of the whole request."""
        return self.input_s + self.cached_s + self.output_s

    @property
    def per_input_token_s(self) -> float:
        """Accelerator-seconds per computed prompt token."""
        return self.input_s / self.input_tokens

    @property
    def per_cached_token_s(self) -> float:
        """Accelerator-seconds per cached prompt token; zero where there are none."""
        return self.cached_s / self.cached_tokens if self.cached_tokens else 0.0

    @property
    def per_output_token_s(self) -> float:
        """Accelerator-seconds per output token."""
        return self.output_s / self.output_tokens

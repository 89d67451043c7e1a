"""What is known of a serving engine, in groups of factors: host, kernels, front, batching, loaded options, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields

from jevons.parts import Grouped, Part
from jevons.serving.memory_factors import MemoryFactors


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFactors(Part):
    """What the host takes of an engine's steps.

    Parameters
    ----------
    step_overhead_s, request_overhead_s : float
        Host time per step, and per running request in it, that the device waits for.
    prefill_launch_s : float
        Host time per kernel of steps with prompt tokens, which are launched one by one; the device waits for the host
        where its kernels are shorter.
    captured_tokens : float
        Prompt steps of up to so many tokens run as captured graphs: the host launches no kernels one by one.
    captures_text_alone : bool
        Whether it does so for plain models of text alone (`captured_most`); not where it is told to.
    captured_batch : float
        Decode steps of more requests than that run without a captured graph, kernel by kernel; 0 for an engine that
        captures none.
    decode_layer_s : float
        Gap per layer of decode-only steps that are replayed from a captured graph.
    """

    step_overhead_s: float
    request_overhead_s: float
    prefill_launch_s: float
    captured_tokens: float
    captures_text_alone: bool = False
    captured_batch: float = 1e9
    decode_layer_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFactors(Part):
    """How the kernels and collectives of an engine's steps run.

    Parameters
    ----------
    tp_overlap_frac, ep_overlap_frac, decode_ep_overlap_frac : float
        Share of tensor-parallel, and of expert-parallel, communication that hides behind computation where there is
        enough of it; the latter of steps with prompts, and of those that only decode, whose exchanges take no cores.
    expert_imbalance : float
        Tokens on the busiest expert device over the mean, >= 1.
    decode_rereads_frac, hopper_fp8_rereads_frac : float
        Share of the query heads of a group, beyond the first, for which decode attention reads keys and values again;
        the latter with a cache of 8 bits on Hopper for groups of other than eight, where it is larger.
    cuts_windows, cuts_chunks_on_hopper : bool
        Whether layers with a window attend to it alone and cache no more, and whether those with chunks do on Hopper.
    mxfp4_like : str
        Precision whose grouped kernels a server was told to run for experts in MXFP4; empty for what it runs untold.
    told_to_gather : bool or None
        Whether all expert ranks gather the tokens of all attention ranks, as a server was told; None for what it does
        untold.
    padded_expert_rows : float
        Rows to which grouped products in 8 bits scaled by blocks round up each expert, where all of them are computed;
        0 where empty rows are skipped.
    pads_ranks : bool
        Whether the experts see as many tokens of each attention rank as of the busiest.
    decode_pace, prompt_pace : float
        Time of steps that only decode, and of those with prompts, over what the other factors give; a calibration's own
        for one deployment.
    """

    tp_overlap_frac: float
    ep_overlap_frac: float
    decode_ep_overlap_frac: float
    expert_imbalance: float
    decode_rereads_frac: float = 0.0
    hopper_fp8_rereads_frac: float = 0.0
    cuts_windows: bool = True
    cuts_chunks_on_hopper: bool = True
    mxfp4_like: str = ""
    told_to_gather: bool | None = None
    padded_expert_rows: float = 0.0
    pads_ranks: bool = False
    decode_pace: float = 1.0
    prompt_pace: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontFactors(Part):
    """What a request takes outside the steps.

    Parameters
    ----------
    entry_launch_s : float
        Time by which a prompt's first token comes later for each kernel of its step that the host launches, without
        holding up the requests that decode beside it.
    entry_s : float
        Time of a request outside the engine's steps: HTTP, tokenizing, queues between processes, the first answer.
    admit_s, admit_token_s : float
        Time that the front end spends on each request, one after the other, and on each of its prompt tokens.
    holds_bursts : bool
        Whether requests of a burst reach the engine only when the front end has taken in all of them.
    hand_over_s : float
        Time between pools of prompts and of decodes beside the transfer itself: router, handshake, polling.
    """

    entry_s: float
    admit_s: float
    admit_token_s: float
    holds_bursts: bool = True
    hand_over_s: float = 0.0
    entry_launch_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingFactors(Part):
    """How an engine composes its steps, and its limits.

    Parameters
    ----------
    memory_frac : float
        Share of device memory that the engine may use.
    reserved_bytes : float
        Runtime context and, where `memory` does not tell them apart, graphs and communication buffers per device.
    step_tokens : int
        Most prompt tokens that one attention rank takes in one step.
    max_batch : int
        Most requests that one attention rank runs at once.
    mixes_prompts : bool
        Whether prompt tokens and decodes share a step.
    composes_ahead : bool
        Whether a step is composed while the one before runs.
    reserve_frac : float
        Share of its answer for which a request must find room in the cache before it starts.
    prompts_by_chance : bool
        Whether prompts come to the attention ranks of a prefill worker by chance, not in turn.
    cuts_prompts : bool
        Whether a prefill worker fills a step with a part of a prompt; else its steps hold whole ones.
    draft_acceptance_frac : float
        Chance that a drafted token is accepted where those before it were.
    """

    memory_frac: float
    reserved_bytes: float
    step_tokens: int
    max_batch: int
    mixes_prompts: bool
    composes_ahead: bool
    reserve_frac: float
    prompts_by_chance: bool = False
    cuts_prompts: bool = True
    draft_acceptance_frac: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFactors(Part):
    """What a server is told to load beside a model's text, or to leave out.

    Parameters
    ----------
    takes_images, takes_videos : bool
        Whether requests may hold images, and videos where the model reads any; where neither, no encoder is loaded.
    adapters : float
        Adapters (LoRA) that one step may use, for which room is set aside; 0 for none.
    adapter_rank : float
        Their greatest rank.
    shortens : bool
        Whether the longest sequence that is served is what the cache holds, where that is less.
    cache_ranks : float
        Devices of a tensor-parallel group over which the tokens of a sequence's cache are spread (decode context
        parallelism), where each would keep all of them; 1 for none.
    buffers_unseen : bool
        Whether what it loads beside takes memory that is not told, such as a connector for caches.
    """

    takes_images: bool = True
    takes_videos: bool = True
    adapters: float = 0.0
    adapter_rank: float = 0.0
    shortens: bool = False
    cache_ranks: float = 1.0
    buffers_unseen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFactors(Grouped):
    """What the serving software adds to the operators' times, and its default limits.

    Parameters
    ----------
    name : str
        Id, as `engine_names` lists them.
    host : HostFactors
        What the host takes of its steps.
    kernels : KernelFactors
        How the kernels and collectives of its steps run.
    front : FrontFactors
        What a request takes outside the steps.
    batching : BatchingFactors
        How it composes its steps, and its limits.
    eager : bool
        Whether no graphs are captured, so that the host launches the kernels of every step one by one.
    scales : mapping of str to mapping of str to float, optional
        Time of kernels in running engines over that of lone kernels, by owner and part (see `jevons.serving.scales`);
        the newest that ship by default.
    memory : MemoryFactors
        What its release takes of device memory.
    loaded : LoadedFactors
        What it is told to load beside a model's text, or to leave out.

    Notes
    -----
    The fields of its parts are facts of the engine, ``engine.<name>.<field>``, and what a calibration may replace.
    """

    name: str
    host: HostFactors
    kernels: KernelFactors
    front: FrontFactors
    batching: BatchingFactors
    eager: bool = False
    scales: Mapping[str, Mapping[str, float]] | None = field(default=None, hash=False, compare=False, repr=False)
    memory: MemoryFactors = field(default_factory=MemoryFactors, repr=False)
    loaded: LoadedFactors = LoadedFactors()

    @classmethod
    def factors(cls) -> dict[str, bool]:
        """Return the names of its parts' fields, and whether each must be stated."""
        parts = (HostFactors, KernelFactors, FrontFactors, BatchingFactors)
        return {inner.name: inner.default is MISSING for part in parts for inner in fields(part)}

"""What an engine's releases take of device memory beside weights and cache, from facts dated by release."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jevons.facts import Facts
from jevons.operators.engines import ANYWHERE, Place, engine_fact
from jevons.parts import Grouped, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphMemory(Part):
    """What captured graphs take.

    Parameters
    ----------
    graph_fixed_bytes, graph_layer_bytes, graph_expert_bytes : float
        Fixed, for each layer with all sizes captured, and more for each of those with experts.
    graphs_inside : float
        1 where graphs come out of the engine's share of memory, 0 where they are captured outside it.
    graphs_all : float
        1 where all sizes are captured however few requests may run, 0 where sizes end at twice those.
    graphs_by_adapter : float
        1 where a server that takes adapters captures graphs with them and without, 0 where once.
    states_charged : float
        1 where what kernels of recurrent layers take for a whole step may be counted among the graphs.
    """

    graph_fixed_bytes: float = 0.0
    graph_layer_bytes: float = 0.0
    graph_expert_bytes: float = 0.0
    graphs_inside: float = 0.0
    graphs_all: float = 0.0
    graphs_by_adapter: float = 0.0
    states_charged: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FourBitMemory(Part):
    """What experts in MXFP4 take beside their own bits.

    Parameters
    ----------
    mxfp4_width, mxfp4_inner, mxfp4_amd_inner : float
        Numbers to a multiple of which they are padded: the model's width, and the inner size on a device, where AMD's
        have a multiple of their own unless it is 0.
    mxfp4_start_bytes : float
        Room that they need beyond the sampler's at the end of the start.
    mxfp4_hopper_bytes : float
        For each weight on devices of that generation, where other weights are in 8-bit blocks: scales as they were
        loaded, beside the kernel's own.
    """

    mxfp4_width: float = 0.0
    mxfp4_inner: float = 0.0
    mxfp4_amd_inner: float = 0.0
    mxfp4_start_bytes: float = 0.0
    mxfp4_hopper_bytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMemory(Part):
    """What earlier releases did otherwise.

    Parameters
    ----------
    peaks_added : float
        1 where a profiling step counts all that the allocator holds after it: peaks of layers and of the sampler, which
        do not share memory, add up.
    expert_step : float
        Most tokens that expert layers take at once; 0 for any.
    latent_head : float
        Width of the keys and of the values that are cached for each head of latent attention; 0 where the latent is.
    mamba_slots : float
        Most requests for which states of state-space layers are set aside before the cache; 0 where they share its
        pages.
    encodes_longest : float
        1 where a start runs a vision encoder on a video of the greatest length, 0 where on `encoded_tokens`.
    adapts_no_experts : float
        1 where experts have no adapters.
    stages_whole : float
        1 where each pipeline stage must have room for a longest sequence in the layers of all stages.
    counts_others : float
        1 where what other processes hold of a device is counted as the engine's own.
    """

    peaks_added: float = 0.0
    expert_step: float = 0.0
    latent_head: float = 0.0
    mamba_slots: float = 0.0
    encodes_longest: float = 0.0
    adapts_no_experts: float = 0.0
    stages_whole: float = 0.0
    counts_others: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPools(Part):
    """Pools of their own for layers with a window; all zero where windows are cached as far as sequences need them.

    Parameters
    ----------
    window_frac, compressed_frac : float
        Tokens that the pool holds for each token of cache: of layers with a window alone, and of compressed attention.
        Models without such pools cache all tokens in all layers.
    """

    window_frac: float = 0.0
    compressed_frac: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMemory(Part):
    """What recurrent states take, in pools of their own or in the cache's pages.

    Parameters
    ----------
    state_slots : float
        Requests for which recurrent states are set aside before the cache; 0 where states share its pages.
    state_frac : float
        Bytes set aside for those states for each byte of the cache, in place of so many requests'; 0 where not.
    state_pages : float
        Pages that a sequence is granted for its state in each group of recurrent layers.
    states_checked : float
        1 where the engine does not start unless every running request has a page for its states.
    """

    state_slots: float = 0.0
    state_frac: float = 0.0
    state_pages: float = 1.0
    states_checked: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseMemory(Part):
    """What attention that chooses or compresses cached tokens takes during a step.

    Parameters
    ----------
    latent_heads : float
        Multiple to which kernels of compressed attention pad the heads on a device; 0 where none are counted.
    index_entries : float
        An indexer's keys that a buffer holds for each token of the greatest length.
    index_scores_bytes : float
        Most that an indexer's scores take at once.
    gathered_prompts : float
        Prompts whose compressed cache a buffer holds at once, in 16 bits and at the greatest length.
    """

    latent_heads: float = 0.0
    index_entries: float = 0.0
    index_scores_bytes: float = 0.0
    gathered_prompts: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFactors(Grouped):
    """How one release of an engine uses device memory; all zero where its start-up was not measured.

    Parameters
    ----------
    sampler_bytes : float
        Peak of the sampler for each running request and entry of the vocabulary; with 0, the activations of the largest
        step follow from a rule of thumb.
    sampler_fixed_bytes : float
        Peak of a profiling step that does not depend on its size.
    sampler_warmed : float
        1 where the start ends with a run of the sampler for as many requests as may run, beside cache and graphs.
    hidden_copies : float
        Copies of the residual stream alive at the peak of a layer, in widths of the model.
    sparse : SparseMemory
        What attention that chooses or compresses cached tokens takes during a step.
    earlier : EarlierMemory
        What earlier releases did otherwise.
    comm_bytes, comm_bus_bytes : float
        More outside the framework's allocator on each of several devices: communicators and their buffers. Devices that
        meet on the host's bus have channels for fewer.
    hopper_bytes : float
        More outside the framework's allocator on devices of that generation.
    before_bytes, before_comm_bytes, before_comm_bus_bytes : float
        Taken before the engine looks at the free memory: the context, and with several devices the first communicator,
        over links of their own or over the bus.
    graphs : GraphMemory
        What captured graphs take.
    workspace_kept : float
        1 where buffers of expert layers stay allocated while the sampler runs.
    experts : FourBitMemory
        What experts in MXFP4 take beside their own bits.
    encoded_tokens : float
        Tokens of the largest image, which a start runs a vision encoder on.
    vocab_multiple : float
        Multiple to which the embedding's rows are padded.
    states : StateMemory
        What recurrent states take.
    any_release : float
        Whether no release was stated: a start is then not promised that an earlier release refuses.
    pools : WindowPools
        How pools of windows are sized.
    tokens_by_length : float
        1 where the logged size is concurrency times the longest sequence, 0 where it is pages times their tokens.
    share_of_rest : float
        1 where the engine's share is of what weights and work space leave of a device, 0 where it is of all of it.
    share_static : float
        1 where the share holds weights and cache alone, and activations come out of what is left beside it.
    serves_shorter : float
        1 where the engine starts with a cache below one sequence of the greatest length and refuses what is longer.
    """

    sampler_bytes: float = 0.0
    sampler_fixed_bytes: float = 0.0
    sampler_warmed: float = 0.0
    hidden_copies: float = 0.0
    sparse: SparseMemory = SparseMemory()
    earlier: EarlierMemory = EarlierMemory()
    comm_bytes: float = 0.0
    comm_bus_bytes: float = 0.0
    hopper_bytes: float = 0.0
    before_bytes: float = 0.0
    before_comm_bytes: float = 0.0
    before_comm_bus_bytes: float = 0.0
    graphs: GraphMemory = GraphMemory()
    workspace_kept: float = 0.0
    experts: FourBitMemory = FourBitMemory()
    encoded_tokens: float = 0.0
    vocab_multiple: float = 1.0
    states: StateMemory = StateMemory()
    any_release: float = 0.0
    pools: WindowPools = WindowPools()
    tokens_by_length: float = 0.0
    share_of_rest: float = 0.0
    share_static: float = 0.0
    serves_shorter: float = 0.0

    @property
    def paged(self) -> bool:
        """Whether start-ups were measured, so that the pages of the cache are modelled as the engine lays them out."""
        return self.sampler_bytes > 0.0


def memory_factors(
    engine: str, place: Place = ANYWHERE, facts: Facts | None = None, on: dt.date | None = None
) -> MemoryFactors:
    """Return how an engine's release uses memory: the newest public on a date by default."""
    stated = {name: engine_fact(engine, name, place, facts, on) for name in MemoryFactors.names()}
    known = {name: fact.number for name, fact in stated.items() if fact is not None}
    return MemoryFactors.of(**known, any_release=float(place.release is None))

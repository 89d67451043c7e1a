"""The cache in pages: how an engine shares them between layers that keep all tokens, a window, or a state.

Layers of one make form groups of one size; a page holds the same bytes for every group. A sequence takes pages in each
group, so that the tokens a cache holds follow from how much of a sequence each group keeps.

References
----------
vLLM, ``vllm/v1/core/kv_cache_utils.py`` and ``kv_cache_interface.py`` (hybrid cache manager), releases 0.11 to 0.19.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from jevons.facts.per_facts import per_facts
from jevons.models import Attention
from jevons.models.formulas import cached_bytes, entry_bytes, index_key_bytes
from jevons.operators.engines import engine_text
from jevons.operators.types import kv_bytes_of
from jevons.serving.drafter import drafter_of
from jevons.serving.memory_factors import MemoryFactors
from jevons.serving.types import Deployment

PAGE_TOKENS = 16
"""Tokens of a page in layers that set its size."""
_NEARLY_EQUAL = 1.5  # counts of two makes up to this ratio share the larger one as their size
_STATE_BYTES = 4.0
# Pages of compressed attention in vLLM: tokens of entries, windows and states that do not overlap, and a multiple.
_PACKED_TOKENS, _WINDOW_TOKENS, _STATE_TOKENS, _PACKED_MULTIPLE = 256, 64, 8, 576.0
_INDEX_SCALE_BYTES = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerMake:
    """Layers of one make on one device of the fullest stage.

    Parameters
    ----------
    layers : int
        How many.
    token_bytes : float
        Cache of one token in one of them; 0 for recurrent layers.
    window : int
        Tokens kept; 0 for all.
    state_bytes : float
        What a sequence keeps whatever its length, in one of them.
    """

    layers: int
    token_bytes: float
    window: int = 0
    state_bytes: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGroup:
    """Equal groups of layers, and the tokens that a page holds in each.

    Parameters
    ----------
    count : int
        Groups of this make.
    page_tokens : int
        Tokens of a page; 0 where a page holds a state.
    window : int
        Tokens kept; 0 for all.
    states : int
        Pages that a sequence is granted for its states in each group.
    """

    count: int
    page_tokens: int
    window: int = 0
    states: int = 1

    def pages(self, tokens: float, step_tokens: float) -> float:
        """Return the pages of a sequence, of whose window *step_tokens* more are kept while they are computed."""
        if not self.page_tokens:
            return float(self.count * self.states)
        if self.window:
            window_tokens = min(self.window - 1 + step_tokens, tokens)
            return self.count * (math.ceil(window_tokens / self.page_tokens) + 1)
        return self.count * math.ceil(tokens / self.page_tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedCache:
    """How a deployment's cache is cut into pages.

    Parameters
    ----------
    groups : tuple of PageGroup
        Groups of layers of one make.
    page_bytes : float
        A page over all layers of one group.
    step_tokens : int
        Most tokens of one step, which windows are kept for on top.
    """

    groups: tuple[PageGroup, ...]
    page_bytes: float
    step_tokens: int

    def pages(self, kv_bytes: float) -> int:
        """Return the pages in so many bytes."""
        return max(int(kv_bytes // self.page_bytes), 0) if self.page_bytes else 0

    def pages_at_most(self, tokens: float) -> float:
        """Return the pages that a sequence of that length is granted: windows with a whole step on top."""
        return sum(group.pages(tokens, self.step_tokens) for group in self.groups)

    def pages_while_decoding(self, tokens: float) -> float:
        """Return the pages that a sequence of that length holds between steps, of states the last alone."""
        return sum(group.pages(tokens, 1.0) if group.page_tokens else group.count for group in self.groups)

    def concurrency(self, kv_bytes: float, longest: int) -> float:
        """Return the sequences of the greatest length that the cache is said to hold at once."""
        return self.pages(kv_bytes) / max(self.pages_at_most(longest), 1.0)

    def logged_tokens(self, kv_bytes: float, longest: int, *, by_length: bool) -> int:
        """Return the size of the cache in tokens as the engine logs it."""
        if by_length:
            return math.floor(self.concurrency(kv_bytes, longest) * longest)
        groups = sum(group.count for group in self.groups)
        smallest = min((group.page_tokens for group in self.groups if group.page_tokens), default=PAGE_TOKENS)
        return self.pages(kv_bytes) // max(groups, 1) * smallest


def layer_token_bytes(deployment: Deployment, attention: Attention) -> float:
    """Return the cache of one token in one layer on each device that holds a part of it [bytes].

    Keys and values are split by heads over ``tp`` devices, never below one head; a latent (MLA) cache is kept whole on
    each. Releases without kernels for it cached the keys and values of every head instead.

    Decode context parallelism spreads the tokens over those that would keep the same ones; an indexer's keys stay whole
    on each, as do windows and compressed entries.
    """
    element_bytes, tp = kv_bytes_of(deployment.kv_precision)[1], deployment.layout.tp
    latent_head = deployment.engine.memory.earlier.latent_head
    if attention.kind == "mla" and latent_head:
        return 2.0 * attention.heads / tp * latent_head * element_bytes
    share = 1.0 / min(tp, attention.kv_heads) if attention.kind == "gqa" and attention.kv_heads else 1.0
    own_bytes, ranks = cached_bytes(attention, element_bytes) * share, deployment.cache_ranks_of(attention)
    if ranks == 1.0:
        return own_bytes
    whole_bytes = index_key_bytes(attention)
    return whole_bytes + (own_bytes - whole_bytes) / ranks


def slots_of(factors: MemoryFactors, attention: Attention) -> float:
    """Return the most requests for which a layer's states are set aside before the cache; 0 where they are not."""
    return factors.states.state_slots or (0.0 if attention.kind == "linear" else factors.earlier.mamba_slots)


def pooled_token_bytes(deployment: Deployment) -> float:
    """Return the cache of one token in all layers where an engine sizes it by tokens alone; 0 where not.

    Notes
    -----
    Layers with a window cache all tokens, or a fixed share of them in a pool of their own, whatever sequences there
    are. With compressed attention, each layer has a window, those of a drafting head too. A compressing layer keeps the
    numbers not yet compressed in 32 bits, key and score of `stride` tokens for each window; one that an indexer selects
    from overlaps with the one before and keeps twice as many twice as wide, and the indexer's own beside them.

    References
    ----------
    SGLang, ``HybridSWAPoolConfigurator`` and ``DSV4PoolConfigurator``: 23,750 bytes for DeepSeek-V4-Pro, as its log
    prints.
    """
    pools, model = deployment.engine.memory.pools, deployment.model
    if pools.compressed_frac and any(group.attention.compression.recent for group in model.layers):
        return _compressed_token_bytes(deployment, pools.compressed_frac)
    if not pools.window_frac or not any(deployment.window_of(group.attention) for group in model.layers):
        return 0.0
    pooled = model.architecture.startswith(_pooled(deployment.engine.name))
    frac = pools.window_frac if pooled else 1.0
    return sum(
        group.count
        * layer_token_bytes(deployment, group.attention)
        * (frac if deployment.window_of(group.attention) else 1.0)
        for group in model.layers
    )


@per_facts()
def _pooled(engine: str) -> tuple[str, ...]:
    """Return the beginnings of the architectures whose windows have a pool of their own."""
    return tuple(engine_text(engine, "window_pools").split())


def _compressed_token_bytes(deployment: Deployment, frac: float) -> float:
    """Return the cache of one token in all layers of compressed attention, states included."""
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    total = entry = 0.0
    for group in deployment.model.layers:
        a = group.attention
        entry = entry_bytes(a, element_bytes)
        total += group.count * frac * entry
        if a.compression.recent:
            overlap = 2.0 if a.indexer.dim else 1.0
            rows = a.compression.stride * overlap / a.compression.recent
            state_bytes = 2.0 * overlap * (a.latent.cached_dim + a.indexer.dim) * _STATE_BYTES
            total += group.count * (cached_bytes(a, element_bytes) + frac * rows * state_bytes)
    return total + deployment.model.mtp_layers * frac * entry


def layer_makes(deployment: Deployment) -> list[LayerMake]:
    """Return the layers of the fullest pipeline stage by make, as one device keeps them."""
    layout, model = deployment.layout, deployment.model
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    stage_frac = math.ceil(model.n_layers / layout.pp) / model.n_layers
    counted: Counter[tuple[float, int, float]] = Counter()
    for group in model.layers:
        a: Attention = group.attention
        token_bytes = layer_token_bytes(deployment, a)
        state_bytes = a.mixer.state_elements * _STATE_BYTES / layout.tp
        if token_bytes:
            counted[token_bytes, deployment.window_of(a) or 0, 0.0] += group.count
        if a.compression.recent:
            counted[entry_bytes(a, element_bytes), a.compression.recent, 0.0] += group.count
        if state_bytes and not slots_of(deployment.engine.memory, a):
            counted[0.0, 0, state_bytes] += group.count
    drafter = drafter_of(deployment)
    for group in () if drafter is None else drafter.layers:
        token_bytes = layer_token_bytes(deployment, group.attention)
        if token_bytes:
            counted[token_bytes, deployment.window_of(group.attention) or 0, 0.0] += group.count
    return [
        LayerMake(layers=math.ceil(count * stage_frac), token_bytes=make[0], window=make[1], state_bytes=make[2])
        for make, count in counted.items()
    ]


def paged_cache(deployment: Deployment) -> PagedCache:
    """Return how the engine cuts a deployment's cache into pages.

    Notes
    -----
    Group size is that of the rarest make, or the most frequent where their counts are within 1.5. Pages of makes with
    fewer bytes a token hold more tokens; with recurrent layers, pages grow until one holds a state. A sequence is
    granted a page for its state, one for that at the end of a block where prefixes are kept, and one for each drafted
    token.

    References
    ----------
    vLLM, ``MambaSpec.max_memory_usage_bytes`` with ``mamba_cache_mode`` of ``align``.
    """
    if any(group.attention.compression.recent for group in deployment.model.layers):
        return _packed_cache(deployment)
    makes = layer_makes(deployment)
    step_tokens = deployment.engine.batching.step_tokens
    if not makes:
        return PagedCache(groups=(), page_bytes=0.0, step_tokens=step_tokens)
    keeping = [make for make in makes if make.token_bytes]
    layer_page = max((PAGE_TOKENS * make.token_bytes for make in keeping), default=0.0)
    largest_state = max(make.state_bytes for make in makes)
    if largest_state > layer_page:
        widest = max((make.token_bytes for make in keeping), default=0.0)
        step = PAGE_TOKENS * widest
        layer_page = math.ceil(largest_state / step) * step if step else largest_state
    counts = [make.layers for make in makes]
    size = max(counts) if max(counts) < _NEARLY_EQUAL * min(counts) else min(counts)
    states = max(int(deployment.engine.memory.states.state_pages), 1) + deployment.draft_tokens
    groups = tuple(
        PageGroup(
            count=math.ceil(make.layers / size),
            page_tokens=_page_tokens(layer_page, make.token_bytes),
            window=make.window,
            states=states if make.state_bytes else 1,
        )
        for make in makes
    )
    return PagedCache(groups=groups, page_bytes=layer_page * size, step_tokens=step_tokens)


def _packed_cache(deployment: Deployment) -> PagedCache:
    """Return the pages of compressed attention, whose layers keep entries, index keys, a window and states.

    Notes
    -----
    All entries and index keys are one group of 256 tokens a page; windows take 64, and the numbers not yet compressed 4
    or 8. While a step is computed, windows and states are kept for all its tokens, so that states take most of a short
    sequence. Groups are cut to one number of layers, that which leaves the fewest places empty. A page has a place for
    each layer of the fullest group at each size; states have the places of entries.

    References
    ----------
    vLLM, ``_get_kv_cache_groups_uniform_groups`` and ``_approximate_gcd``: 1,039,680 bytes a page of DeepSeek-V4-Flash.
    """
    element_bytes = kv_bytes_of(deployment.kv_precision)[1]
    share = math.ceil(deployment.model.n_layers / deployment.layout.pp) / deployment.model.n_layers
    drafter = drafter_of(deployment)
    places: Counter[float] = Counter()
    states: Counter[tuple[int, int]] = Counter()
    windows, entry, recent = 0, 0.0, 0
    for group in (*deployment.model.layers, *(drafter.layers if drafter else ())):
        a, layers = group.attention, math.ceil(group.count * share)
        entry, stride = entry_bytes(a, element_bytes), a.compression.stride
        recent = max(recent, a.compression.recent or a.window or 0)
        windows += layers
        if a.cache_of_others or not a.compression.recent:
            continue
        places[_aligned(_PACKED_TOKENS // stride * entry)] += layers
        if a.indexer.dim:
            places[_aligned(_PACKED_TOKENS // stride * (a.indexer.dim + _INDEX_SCALE_BYTES))] += layers
        if stride > 1:
            states[(stride, 2 * stride) if a.indexer.dim else (_STATE_TOKENS, stride)] += layers
    counts = [max(places.values()), windows, *states.values()]
    size = min(range(counts[0], max(counts) + 1), key=lambda size: sum(-count % size for count in counts))
    widest = _aligned(_WINDOW_TOKENS * entry)
    places[widest] = max(places[widest], min(windows, size), *states.values())
    groups = [PageGroup(count=1, page_tokens=_PACKED_TOKENS)]
    groups.append(PageGroup(count=math.ceil(windows / size), page_tokens=_WINDOW_TOKENS, window=recent))
    groups += [
        PageGroup(count=math.ceil(layers / size), page_tokens=tokens, window=window)
        for (tokens, window), layers in states.items()
    ]
    return PagedCache(
        groups=tuple(groups),
        page_bytes=sum(size_bytes * layers for size_bytes, layers in places.items()),
        step_tokens=deployment.engine.batching.step_tokens,
    )


def _aligned(page_bytes: float) -> float:
    return math.ceil(page_bytes / _PACKED_MULTIPLE) * _PACKED_MULTIPLE


def _page_tokens(page_bytes: float, token_bytes: float) -> int:
    if not token_bytes:
        return 0
    return max(int(page_bytes / token_bytes + 1e-6) // PAGE_TOKENS, 1) * PAGE_TOKENS

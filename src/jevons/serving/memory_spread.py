"""How far the cache that an engine logs lies from the predicted one, and the chance that the engine starts.

What is wrong is what weights, a step and communicators take, so errors are shares of a device's memory, whatever is
left for the cache. ``data/memory_spread.json`` holds their 10 % and 90 % quantiles, written by
``scripts/fit_memory.py``: with the start-ups of one model left out, with those of a release left out (also for layouts
that are not on file), and twice those where no start-up of the engine, the kind of device or of attention is on file
whose log states each component.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jevons.facts.per_facts import per_facts
from jevons.intervals import Interval, normal_chance, shipped_ends
from jevons.operators.engines import Place
from jevons.serving.activations import activation_bytes, encoder_bytes
from jevons.serving.kv_pages import paged_cache
from jevons.serving.memory import (
    before_bytes,
    graph_bytes,
    memory_plan,
    reserved_bytes_per_request,
    stages_checked,
    start_spare_bytes,
)
from jevons.serving.memory_factors import MemoryFactors, memory_factors
from jevons.serving.types import Deployment, MemoryUse

_OUTPUT_BYTES = 2.0
_SMALL_SHARE, _MOST_SHARED = 0.5, 0.85
"""Share of its own default below which an engine's device is taken to be shared, and how sure its start then is."""
_DATA = Path(__file__).parent / "data" / "memory_spread.json"

NEARNESS = {
    "same": "start-ups of this release on this generation of devices are on file",
    "near": "start-ups of this engine are on file, but not of this release, generation of devices or kind of layout",
    "far": "no start-up of this engine, kind of device or attention, with adapters, tokens spread over devices or "
    "buffers that are not seen, is on file by component, or the model's file is not understood in full",
}
"""How near the start-ups are that a prediction rests on, nearest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSpread(Interval):
    """80 % interval of the cache less the predicted one, in shares of a device's memory, low <= 0 <= high.

    Its nearness is one of `NEARNESS`, its rows are start-ups.
    """

    @property
    def why(self) -> str:
        """What the width rests on, in words."""
        return f"{NEARNESS[self.nearness]}; from {self.rows:,} start-ups that the fit had not seen"


def shipped() -> Mapping[str, Any]:
    """Return the document that ships."""
    return shipped_ends(_DATA)


@per_facts()
def _measured() -> tuple[MemoryFactors, ...]:
    """Return how releases whose start-ups are on file use memory."""
    document = shipped()
    return tuple(memory_factors(document["engine"], Place(release=tuple(r))) for r in document["releases"])


def nearness_of(deployment: Deployment) -> str:
    """Return how near the start-ups are that a deployment's memory rests on, one of `NEARNESS`."""
    document, engine = shipped(), deployment.engine
    if engine.name != document["engine"] or deployment.accelerator.vendor != document["vendor"]:
        return "far"
    loaded = engine.loaded
    if deployment.model.warnings or loaded.adapters or loaded.cache_ranks > 1.0 or loaded.buffers_unseen:
        return "far"
    if any(group.attention.indexer.dim or group.attention.compression.recent for group in deployment.model.layers):
        return "far"
    newest = replace(engine.memory, any_release=0.0)
    on_file = newest in _measured() and deployment.accelerator.generation in document["generations"]
    return "same" if on_file and _of_a_kind_on_file(deployment) else "near"


def _of_a_kind_on_file(deployment: Deployment) -> bool:
    """Whether start-ups on file are of such a deployment: tensor parallelism alone, no drafts, no recurrent states."""
    layout = deployment.layout
    alone = layout.pp * layout.dp * layout.ep == 1 and not deployment.draft_tokens
    return alone and not any(group.attention.mixer.state_elements for group in deployment.model.layers)


def _adapted_graph_bytes(deployment: Deployment) -> float:
    """Return by how much graphs of a server that takes adapters may take more than is told: as much again."""
    return graph_bytes(deployment) if deployment.engine.loaded.adapters else 0.0


def _warm_up_bytes(deployment: Deployment) -> float:
    """Return by how much a start with recurrent layers may charge its graphs for more than they are told to take.

    Their kernels are warmed up on a whole step while the graphs are measured, and its outputs may be counted twice in
    each layer.

    References
    ----------
    vLLM, issues 50780 and 52872: by a fifth of the cache, growing with the step; nothing on some cards.
    """
    if not deployment.engine.memory.graphs.states_charged or not graph_bytes(deployment):
        return 0.0
    widths = sum(
        group.count * group.attention.heads * group.attention.v_head_dim
        for group in deployment.model.layers
        if group.attention.kind == "linear"
    )
    layout = deployment.layout
    return 2.0 * _OUTPUT_BYTES * widths * deployment.engine.batching.step_tokens / layout.tp / layout.pp


def cache_spread(deployment: Deployment) -> CacheSpread:
    """Return the 80 % interval of a deployment's cache.

    A step of compressed attention may take twice what is told: users' logs have up to that, on each kind of device. A
    vision encoder's run at the start may be the largest, or a small part of what else is run. Graphs with adapters may
    take twice what is told: none were measured. Recurrent layers may be charged for a warm-up.
    """
    nearness = nearness_of(deployment)
    low, high, rows = shipped()["quantiles"][nearness]
    if any(group.attention.compression.recent for group in deployment.model.layers):
        low -= activation_bytes(deployment) / deployment.accelerator.hbm_bytes
    charged = encoder_bytes(deployment) + _adapted_graph_bytes(deployment) + _warm_up_bytes(deployment)
    low -= charged / deployment.accelerator.hbm_bytes
    return CacheSpread(low=low, high=high, nearness=nearness, rows=rows)


def cache_ends(deployment: Deployment, use: MemoryUse) -> tuple[MemoryUse, MemoryUse]:
    """Return the memory's use with the least and the largest cache of the interval, none below zero bytes.

    A cache of as many tokens as the server is told has no more.
    """
    spread, whole = cache_spread(deployment), deployment.accelerator.hbm_bytes
    low, high = (max(use.kv_bytes + end * whole, 0.0) for end in (spread.low, spread.high))
    if deployment.kv_tokens:
        high = max(use.kv_bytes, 0.0)
    return replace(use, kv_bytes=low), replace(use, kv_bytes=high)


def start_surplus_bytes(deployment: Deployment) -> tuple[float, float]:
    """Return by how much a start's demands on the cache, and on what is beside it, are met; below zero if not [bytes].

    The cache holds one sequence of the greatest length, unless the engine then serves shorter ones, and a page of
    recurrent states for every running request; a step, or captured graphs and the sampler's warm-up, fit beside it. A
    full step beside a full cache needs what the engine's share leaves of the device for what it does not count.
    """
    use, factors = memory_plan(deployment), deployment.engine.memory
    if use.kv_bytes <= 0.0:
        return use.kv_bytes, math.inf
    longest = deployment.longest
    if not factors.paged:
        least = 0.0 if deployment.serves_shorter else reserved_bytes_per_request(deployment, float(longest))
        beside_bytes = deployment.shown_bytes - use.room_bytes if factors.share_static else math.inf
        return _cache_surplus_bytes(deployment, use, least), beside_bytes
    cache = paged_cache(deployment)
    sequence = float(cache.pages_at_most(longest)) * cache.page_bytes * stages_checked(deployment)
    least = 0.0 if deployment.serves_shorter else sequence
    if factors.states.states_checked and any(group.attention.mixer.state_elements for group in deployment.model.layers):
        least = max(least, float(deployment.engine.batching.max_batch) * cache.page_bytes)
    free_bytes = deployment.accelerator.usable_bytes - before_bytes(deployment) - use.room_bytes
    spare_bytes = min(start_spare_bytes(deployment, use), max(free_bytes, 0.0))
    return _cache_surplus_bytes(deployment, use, least), spare_bytes


def _cache_surplus_bytes(deployment: Deployment, use: MemoryUse, least: float) -> float:
    """Return by how much a cache exceeds the least that does, with what lies free where the server is told its size."""
    surplus = use.kv_bytes - least
    if not deployment.kv_tokens or surplus < 0.0:
        return surplus
    return surplus + memory_plan(replace(deployment, kv_tokens=0)).kv_bytes - use.kv_bytes


def start_chance(deployment: Deployment, *, starts: bool) -> float:
    """Return the probability that a deployment starts.

    Errors to either side are normal about the prediction, so that what is predicted to start does with 50 % or more. A
    larger step than predicted takes of the cache alone.

    Parameters
    ----------
    deployment : Deployment
        The server.
    starts : bool
        Whether it is predicted to; where memory is enough and it does not all the same, the probability is 0.
    """
    surpluses = start_surplus_bytes(deployment)
    if not starts and min(surpluses) >= 0.0:
        return 0.0
    low, high, _ = shipped()["quantiles"][nearness_of(deployment)]
    low -= _adapted_graph_bytes(deployment) / deployment.accelerator.hbm_bytes
    ends = ((cache_spread(deployment).low, high), (low, high))
    chance = min(_chance_of(surplus, deployment, *spread) for surplus, spread in zip(surpluses, ends, strict=True))
    return min(chance, _MOST_SHARED) if _may_share(deployment) else chance


def _may_share(deployment: Deployment) -> bool:
    """Return whether a device may be held by others too, which the release would count: of a small share it is given.

    Nobody says what others hold.
    """
    small = deployment.share_frac < _SMALL_SHARE * deployment.engine.batching.memory_frac
    return small and deployment.engine.memory.earlier.counts_others > 0.0


def _chance_of(surplus_bytes: float, deployment: Deployment, low: float, high: float) -> float:
    end = -low if surplus_bytes >= 0.0 else high
    return normal_chance(surplus_bytes / deployment.accelerator.hbm_bytes, -end, end)

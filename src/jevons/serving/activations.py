"""What the largest step takes on a device beside weights and cache."""

from __future__ import annotations

import math

from jevons.models import Attention, FeedForward
from jevons.serving.precisions import weight_precision
from jevons.serving.types import Deployment

_PATCHES, _PATCH_WIDTHS, _SQUARES = 4.0, 24.0, 400.0
_SCALE_BYTES = 4.0
"""Scale beside each of an indexer's keys."""


def rounded_up(size: float, multiple: float) -> float:
    """Return the least multiple that is not below a size; the size itself where the multiple is 0."""
    return math.ceil(size / multiple) * multiple if multiple else size


def activation_bytes(deployment: Deployment) -> float:
    """Return the peak of the largest step beside weights and cache on one device [bytes].

    Notes
    -----
    Where an engine's start-ups were measured: the larger of a layer's peak and the sampler's, which holds the logits of
    every running request several times, on each device of a tensor-parallel group. The buffer that expert layers and
    indexers share stays. Early releases counted all that the allocator held after the step, in which no part takes the
    place of another.

    References
    ----------
    vLLM, ``sparse_attn_indexer.py``, ``indexer.py`` (get_max_prefill_buffer_size) and ``models/deepseek_v4``.
    """
    model, layout, engine = deployment.model, deployment.layout, deployment.engine
    tokens, factors = float(engine.batching.step_tokens), engine.memory
    rows = min(engine.batching.max_batch, engine.batching.step_tokens)
    if not factors.paged:
        widest = max(_inner(group.feed_forward) for group in model.layers)
        plain = 2.0 * tokens * (4.0 * model.hidden + 2.0 * widest / layout.tp)
        return plain + 4.0 * rows * model.vocab / layout.tp
    stream = 2.0 * tokens * model.hidden
    images = 3.0 * stream if deployment.encodes else 0.0
    experts = max(_expert_workspace_bytes(deployment, group.feed_forward) for group in model.layers)
    dense = 6.0 * tokens * max(group.feed_forward.hidden_inner for group in model.layers) / layout.tp
    attention = max(_compressed_attention_bytes(deployment, group.attention) for group in model.layers)
    gathered = max(_gather_bytes(deployment, group.attention) for group in model.layers)
    kept = factors.workspace_kept * max(experts, gathered)
    scores = factors.sparse.index_scores_bytes if gathered else 0.0
    held = max(dense, experts, attention + kept + scores)
    layer = factors.hidden_copies * stream + max(held, gathered) + images
    sampler = rows * model.vocab * factors.sampler_bytes + stream + factors.sampler_fixed_bytes + images
    if factors.earlier.peaks_added:
        return factors.hidden_copies * stream + dense + experts + sampler
    return max(layer, sampler + kept)


def _compressed_attention_bytes(deployment: Deployment, a: Attention) -> float:
    """Return what one layer of compressed latent attention holds for one step's tokens.

    Queries, a copy of them and the outputs, both padded to the kernel's heads; entries being made, in 32 bits; the
    indexer's queries in 16 and in 8 bits. Two copies of the residual streams lie beside them.
    """
    padding = deployment.engine.memory.sparse.latent_heads
    if not padding or not a.latent.one_vector:
        return 0.0
    heads = a.heads / deployment.layout.tp
    padded = rounded_up(heads, padding)
    held = 2.0 * a.head_dim * (2.0 * padded + (heads if padded > heads else 0.0))
    held += 4.0 * a.compression.inner + 3.0 * a.indexer.heads * a.indexer.dim
    held += 4.0 * a.streams * deployment.model.hidden
    return deployment.engine.batching.step_tokens * held


def _gather_bytes(deployment: Deployment, a: Attention) -> float:
    """Return the buffer that a layer with an indexer gathers the cache of a step's prompts in, of index keys or of all.

    It is made for the greatest length, whatever prompts come.
    """
    factors, longest = deployment.engine.memory.sparse, float(deployment.longest)
    if a.kind != "mla" or not a.indexer.dim:
        return 0.0
    keys = factors.index_entries * longest / a.compression.stride * (a.indexer.dim + _SCALE_BYTES)
    if not a.latent.one_vector:
        return keys
    seen = longest / a.compression.stride + a.compression.recent + deployment.engine.batching.step_tokens
    return max(keys, 2.0 * factors.gathered_prompts * seen * a.latent.cached_dim)


def encoder_bytes(deployment: Deployment) -> float:
    """Return about what a start's run of a vision encoder takes on the largest image or video [bytes].

    0 without one, or where images have a fixed number of tokens. A token stands for four patches, each of which holds
    some 24 widths of the encoder in 16 bits in a layer's attention: the residual stream and its norm (2), queries,
    keys and values (3) and their copies by head (3), queries and keys rotated in 32 bits (8) and taken back (2), pixels
    in 32 and in 16 bits and the tokens made (6). The width is that of an encoder of thirty layers with so many
    parameters.

    References
    ----------
    vLLM, ``models/qwen2_5_vl.py``: ``Qwen2_5_VisionAttention`` and ``apply_rotary_pos_emb_vision``.
    """
    factors, model, loaded = deployment.engine.memory, deployment.model, deployment.engine.loaded
    if not model.free_images or not deployment.encodes:
        return 0.0
    tokens = factors.encoded_tokens if loaded.takes_images else 0.0
    if factors.earlier.encodes_longest and loaded.takes_videos:
        tokens = max(tokens, float(deployment.longest))
    return _PATCHES * tokens * _PATCH_WIDTHS * 2.0 * math.sqrt(model.vision_parameters / _SQUARES)


def _expert_workspace_bytes(deployment: Deployment, block: FeedForward) -> float:
    """Return the two buffers of a grouped product over one step's tokens.

    Kernels made for models whose experts alone are quantised, to MXFP4, keep none.
    """
    stored = weight_precision(deployment)
    if block.kind != "moe" or (stored.experts == "mxfp4" and stored.dense == "bf16"):
        return 0.0
    layout, hidden = deployment.layout, float(block.latent or deployment.model.hidden)
    inner = block.expert_inner / layout.expert_tp
    sides = 2.0 if block.gated else 1.0
    tokens, most = float(deployment.engine.batching.step_tokens), deployment.engine.memory.earlier.expert_step
    rows = min(tokens, most) if most and stored.experts != "int4" else tokens
    rows *= block.experts_per_token
    if layout.ep > 1:
        rows *= (layout.dp if layout.dp_attention else 1.0) / layout.ep
    return 2.0 * rows * (max(sides * inner, hidden) + max(inner, hidden))


def _inner(block: FeedForward) -> float:
    return float(max(block.hidden_inner, block.expert_inner * max(block.experts_per_token, 1), block.shared_inner))

"""DeepSeek-V4 and V4.1: a cache in which one entry stands for several tokens, and several residual streams."""

from __future__ import annotations

from dataclasses import replace

from jevons.models import _mixers
from jevons.models._config import Config
from jevons.models._plain import Layers, Traits, moe
from jevons.models.types import Attention, Compression, Indexer, Latent

_OVERLAPPING = 4
"""Tokens an entry stands for up to which entries overlap by half and an indexer chooses among them."""


def deepseek_v4(config: Config) -> Layers:
    """Return DeepSeek-V4's layers, each with its own compression of the cache.

    Notes
    -----
    One vector a token serves all heads as key and as value. A layer keeps the last tokens whole and, at ratio 128, one
    entry for 128 tokens that all queries see; at ratio 4, one for 4 tokens of which an indexer chooses. Ratio 0 has the
    window alone. Heads are projected in groups to a low rank before the output. Each block reads and writes several
    residual streams through small matrices.

    References
    ----------
    DeepSeek-V4's report and its classes in Transformers.
    """
    depth = _mixers.depth(config)
    ratios = config.numbers("compress_ratios")[:depth]
    rates = config.section("compress_rates")
    if not ratios and config.words("layer_types"):
        names = {
            "compressed_sparse_attention": rates.integer("compressed_sparse_attention", default=4, least=1),
            "heavily_compressed_attention": rates.integer("heavily_compressed_attention", default=128, least=1),
        }
        ratios = [names.get(word, 0) for word in config.words("layer_types")[:depth]]
    if len(ratios) < depth:
        config.fault("compress_ratios", f"names {len(ratios)} layers of {depth}")
        ratios += [0] * (depth - len(ratios))
    makes = {ratio: _attention(config, ratio) for ratio in set(ratios)}
    routed = moe(config, Traits(router_bias=True))
    return [(makes[ratio], routed) for ratio in ratios]


def deepseek_v41(config: Config) -> Layers:
    """Return DeepSeek-V4.1's layers: as V4's, but few layers cache entries and index keys, which those after them read.

    References
    ----------
    ``kv_source_layer_ids`` and ``index_source_layer_ids`` of its config.json. Ratio 1 has an entry for each token.
    """
    depth = _mixers.depth(config)
    ratios = config.numbers("compress_ratios")[:depth]
    if len(ratios) < depth:
        config.fault("compress_ratios", f"names {len(ratios)} layers of {depth}")
        ratios += [0] * (depth - len(ratios))
    caching = set(config.numbers("kv_source_layer_ids"))
    choosing = set(config.numbers("index_source_layer_ids"))
    local, routed = _attention(config, 0), moe(config, Traits(router_bias=True))
    index = config.integer("index_head_dim", default=128, least=1)
    heads = config.integer("index_n_heads", default=64, least=1)
    topk = config.integer("index_topk", default=512, least=1)
    makes = []
    for layer, ratio in enumerate(ratios):
        own = layer in caching
        compressed = replace(
            local,
            window=None,
            cache_of_others=not own,
            compression=Compression(
                stride=max(ratio, 1), recent=local.window or 0, inner=4 * (local.head_dim + index) if own else 0
            ),
            indexer=Indexer(topk=topk, heads=heads if layer in choosing else 0, dim=index if own else 0),
        )
        makes.append((compressed if ratio else local, routed))
    return makes


def _attention(config: Config, ratio: int) -> Attention:
    hidden = _mixers.width(config)
    dim, rope = config.integer("head_dim", least=1), config.integer("qk_rope_head_dim", default=64)
    window = config.integer("sliding_window", default=128, least=1)
    heads = config.integer("num_attention_heads", least=1, most=100_000)
    streams = config.integer("hc_mult", default=1, least=1, most=1000)
    nope = max(dim - rope, 1)
    connections = (2 + streams) * streams
    layer = Attention(
        kind="mla",
        heads=heads,
        kv_heads=heads,
        head_dim=dim,
        v_head_dim=dim,
        latent=Latent(
            q_lora_rank=config.integer("q_lora_rank", default=0),
            kv_lora_rank=nope,
            rope_dim=dim - nope,
            nope_dim=nope,
            one_vector=True,
        ),
        output_groups=config.integer("o_groups", default=0, most=100_000),
        output_rank=config.integer("o_lora_rank", default=0),
        streams=streams,
        extra_parameters=2 * connections * (streams * hidden + 1) + heads if streams > 1 else heads,
    )
    if ratio <= 1:
        return replace(layer, window=window)
    if ratio > _OVERLAPPING:
        return replace(layer, compression=Compression(stride=ratio, recent=window, inner=2 * dim))
    index = config.integer("index_head_dim", default=128, least=1)
    return replace(
        layer,
        compression=Compression(stride=ratio, recent=window, inner=4 * (dim + index)),
        indexer=Indexer(
            topk=config.integer("index_topk", default=512, least=1),
            heads=config.integer("index_n_heads", default=64, least=1),
            dim=index,
        ),
    )

"""Which make each layer is of, from the many keys by which publishers say so."""

from __future__ import annotations

from jevons.models._config import Config

FULL, LOCAL, STATE, BOTH, NEITHER = "full", "local", "state", "both", "neither"

_WORDS = {
    "full_attention": FULL, "attention": FULL, "global_attention": FULL, "full": FULL, "global": FULL, "attn": FULL,
    "sliding_attention": LOCAL, "sliding": LOCAL, "local_attention": LOCAL, "local": LOCAL, "swa": LOCAL,
    "indexed_attention": FULL, "deepseek_sparse_attention": FULL, "reference_sliding_attention": LOCAL,
    "chunked_attention": LOCAL, "sliding_window": LOCAL, "sliding_window_attention": LOCAL,
    "linear_attention": STATE, "linear": STATE, "mamba": STATE, "mamba2": STATE, "conv": STATE, "recurrent": STATE,
    "ssm": STATE, "kda": STATE, "gdn": STATE, "lightning": STATE, "hybrid": BOTH, "mlp": NEITHER, "moe": NEITHER,
}  # fmt: skip


def layer_kinds(config: Config, depth: int, *, every: int = 0, all_local: bool = False) -> list[str]:
    """Return the make of each layer: `FULL`, `LOCAL` (a window), `STATE` (no growing cache), `BOTH` or `NEITHER`.

    Parameters
    ----------
    config : Config
        Where the keys are.
    depth : int
        Number of layers.
    every : int
        One layer in so many is full and the others local, where the config names none; 0 for all full.
    all_local : bool
        Whether a window holds for all layers where nothing else is said.
    """
    named = config.words("layer_types", "layers_block_type", "block_types", "_block_types", "layer_type_list")
    if named:
        return _named(config, named, depth)
    numbered = config.numbers("attn_type_list", "attention_type_list")
    if numbered:
        return _stretched([FULL if number else STATE for number in numbered], depth)
    if isinstance(config.raw.get("linear_attn_config"), dict):
        full = set(config.section("linear_attn_config").numbers("full_attn_layers"))
        return [FULL if index + 1 in full else STATE for index in range(depth)]
    for key in ("attn_layer_indices", "full_attn_idxs", "attention_layers_idx"):
        chosen = config.numbers(key) if isinstance(config.raw.get(key), list) else []
        if chosen:
            return [FULL if index in chosen else STATE for index in range(depth)]
    if config.raw.get("attn_layer_period") is not None:
        period = config.integer("attn_layer_period", least=1)
        offset = config.integer("attn_layer_offset", default=0)
        return [FULL if index % period == offset % period else STATE for index in range(depth)]
    if config.raw.get("full_attention_interval") is not None and config.raw.get("linear_num_value_heads") is not None:
        interval = config.integer("full_attention_interval", least=1)
        return [FULL if (index + 1) % interval == 0 else STATE for index in range(depth)]
    return _windowed(config, depth, every, all_local)


def _named(config: Config, named: list[str], depth: int) -> list[str]:
    kinds = []
    for place, word in enumerate(named[:depth]):
        kind = _WORDS.get(word.lower())
        if kind is None:
            known = ", ".join(list(_WORDS)[:8])
            config.fault(f"layer_types.{place}", f"{word[:40]!r}: unknown kind of layer; known are {known}, …")
            kind = FULL
        kinds.append(kind)
    return _stretched(kinds, depth)


def _stretched(kinds: list[str], depth: int) -> list[str]:
    """Return a pattern repeated over all layers."""
    return [kinds[index % len(kinds)] for index in range(depth)]


def _windowed(config: Config, depth: int, every: int, all_local: bool) -> list[str]:
    pattern = config.raw.get("sliding_window_pattern", config.raw.get("_sliding_window_pattern"))
    if isinstance(pattern, str) and pattern and not set(pattern.upper()) - set("LG"):
        return _stretched([LOCAL if letter == "L" else FULL for letter in pattern.upper()], depth)
    if isinstance(pattern, list):
        return _stretched(
            [LOCAL if item else FULL for item in config.numbers("sliding_window_pattern")] or [FULL], depth
        )
    for key in ("sliding_window_pattern", "_sliding_window_pattern", "global_attn_every_n_layers"):
        every = config.integer(key, default=every, least=1) if config.raw.get(key) is not None else every
    if every:
        return [FULL if (index + 1) % every == 0 else LOCAL for index in range(depth)]
    if not config.window("sliding_window"):
        return [FULL] * depth
    if config.raw.get("use_sliding_window"):
        first = config.integer("max_window_layers", default=0)
        return [LOCAL if index >= first else FULL for index in range(depth)]
    return [LOCAL if all_local and config.raw.get("use_sliding_window") is None else FULL] * depth


def indexers(config: Config, depth: int) -> list[bool]:
    """Return which layers choose tokens themselves; the others take those that an earlier layer chose (GLM-5.2)."""
    words = config.words("indexer_types")
    if len(words) >= depth:
        return [word != "shared" for word in words[:depth]]
    every = config.integer("index_topk_freq", default=1, least=1)
    first = config.integer("index_skip_topk_offset", default=0)
    return [index < first or (index - first + 1) % every == 0 for index in range(depth)]


def sparse_layers(config: Config, depth: int) -> list[bool]:
    """Return which layers have experts: all, unless dense ones are named by number, period, range or list."""
    words = config.words("mlp_layer_types") if isinstance(config.raw.get("mlp_layer_types"), list) else []
    if words:
        return [word != "dense" for word in words[:depth]] + [True] * (depth - len(words))
    for key in ("moe_layer_freq", "is_moe_layer", "moe_layers_pattern"):
        pattern = config.numbers(key) if isinstance(config.raw.get(key), list) else []
        if len(pattern) >= depth:
            return [bool(item) for item in pattern[:depth]]
    for key in ("moe_layers", "moe_layers_enum", "moe_layer_ids"):
        if config.raw.get(key):
            return _members(config, key, depth)
    if config.raw.get("expert_layer_period") is not None:
        period, offset = (
            config.integer("expert_layer_period", least=1),
            config.integer("expert_layer_offset", default=0),
        )
        return [index % period == offset % period for index in range(depth)]
    first = _first(config, "first_k_dense_replace", "num_dense_layers", "moe_layer_start_index", default=0)
    last = _first(config, "moe_layer_end_index", default=-1)
    only = set(config.numbers("mlp_only_layers"))
    step = config.integer("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval", default=1, least=1)
    interval = 1
    if not isinstance(config.raw.get("moe_layer_freq"), list):
        interval = config.integer("moe_layer_freq", default=1, least=1)
    return [
        first <= index <= (depth if last < 0 else last) and index not in only
        and (index + 1) % step == 0 and index % interval == 0
        for index in range(depth)
    ]  # fmt: skip


def _first(config: Config, *names: str, default: int) -> int:
    """Return a whole number; of a list, as vision models give one for text and one for images, its first item."""
    for name in names:
        if isinstance(config.raw.get(name), list) and config.raw[name]:
            return config.numbers(name)[0] if config.numbers(name) else default
    return config.integer(*names, default=default, least=-1)


def _members(config: Config, key: str, depth: int) -> list[bool]:
    """Return the layers that a list of numbers, or a text of them, names."""
    raw = config.raw[key]
    items = raw.split(",") if isinstance(raw, str) else config.numbers(key)
    chosen = {int(item) for item in items if str(item).strip().isdigit()}
    if not chosen:
        config.fault(key, "must list the numbers of the layers that have experts")
    return [index in chosen for index in range(depth)]

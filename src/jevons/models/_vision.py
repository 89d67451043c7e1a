"""Parameters of the tower that turns images into tokens, from `vision_config`; the text decoder is read elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GATED = ("pixtral", "qwen2_5_vl")


def vision_parameters(raw: Mapping[str, Any], hidden: int) -> int:
    """Return the parameters of a vision tower and its projector into a decoder of width *hidden*; 0 without one.

    Notes
    -----
    Per layer ``4 h^2`` of attention and two or, where gated, three matrices ``h x inner``; the patches' embedding; a
    projector from ``merge^2`` patches of width ``h`` to the decoder. Within 5 % of the published towers. Experts that
    only tokens of images take (ERNIE 4.5 VL) count here.
    """
    return _image_experts(raw, hidden) + _tower_parameters(raw, hidden)


def free_images(raw: Mapping[str, Any]) -> bool:
    """Whether an image takes as many tokens as it is large: its tower joins neighbouring patches of any number."""
    tower = raw.get("vision_config")
    return isinstance(tower, Mapping) and any(key in tower for key in ("spatial_merge_size", "merge_kernel_size"))


def _image_experts(raw: Mapping[str, Any], hidden: int) -> int:
    """Return the experts of images, where a config lists one number for text and one for images."""
    experts, inner = raw.get("moe_num_experts"), raw.get("moe_intermediate_size")
    depth = raw.get("num_hidden_layers")
    if not (isinstance(experts, list) and isinstance(inner, list) and len(experts) > 1 and len(inner) > 1):
        return 0
    sizes = [size for size in (experts[1], inner[1], depth) if isinstance(size, int) and 1 < size < 1_000_000]
    if len(sizes) < 3:
        return 0
    count, width, layers = sizes
    return 3 * hidden * count * width * (layers - 1)


def _tower_parameters(raw: Mapping[str, Any], hidden: int) -> int:
    tower = raw.get("vision_config")
    if not isinstance(tower, Mapping):
        return 0

    def size(*names: str, default: int) -> int:
        for name in names:
            value = tower.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1_000_000:
                return int(value)
        return default

    width = size("hidden_size", "vt_hidden_size", "embed_dim", "width", default=0)
    depth = size("num_hidden_layers", "vt_num_hidden_layers", "depth", "layers", default=0)
    if not width or not depth:
        return 0
    kind = str(tower.get("model_type", ""))
    inner = size("intermediate_size", "vt_intermediate_size", "mlp_dim", default=4 * width)
    if kind.startswith("qwen2_vl"):
        width = size("embed_dim", default=width)
        inner = 4 * width
    sides = 3 if kind.startswith(_GATED) else 2
    patch = size("patch_size", default=14)
    merge = size("spatial_merge_size", default=1)
    joined = width * merge**2
    layers = depth * (4 * width**2 + sides * width * inner)
    return layers + 3 * patch**2 * width + joined * (joined + hidden)

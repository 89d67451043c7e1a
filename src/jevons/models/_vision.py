"""Parameters of the tower that turns images into tokens, from `vision_config`; the text decoder is read elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_GATED = ("pixtral", "qwen2_5_vl")


def vision_parameters(raw: Mapping[str, Any], hidden: int) -> int:
    """Return the parameters of encoders of images and of sound, and of a projector into a decoder of width *hidden*.

    Notes
    -----
    0 without any. Per layer ``4 h^2`` of attention and two or, where gated, three matrices ``h x inner``; the patches'
    embedding; a projector from ``merge^2`` patches of width ``h`` to the decoder. Within 5 % of the published towers.
    Experts that only tokens of images take (ERNIE 4.5 VL) count here.
    """
    inside = _inside(raw)
    return _image_experts(raw, hidden) + _tower_parameters(inside, hidden) + _sound_parameters(inside)


def free_images(raw: Mapping[str, Any]) -> bool:
    """Whether an image takes as many tokens as it is large: its tower joins neighbouring patches of any number."""
    tower = _inside(raw).get("vision_config")
    return isinstance(tower, Mapping) and any(key in tower for key in ("spatial_merge_size", "merge_kernel_size"))


def _inside(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of a file that describes the towers: of models that talk, the one that listens and looks."""
    thinker = raw.get("thinker_config")
    return thinker if isinstance(thinker, Mapping) and "vision_config" not in raw else raw


def _size(section: Mapping[str, Any], *names: str, default: int = 0) -> int:
    for name in names:
        value = section.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1_000_000:
            return int(value)
    return default


def _sound_parameters(raw: Mapping[str, Any]) -> int:
    """Return the parameters of an encoder of Whisper's make, by either of its names for sizes; 0 of others.

    Those are small beside a decoder.
    """
    encoder = raw.get("audio_config")
    if not isinstance(encoder, Mapping):
        return 0
    width, depth = _size(encoder, "d_model"), _size(encoder, "encoder_layers")
    inner = _size(encoder, "encoder_ffn_dim", default=4 * width)
    if not width and "num_mel_bins" in encoder:
        width, depth = _size(encoder, "hidden_size"), _size(encoder, "num_hidden_layers")
        inner = _size(encoder, "intermediate_size", default=4 * width)
    return depth * (4 * width**2 + 2 * width * inner)


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

    width = _size(tower, "hidden_size", "vt_hidden_size", "embed_dim", "width")
    depth = _size(tower, "num_hidden_layers", "vt_num_hidden_layers", "depth", "layers")
    if not width or not depth:
        return sum(_named_tower(one) for one in _mappings(tower.get("width")))
    kind = str(tower.get("model_type", ""))
    inner = _size(tower, "intermediate_size", "vt_intermediate_size", "mlp_dim", default=4 * width)
    if kind.startswith("qwen2_vl"):
        width = _size(tower, "embed_dim", default=width)
        inner = 4 * width
    if kind.startswith("glm4v"):
        return _merging_tower(tower, width, depth, inner)
    sides = 3 if kind.startswith(_GATED) else 2
    patch = _size(tower, "patch_size", default=14)
    merge = _size(tower, "spatial_merge_size", default=1)
    joined = width * merge**2
    layers = depth * (4 * width**2 + sides * width * inner)
    return layers + 3 * patch**2 * width + joined * (joined + hidden)


def _merging_tower(tower: Mapping[str, Any], width: int, depth: int, inner: int) -> int:
    """Return a tower of GLM's: gated layers as wide inside as the decoder, where a gated layer of *inner* follows.

    References
    ----------
    Transformers, ``Glm4vVisionMLP`` and ``Glm4vVisionPatchMerger``.
    """
    out, merge = _size(tower, "out_hidden_size", default=inner), _size(tower, "spatial_merge_size", default=1)
    layers = depth * (4 * width**2 + 3 * width * out)
    merger = merge**2 * width * out + out**2 + 3 * out * inner
    patch = _size(tower, "patch_size", default=14)
    return layers + merger + 3 * _size(tower, "temporal_patch_size", default=1) * patch**2 * width


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value.values() if isinstance(one, Mapping)] if isinstance(value, Mapping) else []


def _named_tower(tower: Mapping[str, Any]) -> int:
    """Return the layers of one of several towers that a file lists by name (DeepSeek-OCR: CLIP and SAM)."""
    width = _size(tower, "width", "hidden_size")
    return 12 * width**2 * _size(tower, "layers", "num_hidden_layers", "depth")

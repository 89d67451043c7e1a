"""What a launch line's settings mean for a deployment: each engine counts ranks, limits and drafts its own way."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jevons import models
from jevons.errors import InputError
from jevons.models import ModelSpec
from jevons.operators.engines import ANYWHERE, Place, engine_number, engine_text, patch_of
from jevons.operators.types import PRECISION_ALIASES, PRECISIONS
from jevons.serving.launch.line import EXPERT_KERNELS, LONGER, LaunchLine, Setting
from jevons.serving.launch.types import on_host, positive_whole
from jevons.serving.types import Deployment, Layout

_DRAFTED = 3
"""Tokens drafted where a line turns drafting on and says no number: SGLang's own choice for most models."""
_HEADS = re.compile(r"eagle|mtp|medusa|nextn|dflash|hydra|dspark|speculator")
_MTP_METHODS = ("num_speculative_tokens", "num_nextn_predict_layers", "max_draft_len", "num_steps")
_QUANTISED = {
    "fp8": "fp8", "fbgemm_fp8": "fp8", "ptpc_fp8": "fp8", "w8a8_fp8": "fp8", "modelopt": "fp8", "modelopt_fp8": "fp8",
    "modelopt_fp4": "fp4", "nvfp4": "fp4", "petit_nvfp4": "fp4", "mxfp4": "mxfp4", "quark_mxfp4": "mxfp4",
    "w4afp8": "w4a8",
    "awq": "int4", "awq_marlin": "int4", "gptq": "int4", "gptq_marlin": "int4", "gptq_marlin_24": "int4",
    "moe_wna16": "int4", "marlin": "int4", "bitsandbytes": "nf4", "experts_int8": "int8_wo", "int8": "int8",
    "w8a8_int8": "int8", "blockwise_int8": "int8", "tpu_int8": "int8", "rtn": "int8_wo", "qoq": "w4a8", "hqq": "int4",
}  # fmt: skip
_ASCEND = {"w4a8": "w4a8", "w4a16": "int4", "w8a16": "int8_wo"}
"""What `--quantization ascend` means by the checkpoint's name, which says it; 8 bits for both where it does not."""
_GGUF = re.compile(r"i?q\d")
"""How types of tensors in GGUF files begin, which hold a model anew whatever its own precision."""
_TAKING = frozenset({"kv-transfer-config", "ec-transfer-config", "enable-eplb", "enable-lmcache"})
"""Flags for which a server sets device memory aside that no prediction sees."""
_ON_HOST = re.compile(r"kt-|cpu-offload-(?:gb|params)$|offload-(?:group-size|num-in-group|params|prefetch-step)$")
"""How flags are called that keep weights in host memory."""
_AS_SHIPPED = frozenset({"compressed-tensors", "compressed_tensors", "gguf", "torchao", "quark", "auto", "none", "ipex",
                         "auto-round", "auto_round", "inc", "deepspeedfp", "mxfp8"})  # fmt: skip


class Given(NamedTuple):
    """An argument of a function and the flag of the line that gives it."""

    value: Any
    flag: str


def model_of(line: LaunchLine) -> str:
    """Return the model that a line serves, empty where none; a path in the cache of Hugging Face as its repository."""
    name = str(line.value("model", ""))
    cached = re.search(r"models--([\w.-]+?)--([\w.-]+?)(?:/|$)", name)
    return f"{cached[1]}/{cached[2]}" if cached else name


def layout_of(line: LaunchLine, *, moe: bool) -> Layout:
    """Return the layout of one instance.

    Notes
    -----
    vLLM multiplies: *dp* ranks of *tp* devices, which share experts where the model has any. SGLang divides: with
    attention ranks, *tp* counts all devices and *dp* the ranks within them; without, *dp* counts copies. TensorRT-LLM
    with attention ranks has as many as devices.

    Raises
    ------
    InputError
        If the degrees do not go together.
    """
    tp, pp, dp = (max(int(line.value(name, 1)), 1) for name in ("tp", "pp", "dp"))
    ep, shared = max(int(line.value("ep", 1)), 1), bool(line.value("all_experts", False))
    if line.engine == "sglang":
        shared = shared or str(line.value("all_to_all", "none")) not in {"none", "None"}
        if line.value("dp_attention", False) and dp > 1:
            if tp % dp:
                message = (
                    f"--serve: --dp {dp} does not divide --tp {tp}, which counts all devices of attention ranks; "
                    f"use --tp {max(tp // dp, 1) * dp}"
                )
                raise InputError(message)
            return Layout(
                tp=tp // dp, pp=pp, dp=dp, ep=(tp if shared else min(ep, tp)) if moe else 1, dp_attention=True
            )
        return Layout(tp=tp, pp=pp, dp=dp, ep=(tp if shared else min(ep, tp)) if moe else 1)
    if line.engine == "trtllm":
        if line.value("dp_attention", False) and tp > 1:
            return Layout(tp=1, pp=pp, dp=tp, ep=min(ep, tp) if moe else 1, dp_attention=True)
        return Layout(tp=tp, pp=pp, ep=min(ep, tp) if moe else 1)
    together = moe and dp > 1
    group = tp * dp if together else tp
    return Layout(tp=tp, pp=pp, dp=dp, ep=group if shared and moe else 1, dp_attention=together)


def changed_factors(line: LaunchLine) -> dict[str, float | str]:
    """Return the factors of its engine that a line changes, by name; see `jevons.serving.types.EngineFactors`.

    SGLang overlaps two batches, which hides exchanges between expert ranks, only where it is told to; vLLM's own share
    is of servers that nothing was told. Kernels for experts change those in MXFP4 alone.
    """
    changed: dict[str, float | str] = {}
    hidden = None if not engine_text(line.engine, "exchange_overlap_flag") else 0.0
    if line.value("two_batches", False):
        hidden = engine_number(line.engine, "two_batch_overlap_frac")
    if hidden is not None:
        changed |= {"ep_overlap_frac": hidden, "decode_ep_overlap_frac": hidden}
    experts = EXPERT_KERNELS.get(str(line.value("expert_kernels", "auto")))
    if "ahead" in line.settings:
        changed["composes_ahead"] = bool(line.value("ahead"))
    changed |= _loaded(line)
    return changed | ({"mxfp4_like": experts} if experts else {})


def _loaded(line: LaunchLine) -> dict[str, float]:
    """Return the fields of `jevons.serving.types.LoadedFactors` that a line changes.

    Raises
    ------
    InputError
        If the cache cannot be spread over as many devices as the line says.
    """
    media, text_only = line.value("media", {}), bool(line.value("text_only", False))
    loaded: dict[str, float] = {
        f"takes_{kind}s": False for kind in ("image", "video") if text_only or media.get(kind) == 0
    }
    if line.value("shortened", False):
        loaded["shortens"] = True
    if line.value("adapted", False):
        loaded["adapters"] = float(line.value("adapters", _stated(line.engine, "adapters", ANYWHERE)))
        loaded["adapter_rank"] = float(line.value("adapter_rank", _stated(line.engine, "adapter_rank", ANYWHERE)))
    if _TAKING & {flag.lstrip("-").replace("_", "-").split(".")[0] for flag in line.unmodelled}:
        loaded["buffers_unseen"] = True
    if line.value("cache_ranks", 1) > 1:
        loaded["cache_ranks"] = float(_cache_ranks(line))
    return loaded


def _check_host(line: LaunchLine) -> None:
    """Check that all weights are on accelerators.

    Raises
    ------
    InputError
        Naming the flag that keeps some in host memory.
    """
    flag = next((flag for flag in line.unmodelled if _ON_HOST.match(flag.lstrip("-").replace("_", "-"))), None)
    if flag is not None:
        raise InputError(on_host(flag))


def _cache_ranks(line: LaunchLine) -> int:
    """Return the devices that share the tokens of a sequence's cache: those that would keep the same ones.

    References
    ----------
    vLLM, ``--decode-context-parallel-size``: "tp_size needs to be divisible by dcp_size", and with grouped heads no
    more than copies of a head.
    """
    spec, stated = _spec(model_of(line)), line.settings["cache_ranks"]
    ranks, tp = int(stated.value), layout_of(line, moe=spec is None or spec.is_moe).tp
    heads = [1] if spec is None else [g.attention.kv_heads for g in spec.layers if g.attention.kind == "gqa"]
    most = tp // max(*heads, 1, 1) or 1
    if tp % ranks or ranks > most:
        use = max(size for size in range(1, min(ranks, most) + 1) if tp % size == 0)
        why = f"{most} of {tp} devices would keep the same tokens" if ranks > most else f"it must divide --tp {tp}"
        message = f"--serve: {stated.flag} {ranks}: {why}; use {use}"
        raise InputError(message)
    return ranks


def deployment_of(line: LaunchLine, model: str | None = None, release: Sequence[int] | None = None) -> dict[str, Given]:
    """Return the arguments of `jevons.memory` and its like that a line gives, by name.

    Parameters
    ----------
    line : LaunchLine
        As `read_launch` returns it.
    model : str, optional
        The model, where the line's name is a path that says nothing.
    release : sequence of int, optional
        Of the engine, where the line names none.

    Raises
    ------
    InputError
        If degrees do not go together, or a precision is unknown.
    """
    _check_host(line)
    spec = _spec(model or model_of(line))
    arguments: dict[str, Given] = {"engine": Given(line.engine, f"`{line.engine}`")}
    if line.release:
        arguments["engine_version"] = Given(line.release, f"release {line.release}")
    if "model" in line.settings:
        arguments["model"] = Given(_stretched(line, spec), line.settings["model"].flag)
    arguments |= _layout_arguments(line, spec)
    known = patch_of(line.release) or tuple(release or ())
    arguments |= _limits(line, 0 if spec is None else spec.max_context, known)
    precision = _precision(line, spec)
    if precision is not None:
        arguments["precision"] = precision
    cache = line.settings.get("kv_dtype")
    if cache is None:
        stated = line.value("kv_cache", {})
        cache = Setting(stated["dtype"], "kv_cache_config.dtype") if "dtype" in stated else None
    if cache is not None and str(cache.value).lower() != "auto":
        arguments["kv_precision"] = Given(_cache(str(cache.value)), cache.flag)
    if "kv_bytes" in line.settings and spec is not None:
        arguments["kv_tokens"] = _tokens_in(line, spec, arguments)
    for counted in ("replicas", "prefill_replicas", "prefill_tp"):
        if counted in line.settings:
            arguments[counted] = Given(*_pair(line.settings[counted]))
    drafted = _drafted(line)
    if drafted is not None:
        arguments["draft_tokens"] = drafted
        drafter = _drafter(line)
        if drafter is not None:
            arguments["draft_model"] = drafter
    return arguments


def _stretched(line: LaunchLine, spec: ModelSpec | None) -> str:
    """Return the name of a line's model, with the context that the line stretches it to where it does."""
    name = model_of(line)
    if spec is None or not spec.max_context or Path(name).exists():
        return name
    overrides = line.value("overrides", {})
    scaling = line.value("stretched") or overrides.get("rope_scaling") or overrides.get("rope_parameters") or {}
    scaling = scaling if isinstance(scaling, dict) else {}
    factor, first = scaling.get("factor", 1), scaling.get("original_max_position_embeddings", spec.max_context)
    stated = (overrides.get("max_position_embeddings", 0), line.value("max_model_len", 0))
    lengths = [positive_whole(length, math.inf) for length in stated]
    if all(isinstance(one, int | float) for one in (factor, first)) and factor > 1:
        longest = max(spec.max_context, factor * first, *lengths)
    elif lengths[0] or any(line.variables.get(variable) in {"1", "true", "True"} for variable in LONGER):
        longest = max(spec.max_context, *lengths)
    else:
        return name
    return name if longest <= spec.max_context else f"{name}-{min(math.ceil(longest / 1024), _MOST_K)}k"


_MOST_K = 9999


def names_known_model(line: LaunchLine) -> bool:
    """Return whether a line's model is on file; a path or a name of one's own may stand for any."""
    return _spec(model_of(line)) is not None


def _spec(model: str) -> ModelSpec | None:
    try:
        return models.load(model) if model else None
    except InputError:
        return None


def _tokens_in(line: LaunchLine, spec: ModelSpec, arguments: Mapping[str, Given]) -> Given:
    """Return how many tokens a cache of so many bytes on each device holds."""
    from jevons.hardware import accelerator
    from jevons.serving.calibration import engine_for
    from jevons.serving.memory import kv_bytes_per_request

    room = line.settings["kv_bytes"]
    layout = Layout(**{name: arguments[name].value for name in ("tp", "pp", "dp", "ep", "dp_attention")})
    cache = arguments.get("kv_precision", Given("bf16", "")).value
    longest = float(arguments.get("max_model_len", Given(spec.max_context or 8192, "")).value)
    any_device = Deployment(
        model=spec, accelerator=accelerator("h100_sxm"), layout=layout, precision="native", kv_precision=cache,
        engine=engine_for("vllm").replace(**_loaded(line)),
    )  # fmt: skip
    return Given(int(room.value / kv_bytes_per_request(any_device, longest) * longest), room.flag)


def _layout_arguments(line: LaunchLine, spec: ModelSpec | None) -> dict[str, Given]:
    names = ("tp", "pp", "dp", "ep", "all_experts", "dp_attention", "all_to_all")
    flags = [line.settings[name].flag for name in names if name in line.settings]
    layout = layout_of(line, moe=spec is None or spec.is_moe)
    said = " ".join(flags) or "its layout"
    own = {name: line.settings[name].flag for name in ("tp", "pp", "dp", "ep") if name in line.settings}
    arguments = {name: Given(getattr(layout, name), own.get(name, said)) for name in ("tp", "pp", "dp", "ep")}
    return arguments | {"dp_attention": Given(layout.dp_attention, said)}


def _limits(line: LaunchLine, context: int, release: tuple[int, ...]) -> dict[str, Given]:
    """Return limits of memory, sequences and steps; those that an engine counts over all ranks are divided."""
    limits: dict[str, Given] = {}
    for setting, name in (
        ("max_model_len", "max_model_len"), ("memory_frac", "gpu_memory_utilization"),
        ("max_num_seqs", "max_num_seqs"), ("step_tokens", "max_num_batched_tokens"), ("kv_tokens", "kv_tokens"),
        ("eager", "eager"), ("prefix_cache", "prefix_cache"),
    ):  # fmt: skip
        if setting in line.settings:
            limits[name] = Given(*_pair(line.settings[setting]))
    ranks = max(int(line.value("dp", 1)), 1)
    for setting, name in (("max_num_seqs_all", "max_num_seqs"), ("step_tokens_all", "max_num_batched_tokens")):
        if setting in line.settings:
            value, flag = _pair(line.settings[setting])
            shares = ranks if line.value("dp_attention", False) else 1
            limits[name] = Given(max(int(value) // shares, 1), flag)
    seats = engine_number(line.engine, "unstated_max_batch", Place(release=release or None))
    if seats is not None:
        limits.setdefault("max_num_seqs", Given(round(seats), f"release {'.'.join(map(str, release))}"))
    limits |= _whole_prompts(line, limits, context, release)
    if "kv_blocks" in line.settings:
        value, flag = _pair(line.settings["kv_blocks"])
        limits["kv_tokens"] = Given(int(value) * int(line.value("block_tokens", 16)), flag)
    if "host_gib" in line.settings:
        value, flag = _pair(line.settings["host_gib"])
        limits["host_gb"] = Given(float(value) * 2**30 / 1e9, flag)
    graphs = line.value("compilation", {})
    level = graphs.get("level", graphs.get("mode", line.value("optimization")))
    if "eager" not in limits and (level == 0 or str(graphs.get("cudagraph_mode", "")).upper() == "NONE"):
        limits["eager"] = Given(value=True, flag="--compilation-config")
    cache = line.value("kv_cache", {})
    if "free_gpu_memory_fraction" in cache:
        share = float(cache["free_gpu_memory_fraction"])
        limits.setdefault("gpu_memory_utilization", Given(share, "kv_cache_config.free_gpu_memory_fraction"))
    if cache.get("max_tokens"):
        limits["kv_tokens"] = Given(int(cache["max_tokens"]), "kv_cache_config.max_tokens")
    if cache.get("host_cache_size"):
        limits["host_gb"] = Given(float(cache["host_cache_size"]) / 1e9, "kv_cache_config.host_cache_size")
    if "enable_block_reuse" in cache:
        limits["prefix_cache"] = Given(bool(cache["enable_block_reuse"]), "kv_cache_config.enable_block_reuse")
    return limits


def _whole_prompts(
    line: LaunchLine, limits: Mapping[str, Given], context: int, release: tuple[int, ...]
) -> dict[str, Given]:
    """Return the tokens of a step where prompts are not cut: at least the longest prompt, or SGLang's own budget.

    vLLM before 0.8 cut prompts where it was told to, or where a sequence may be longer than ``uncut_context``.
    """
    setting, name = line.settings.get("chunked_prefill"), "max_num_batched_tokens"
    place = Place(release=release or None)
    if setting is None and engine_number(line.engine, "cuts_all_prompts", place) == 0.0:
        longest = int(limits["max_model_len"].value if "max_model_len" in limits else context)
        whole = longest <= _stated(line.engine, "uncut_context", place)
        setting = Setting(value=not whole, flag=f"release {'.'.join(map(str, release))}")
        if not whole and name not in limits:
            return {name: Given(_stated(line.engine, "cut_step_tokens", place), setting.flag)}
    if setting is None or setting.value:
        return {}
    least = _stated(line.engine, "whole_prompt_tokens", place)
    if line.engine == "sglang":
        return {name: Given(int(line.value("prompt_tokens", least)), setting.flag)}
    longest = int(limits["max_model_len"].value if "max_model_len" in limits else context)
    if not longest or (name in limits and limits[name].value >= longest):
        return {}
    return {name: Given(max(longest, least), setting.flag)}


def _stated(engine: str, quantity: str, place: Place) -> int:
    """Return a whole number that facts state of an engine, 0 where they state none."""
    return round(engine_number(engine, quantity, place) or 0.0)


def _pair(setting: Setting) -> tuple[Any, str]:
    return setting.value, setting.flag


def _precision(line: LaunchLine, spec: ModelSpec | None) -> Given | None:
    """Return the precision that a line turns weights into; None where they stay as they are shipped."""
    setting = line.settings.get("quantization")
    if setting is None:
        return None
    name = str(setting.value).lower()
    if name in _AS_SHIPPED:
        return None
    precision = _QUANTISED.get(name.replace("-", "_"), name)
    if name == "ascend":
        served = model_of(line).lower()
        precision = next((kind for mark, kind in _ASCEND.items() if mark in served), "int8")
    if precision not in PRECISIONS and precision not in PRECISION_ALIASES:
        message = (
            f"--serve: {setting.flag} {setting.value}: unknown. Known: {', '.join(sorted([*_QUANTISED, 'ascend']))}."
        )
        raise InputError(message)
    if _GGUF.match(precision):
        return Given(precision, setting.flag)
    if spec is not None and spec.weight_precision.experts not in {"bf16", "fp16"}:
        return None  # the flag repeats what the checkpoint is
    if spec is not None and spec.weight_precision.dense not in {"bf16", "fp16"}:
        return None
    return Given(precision, setting.flag)


def _cache(name: str) -> str:
    plain = name.lower()
    for start, precision in (("fp8", "fp8"), ("nvfp4", "fp4"), ("fp4", "fp4"), ("int8", "int8")):
        if plain.startswith(start):
            return precision
    return "bf16" if plain in {"bfloat16", "bf16", "float16", "fp16", "half", "float", "auto"} else plain


def _drafted(line: LaunchLine) -> Given | None:
    """Return how many tokens are drafted in a step; None where none are."""
    config = line.settings.get("speculative")
    if config is not None:
        stated = {str(name): value for name, value in config.value.items()}
        for name in ("method", "model"):
            if not isinstance(stated.get(name) or "", str):
                message = f"--serve: {config.flag}: {name} {stated[name]} is no name; write it as text"
                raise InputError(message)
        count = next((stated[name] for name in _MTP_METHODS if name in stated), None)
        return Given(_whole(count, config.flag), config.flag)
    steps, method = line.settings.get("draft_tokens"), line.settings.get("draft_method")
    if steps is not None:
        return Given(_whole(steps.value, steps.flag), steps.flag)
    if method is not None and str(method.value).lower() != "none":
        return Given(_DRAFTED, method.flag)
    return None


def _drafter(line: LaunchLine) -> Given | None:
    """Return the model that drafts, or ``ngram``; None for a head that belongs to the model."""
    config = line.settings.get("speculative")
    stated = {} if config is None else {str(name): value for name, value in config.value.items()}
    named, method = line.settings.get("draft_model"), line.settings.get("draft_method")
    name = str(stated.get("model", "" if named is None else named.value))
    kind = str(stated.get("method", "" if method is None else method.value)).lower()
    flag = (config or named or method or Setting("", "")).flag
    if "ngram" in f"{name} {kind}".lower() or kind in {"suffix", "lookahead"}:
        return Given("ngram", flag)
    if _HEADS.search(f"{name} {kind}".lower()) or _spec(name) is None:
        return None
    return Given(name, flag)


def _whole(value: Any, flag: str) -> int:
    if value is None:
        return _DRAFTED
    try:
        return max(int(value), 0)
    except (TypeError, ValueError):
        message = f"--serve: {flag}: {value} is no number of drafted tokens"
        raise InputError(message) from None

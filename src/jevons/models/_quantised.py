"""Precision of shipped weights and of the cache, from `quantization_config` in all its dialects, else from the name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jevons.models._config import Config
from jevons.models._modules import CLASSES, covered, covered_by_modules, matched, module_class, parts_named
from jevons.models._plain import has_experts
from jevons.models.types import GGUF, WEIGHT_BITS, WeightPrecision
from jevons.schema import shortened

_EXCLUDED = (
    "ignore", "modules_to_not_convert", "exclude_modules", "ignored_layers", "exclude", "llm_int8_skip_modules",
    "skip_modules", "modules_to_not_quantize", "exclude_layers", "ignored_modules",
)  # fmt: skip
_ALGORITHMS = (
    (r"fp8_pb|fp8_block|block_?wise.*fp8|fp8_.*block", "fp8_block"), (r"mxfp8|mx_fp8|mxfp8_e4m3", "mxfp8"),
    (r"mxfp6|mx_fp6|fp6", "mxfp6"), (r"nvfp4|nv_fp4|nv_fp", "nvfp4"), (r"mxfp4|mx_fp4|mx_fp\b|w4a8_mxfp4", "mxfp4"),
    (r"w4a16|w4a8_awq|awq|int4|uint4|w4a8_int", "int4"), (r"fp8|float8|e4m3|e5m2", "fp8"),
    (r"int8_sq|w8a8|w8a16|int8", "int8"), (r"fp4|float4|e2m1", "nvfp4"),
)  # fmt: skip
_NAMES = (
    (r"nvfp4|modelopt_fp4", "nvfp4"), (r"mxfp8", "mxfp8"), (r"mxfp4", "mxfp4"), (r"fp8", "fp8"),
    (r"(^|[-_.])(awq|gptq|w4a16|w4a8|int4|4bit|autoround)", "int4"), (r"(^|[-_.])(w8a8|w8a16|int8|8bit)", "int8"),
    (r"bnb-4bit|nf4", "nf4_double"),
)  # fmt: skip


def read_precision(config: Config, name: str) -> tuple[WeightPrecision, str, list[str]]:
    """Return the weights' precision by class, the cache's, and what was not understood; faults are left in *config*."""
    section = _stated(config)
    base = "fp16" if str(config.raw.get("torch_dtype") or config.raw.get("dtype")) == "float16" else "bf16"
    doubts: list[str] = []
    if not section.raw:
        return _by_name(name.lower(), base, doubts), "bf16", doubts
    kv = _cache(section, doubts)
    chosen = _by_method(section, config, name.lower(), doubts)
    excluded = _exclusions(section, config, doubts) - {"*"}
    chosen |= {kind: stored for kind, stored in _other_widths(section, config, doubts).items() if kind not in excluded}
    if str(section.raw.get("quant_method")) == "fp8" and section.raw.get("quantized_layers"):
        excluded = set()  # what the second pass left out stays as the first stored it
    classes = dict.fromkeys(CLASSES, chosen.get("*", base)) | {"embeddings": base, "head": base}
    if section.raw.get("lm_head") is True:
        classes["head"] = chosen.get("*", base)
    classes |= dict.fromkeys(excluded, base) | {kind: stored for kind, stored in chosen.items() if kind in classes}
    return WeightPrecision(**classes), kv, doubts


def _stated(config: Config) -> Config:
    """Return what the file says of its quantisation: the common section, ModelOpt's inside it, or MLX's own key."""
    section = config.section("quantization_config")
    inner = section.raw.get("quantization")
    if isinstance(inner, Mapping) and not section.raw.get("quant_algo"):
        return section.like({"quant_method": "modelopt", **section.raw, **inner})
    if not section.raw and isinstance(config.raw.get("quantization"), Mapping):
        own = config.section("quantization")
        return own.like({"quant_method": "mlx", **own.raw}) if own.raw else own
    return section


def _by_name(name: str, base: str, doubts: list[str]) -> WeightPrecision:
    """Return the precision that a model's name states where its file states none."""
    gguf = next(
        (kind for kind in sorted(GGUF, key=len, reverse=True) if re.search(rf"(^|[-_.]){kind}($|[-_.])", name)), None
    )
    stated = gguf or next((kind for pattern, kind in _NAMES if re.search(pattern, name)), None)
    if stated is None:
        return WeightPrecision(attention=base, dense=base, experts=base, embeddings=base)
    doubts.append(f"no quantization_config: the weights are read as {stated}, which the name states")
    if stated in {"nvfp4", "mxfp4"}:
        dense = base if stated == "mxfp4" else stated
        return WeightPrecision(attention=base, dense=dense, experts=stated, embeddings=base)
    return WeightPrecision(
        attention=stated, dense=stated, experts=stated, embeddings=stated if stated in GGUF else base
    )


def _by_method(section: Config, config: Config, name: str, doubts: list[str]) -> dict[str, str]:
    """Return the precision of each class that the section names, under ``*`` that of all others."""
    quant = section.raw
    method = str(quant.get("quant_method", "")).lower().split("/")[-1].replace("-", "_")
    algorithm = str(quant.get("quant_algo", "")).lower()
    groups = quant.get("config_groups")
    listed = quant.get("quantized_layers")
    if isinstance(listed, Mapping) and listed:
        return _by_layers(listed, quant, config, name, doubts)
    if isinstance(groups, Mapping) and groups:
        return _by_groups(section.section("config_groups"), config, str(quant.get("format", "")), algorithm, doubts)
    if algorithm:
        return {"*": _algorithm(algorithm, "quant_algo", doubts)}
    if method in {"bitsandbytes", "bnb"}:
        return {"*": _bitsandbytes(section, doubts)}
    if method == "mxfp4":
        return {"*": "mxfp4"} | dict.fromkeys(("attention", "mixers", "dense", "shared"), _base(config))
    if method in {"fp8", "finegrained_fp8"} and quant.get("weight_block_size"):
        return _experts_apart({"*": "fp8_block"}, config)
    if method in {"quark", "torchao", "hqq"}:
        chosen = {"*": {"quark": _quark, "torchao": _torchao, "hqq": _hqq}[method](section, doubts)}
        return chosen | (_quark_layers(section, config, doubts) if method == "quark" else {})
    if method in {"fp8", "fbgemm_fp8", "finegrained_fp8", "ptpc_fp8", "mxfp8", "modelopt_fp4", "nvfp4", "w8a8_int8",
                  "w8a8_fp8", "experts_int8", "petit_nvfp4", "deepspeedfp_fp8"}:  # fmt: skip
        kind = _algorithm(method, "quant_method", doubts)
        return {"experts": kind} if method == "experts_int8" else _experts_apart({"*": kind}, config)
    if method == "gguf":
        return {"*": _gguf(section, doubts)}
    return {"*": _by_bits(section, method, doubts)}


def _experts_apart(chosen: dict[str, str], config: Config) -> dict[str, str]:
    """Add the experts' own type, as DeepSeek-V4 states it, and V4.1 in the section itself."""
    stated = config.raw.get("expert_dtype") or config.section("quantization_config").raw.get("expert_dtype")
    if str(stated).lower() in {"fp4", "mxfp4"}:
        return {**chosen, "experts": "mxfp4"}
    return chosen


def _base(config: Config) -> str:
    return "fp16" if str(config.raw.get("torch_dtype") or config.raw.get("dtype")) == "float16" else "bf16"


def _unread(what: str, value: Any, doubts: list[str], instead: str = "16 bits") -> None:
    text = f"{what} {shortened(repr(value))} of the weights is not known: they are read in {instead}"
    if text not in doubts:
        doubts.append(text)


def _algorithm(text: str, where: str, doubts: list[str]) -> str:
    """Return the type of weights that the name of an algorithm states."""
    for pattern, kind in _ALGORITHMS:
        if re.search(pattern, text.lower()):
            return kind
    if text.lower() not in {"none", "null", "no_quant", "bf16", "fp16"}:
        _unread(where, text, doubts)
    return "bf16"


def _integer(bits: Any, group: Any, doubts: list[str]) -> str:
    """Return the type of integer weights by width; groups of 32 or fewer carry more scales."""
    if isinstance(bits, bool) or not isinstance(bits, int | float) or bits not in {2, 3, 4, 5, 6, 8, 16, 32}:
        _unread("width", bits, doubts)
        return "bf16"
    if bits >= 16:
        return "bf16"
    small = isinstance(group, int) and not isinstance(group, bool) and 0 < group <= 32
    return "int4_g32" if bits == 4 and small else f"int{int(bits)}"


def _weights(weights: Mapping[str, Any], form: str, doubts: list[str]) -> str:
    """Return the type of weights of one group of compressed-tensors or ModelOpt."""
    bits, kind = weights.get("num_bits", 16), str(weights.get("type", "int")).lower()
    group, strategy = weights.get("group_size"), str(weights.get("strategy", "")).lower()
    if "mxfp" in form or str(weights.get("scale_dtype", "")).endswith("uint8"):
        return {4: "mxfp4", 6: "mxfp6", 8: "mxfp8"}.get(bits, "bf16") if isinstance(bits, int) else "bf16"
    if kind.startswith("float"):
        if bits == 8:
            block = strategy == "block" or weights.get("block_structure")
            return "fp8_block" if block else "mxfp8" if group == 32 else "fp8"
        if bits == 4:
            return "mxfp4" if group == 32 else "nvfp4"
        if isinstance(bits, int | float) and bits >= 16:
            return "bf16"
        _unread("float width", bits, doubts)
        return "bf16"
    return _integer(bits, group, doubts)


def _by_groups(groups: Config, config: Config, form: str, algorithm: str, doubts: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for key in groups.raw:
        group = groups.section(str(key))
        weights = group.section("weights")
        if not weights.raw:
            continue
        weights.integer("num_bits", default=16, least=1, most=64)
        kind = _weights(weights.raw, f"{form} {group.raw.get('format', '')}".lower(), doubts)
        targets = [str(target) for target in group.listed("targets")]
        named = covered(targets, config)
        for path in named or {"*"}:
            chosen.setdefault(path, kind)
        if any(re.fullmatch(r"(re:)?\.?\*?(Linear|FusedMoE|LinearBase)", target) for target in targets):
            chosen.setdefault("*", kind)
    if not chosen:
        _unread("config_groups", algorithm or form or "of an unknown form", doubts)
    elif "*" not in chosen:
        chosen["*"] = _base(config)
    return chosen


def _by_layers(
    listed: Mapping[str, Any], quant: Mapping[str, Any], config: Config, name: str, doubts: list[str]
) -> dict[str, str]:
    """Return the precision by class of a list of modules that each state their algorithm."""
    counts: dict[str, dict[str, int]] = {}
    for module, said in listed.items():
        precision = module_class(str(module))
        if precision is None or not isinstance(said, Mapping):
            continue
        kind = _algorithm(str(said.get("quant_algo", "")), "quant_algo", doubts)
        counts.setdefault(precision, {}).setdefault(kind, 0)
        counts[precision][kind] += 1
    chosen = {counted: max(kinds, key=lambda kind: kinds[kind]) for counted, kinds in counts.items()}
    blocks = "fp8_block" if quant.get("weight_block_size") else "fp8"
    chosen["*"] = blocks if str(quant.get("quant_method", "")).lower() == "fp8" else _base(config)
    groups = quant.get("config_groups")
    if isinstance(groups, Mapping):
        apart = Config(groups, config.file, prefix=f"{config.prefix}quantization_config.config_groups.")
        for precision, kind in _by_groups(apart, config, "", "", doubts).items():
            chosen.setdefault(precision, kind)
    if quant.get("moe_quant_algo"):
        chosen["experts"] = _algorithm(str(quant["moe_quant_algo"]), "moe_quant_algo", doubts)
    if "experts" not in chosen and has_experts(config) and any(str(module).startswith("...") for module in listed):
        chosen["experts"] = _by_name(name, _base(config), []).experts
        doubts.append(f"quantized_layers is shortened: the experts are read as {chosen['experts']}")
    return chosen


def _bitsandbytes(section: Config, doubts: list[str]) -> str:
    if section.flag("load_in_4bit", "_load_in_4bit"):
        return "nf4_double" if section.flag("bnb_4bit_use_double_quant") else "nf4"
    if section.flag("load_in_8bit", "_load_in_8bit"):
        return "int8"
    _unread("bitsandbytes", "without load_in_4bit or load_in_8bit", doubts)
    return "bf16"


def _quark(section: Config, doubts: list[str]) -> str:
    weight = section.section("global_quant_config").raw.get("weight")
    if isinstance(weight, list):
        weight = weight[-1] if weight else None
    if not isinstance(weight, Mapping):
        _unread("quark", section.raw.get("global_quant_config"), doubts)
        return "bf16"
    dtype, group = str(weight.get("dtype", "")).lower(), weight.get("group_size")
    scheme = str(weight.get("qscheme", "")).lower()
    if "fp4" in dtype:
        return "nvfp4" if group == 16 else "mxfp4"
    if "fp6" in dtype:
        return "mxfp6"
    if "fp8" in dtype:
        return "mxfp8" if group == 32 else "fp8_block" if "block" in scheme else "fp8"
    digits = re.search(r"int(\d+)", dtype)
    return _integer(int(digits[1][:3]), group, doubts) if digits else _algorithm(dtype, "quark dtype", doubts)


def _quark_layers(section: Config, config: Config, doubts: list[str]) -> dict[str, str]:
    """Return the classes that Quark's patterns of layers store otherwise."""
    chosen = {}
    for pattern, said in _pairs(section.raw.get("layer_quant_config")):
        if isinstance(said, Mapping) and said.get("weight"):
            inner = section.like({"global_quant_config": said})
            for kind in covered([pattern], config):
                chosen[kind] = _quark(inner, doubts)
    return chosen


def _torchao(section: Config, doubts: list[str]) -> str:
    text = str(section.raw.get("quant_type", ""))[:2000].lower()
    weight = re.search(r"(uint|int|float)(\d)_?weight", text.replace("weightonly", "_weight"))
    if weight:
        return "fp8" if weight[1] == "float" else _integer(int(weight[2]), None, doubts)
    return _algorithm(text, "torchao quant_type", doubts)


def _hqq(section: Config, doubts: list[str]) -> str:
    for key in ("quant_config", "weight_quant_params"):
        inner = section.raw.get(key)
        if isinstance(inner, Mapping):
            return _hqq(section.section(key), doubts)
    kinds = {module_class(key): said for key, said in _pairs(section.raw) if isinstance(said, Mapping)}
    if section.raw.get("nbits") is None and kinds:
        main = next(key for key, said in section.raw.items() if isinstance(said, Mapping))
        if len(kinds) > 1:
            doubts.append("HQQ states a width for each kind of module: all weights are read as the first")
        return _hqq(section.section(str(main)), doubts)
    return _integer(section.raw.get("nbits"), section.raw.get("group_size"), doubts)


def _gguf(section: Config, doubts: list[str]) -> str:
    name = str(section.raw.get("quant_type", section.raw.get("file_type", ""))).lower()
    if name in WEIGHT_BITS:
        return name
    _unread("GGUF type", name, doubts)
    return "bf16"


def _by_bits(section: Config, method: str, doubts: list[str]) -> str:
    """Return the type of GPTQ, AWQ, auto-round and of unknown methods that state a width."""
    quant = section.raw
    bits = next((quant[key] for key in ("bits", "w_bit", "nbits", "num_bits", "weight_bits") if quant.get(key)), None)
    kind = str(quant.get("data_type", quant.get("weights", ""))).lower()
    if "fp" in kind or "float" in kind:
        return _algorithm(f"{kind}{bits or ''}" if kind in {"mx_fp", "nv_fp", "fp"} else kind, "data_type", doubts)
    if bits is None and re.search(r"int\d", kind):
        bits = int(kind[kind.index("int") + 3])
    if bits is None and method in {"awq", "gptq", "auto_round", "awq_marlin", "gptq_marlin", "marlin"}:
        bits = 4
    if method == "aqlm" and all(isinstance(quant.get(key), int) and quant[key] > 0 for key in _CODEBOOKS):
        bits = max(quant["nbits_per_codebook"] * quant["num_codebooks"] // quant["in_group_size"], 2)
    if method == "bitnet":
        bits = 2
    if method in {"deepspeedfp", "fp_quant", "fouroversix", "humming"}:
        kinds = [str(quant[key]) for key in ("forward_dtype", "dtype", "b_dtype") if quant.get(key)]
        return _algorithm(f"fp{bits}" if bits else kinds[0] if kinds else method, "quant_method", doubts)
    if str(quant.get("mode", "")).startswith(("mxfp", "nvfp")):
        return _algorithm(str(quant["mode"]), "mode", doubts)
    if isinstance(bits, float) and not bits.is_integer() and 2 <= bits <= 8:
        doubts.append(f"{shortened(str(bits), 20)} bits a weight in the mean are read as {round(bits)}")
        bits = round(bits)
    if bits is None:
        return _algorithm(method, "quant_method", doubts)
    stored = _integer(bits, quant.get("group_size"), doubts)
    if not method and isinstance(quant.get("group_size"), int) and set(quant) <= {"group_size", "bits", "mode"}:
        method = "mlx"
    if method not in _OF_WIDTH and not doubts:
        _unread("quant_method", method, doubts, f"integers of {shortened(str(bits), 20)} bits")
    return stored


_CODEBOOKS = ("nbits_per_codebook", "num_codebooks", "in_group_size")
_OF_WIDTH = frozenset({
    "awq", "gptq", "auto_round", "awq_marlin", "gptq_marlin", "gptq_v2", "moe_wna16", "inc", "marlin", "eetq", "quanto",
    "higgs", "spqr", "ipex", "sinq", "metal", "mlx", "aqlm", "bitnet", "exl2", "exl3",
})  # fmt: skip
"""Methods that store integers of a stated width, or codes that take as much."""


def _exclusions(section: Config, config: Config, doubts: list[str]) -> set[str]:
    """Return the classes of modules that keep 16 bits; doubt those of which one matrix alone does."""
    patterns: list[str] = []
    for key in _EXCLUDED:
        if section.raw.get(key) is not None:
            patterns += section.words(key)
    for key, change in _changes(section):
        bits = change.get("bits") if isinstance(change, Mapping) else None
        if key.startswith("-:") or (isinstance(bits, int) and bits >= 16):
            patterns.append("re:" + key.removeprefix("-:").removeprefix("+:") if ":" in key else key)
    layers = section.raw.get("layer_quant_config")
    patterns += [str(key) for key, said in _pairs(layers) if said is None or said == {}]
    classes = covered(patterns, config)
    doubts += [
        f"of {kind} weights only {parts[0]}_proj stays in 16 bits: all of them are read so"
        for kind, parts in parts_named(patterns).items()
        if kind in classes
    ]
    return classes


def _changes(section: Config) -> list[tuple[str, Any]]:
    """Return the modules that auto-round or GPTQModel store otherwise, with how."""
    return [*_pairs(section.raw.get("extra_config")), *_pairs(section.raw.get("dynamic"))]


def _other_widths(section: Config, config: Config, doubts: list[str]) -> dict[str, str]:
    """Return the classes that auto-round or GPTQModel store in another width than the rest; doubt what is no class."""
    modules: dict[tuple[int, str], list[str]] = {}
    for key, said in _changes(section):
        if isinstance(said, Mapping) and _is_width(said.get("bits")) and said["bits"] != section.raw.get("bits"):
            stored = _integer(said["bits"], said.get("group_size", section.raw.get("group_size")), doubts)
            modules.setdefault((said["bits"], stored), []).append(key.removeprefix("+:").removeprefix("re:"))
    chosen: dict[str, str] = {}
    for (bits, stored), keys in sorted(modules.items()):
        kinds = covered_by_modules(keys, config).union(*(matched(f"re:{key}") for key in keys))
        chosen |= dict.fromkeys(kinds, stored)
        if not kinds:
            doubts.append(f"modules of {bits} bits are read in the width of all others")
    return chosen


def _is_width(bits: Any) -> bool:
    return isinstance(bits, int) and not isinstance(bits, bool) and 1 <= bits < 16


def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
    return ((str(key), inner) for key, inner in value.items()) if isinstance(value, Mapping) else ()


def _cache(section: Config, doubts: list[str]) -> str:
    """Return the cache's type from a scheme (an object, or a name as ModelOpt writes it)."""
    quant = section.raw
    scheme = next((quant[key] for key in _CACHE if quant.get(key)), None)
    if scheme is None and str(quant.get("quant_method")) == "quark":
        layers = [said for key, said in _pairs(quant.get("layer_quant_config")) if key.endswith(("k_proj", "v_proj"))]
        scheme = next((said for said in layers if isinstance(said, Mapping) and said.get("output_tensors")), None)
    if isinstance(scheme, Mapping) and "output_tensors" not in scheme:
        scheme = next((value for key, value in _pairs(scheme) if key.endswith(("k_proj", "v_proj"))), scheme)
    if scheme is None or (isinstance(scheme, str) and scheme.lower() in {"auto", "none", "bf16", "fp16", "bfloat16"}):
        return "bf16"
    if isinstance(scheme, Mapping):
        inner = scheme.get("output_tensors", scheme.get("weight", scheme))
        text = str(inner.get("dtype", "")) if isinstance(inner, Mapping) else str(inner)
        text = text or f"{scheme.get('type', '')}{scheme.get('num_bits', '')}"
    else:
        text = str(scheme)
    text = text.lower()
    for pattern, kind in ((r"fp8|float_?8|e4m3|e5m2", "fp8"), (r"fp4|float_?4", "nvfp4"), (r"int_?8", "int8")):
        if re.search(pattern, text):
            return kind
    doubts.append(f"kv_cache_scheme {shortened(repr(scheme))} is not known: the cache is read in 16 bits")
    return "bf16"


_CACHE = ("kv_cache_scheme", "kv_cache_quant_algo", "kv_cache_quant_config", "kv_cache_dtype")

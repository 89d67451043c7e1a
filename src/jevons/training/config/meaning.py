"""What a trainer's settings mean as options of `jevons.train`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from jevons import models
from jevons.errors import InputError
from jevons.models import ModelSpec
from jevons.training.config.keys import PROGRAMS
from jevons.training.config.named import model_of
from jevons.training.config.types import TrainingText
from jevons.training.recipe import optimizer_of

_SCRIPTED = {"trainer", "llamafactory", "axolotl", "swift", "accelerate"}
_SPLIT = {"megatron", "megatron-swift", "nemo", "nanotron"}
_NATIVE = {"torchtitan", "torchtune", "maxtext"}
_RANK = 8
"""Rank of adapters where none is stated: PEFT's, which all these trainers take."""
_SHARED = ("strategy", "fsdp", "reshard")
"""Settings of which any says that FSDP shares states out."""
_STRATEGIES = ("full_shard", "shard_grad_op", "no_shard", "hybrid_shard")
_ATTENTION = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "out_proj", "c_attn", "query_key_value"})
_MLP = frozenset({"gate_proj", "up_proj", "down_proj", "gate_up_proj", "fc1", "fc2"})
_TYPES = {"float32": "fp32", "fp32": "fp32", "32": "fp32", "bfloat16": "bf16", "bf16": "bf16"}
_WHOLE = 3
_SIZES: Mapping[str, int] = {
    "trainer": 8, "llamafactory": 8, "swift": 1, "axolotl": 1, "megatron": 1, "megatron-swift": 1,
}  # fmt: skip
"""Sequences of a pass where a program is told none."""
_BITS = {4: "nf4", 8: "int8"}
_OWN_NAMES = {
    "distributed_fused_adam": "adamw", "mcore_distributed_optim": "adamw", "fusedadam": "adamw", "cpuadam": "adamw",
    "deepspeedcpuadam": "adamw", "adamw_apex_fused": "adamw", "adamw_torch_npu_fused": "adamw",
}  # fmt: skip


class _Options:
    """Options as they are found, each with the key that says it."""

    def __init__(self, told: TrainingText, given: Mapping[str, Any]) -> None:
        self.told, self.given = told, given
        self.found: dict[str, tuple[Any, str]] = {}

    def say(self, name: str, value: Any, setting: str) -> None:
        """Take an option from a setting."""
        self.found[name] = value, self.told.key(setting)

    def default(self, name: str, value: Any) -> None:
        """Take an option that its program has where nothing says otherwise; what a caller gives goes before."""
        if name not in self.found and self.given.get(name) is None:
            self.found[name] = value, f"{PROGRAMS[self.told.program]}'s own where it says nothing"

    def value(self, name: str) -> Any:
        """Return an option as it was found or given."""
        return self.found[name][0] if name in self.found else self.given.get(name)


def options_of(told: TrainingText, given: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Return the options that a trainer's settings are, each with the key that says it; notes are added to *told*.

    Parameters
    ----------
    told : TrainingText
        What its file or line says.
    given : mapping of str to object
        What a caller states beside it, by the names of the options; ``None`` where nothing.

    Raises
    ------
    InputError
        If it leaves open how many accelerators there are, or trains in a way that is not read.
    """
    options = _Options(told, given)
    spec = _model(options)
    _accelerators(options)
    _method(options)
    _degrees(options, spec)
    _sharing(options)
    _kept(options)
    _recompute(options)
    _batches(options)
    _length(options)
    return options.found


def _model(options: _Options) -> ModelSpec | None:
    """Take the model, and return it where it is known."""
    told, given = options.told, options.given.get("model")
    if given is not None:
        named, key = _model_if_known(told)
        own = _loaded(named)
        if own is not None and own.name != models.load(str(given)).name:
            options.found["model"] = named, key
        return _loaded(str(given))
    named, key = model_of(told)
    if not named:
        message = f"--config: this {PROGRAMS[told.program]} configuration names no model; add --model"
        raise InputError(message)
    options.found["model"] = named, key
    return _loaded(named)


def _model_if_known(told: TrainingText) -> tuple[str, str]:
    try:
        return model_of(told)
    except InputError:
        return "", ""


def _loaded(name: str) -> ModelSpec | None:
    try:
        return models.load(name) if name else None
    except InputError:
        return None


def _accelerators(options: _Options) -> None:
    told, asked = options.told, options.given.get("gpus")
    count, key = 0, ""
    if "gpus" in told.settings:
        count, key = told.value("gpus"), told.key("gpus")
    elif "included" in told.settings:
        shown = re.findall(r":(\d+(?:,\d+)*)", told.value("included"))
        count, key = sum(len(part.split(",")) for part in shown), told.key("included")
    elif "node_gpus" in told.settings and "nodes" not in told.open:
        count = told.value("node_gpus") * told.value("nodes", told.value("machines", 1))
        key = told.key("node_gpus")
    if count:
        options.found["gpus"] = count, key
    elif asked is None:
        message = f"--config: this {PROGRAMS[told.program]} configuration leaves the accelerators open; add --gpus"
        raise InputError(message)


def _method(options: _Options) -> None:
    """Take what is trained: all weights, or adapters with their rank, layers and frozen weights."""
    told = options.told
    goal = str(told.value("goal", "sft")).lower()
    if goal not in {"sft", "pt"}:
        told.notes.append(f"stage {goal} is taken as sft: no second model, and one pass over each sample")
    bits = 4 if told.value("four_bits") else 8 if told.value("eight_bits") else told.value("bits", 16)
    usual = "lora" if told.program in {"llamafactory", "swift"} else "full"
    low_rank = "lora_rank" in told.settings and told.program == "trainer"
    stated = str(told.value("method", "lora" if told.value("adapters") or low_rank else usual)).lower()
    if told.program == "deepspeed" or stated in {"full", "none", "false"}:
        return
    if stated not in {"lora", "qlora"}:
        message = f"--config: {told.key('method')} = {stated}: is not read; full, lora and qlora are"
        raise InputError(message)
    method = "qlora" if bits == 4 or (stated == "qlora" and bits != 8) else "lora"
    if "method" in told.settings:
        options.say("method", method, "method")
    else:
        options.default("method", method)
    if method == "lora" and bits in _BITS:
        options.default("base_precision", _BITS[bits])
    if "lora_rank" in told.settings:
        options.say("lora_rank", told.value("lora_rank"), "lora_rank")
    else:
        options.default("lora_rank", _RANK)
    targets = set(told.value("lora_target", []))
    if not targets or told.value("lora_all") or {"all", "all-linear"} & targets:
        return
    names = {name.rsplit(".", 1)[-1] for name in targets}
    side = "attention" if names <= _ATTENTION else "mlp" if names <= _MLP else "all"
    whole = {"attention": _ATTENTION, "mlp": _MLP, "all": _ATTENTION | _MLP}[side]
    if len(names & whole) < (3 if side == "mlp" else 4):
        told.notes.append(f"adapters of {', '.join(sorted(names))} are taken as --lora-target {side}")
    options.say("lora_target", side, "lora_target")


def _degrees(options: _Options, spec: ModelSpec | None) -> None:
    """Take parallel degrees; what a program splits nothing by is 1."""
    told = options.told
    for name in ("tp", "pp", "cp", "ep"):
        if name in told.settings:
            options.say(name, told.value(name), name)
        elif told.program in _SPLIT | _NATIVE:
            options.default(name, 1)
    tp, pp = told.value("tp", 1), told.value("pp", 1)
    if spec is not None and spec.is_moe:
        if "etp" in told.settings:
            options.say("etp", told.value("etp"), "etp")
        elif told.program in _SPLIT:
            options.default("etp", tp)
        if told.value("overlap_experts"):
            options.say("overlap_experts", True, "overlap_experts")
    if pp > 1:
        _stages(options, spec, pp)
    if told.program in _SPLIT and tp > 1 and not told.value("sequence_parallel"):
        options.default("no_sequence_parallel", True)


def _stages(options: _Options, spec: ModelSpec | None, pp: int) -> None:
    told = options.told
    schedule = str(told.value("schedule", "")).lower()
    if "vpp" in told.settings:
        options.say("vpp", told.value("vpp"), "vpp")
    elif "chunk_layers" in told.settings:
        layers = told.value("layers", spec.n_layers if spec is not None else 0)
        options.say("vpp", max(layers // (pp * told.value("chunk_layers")), 1), "chunk_layers")
    elif "interleaved" in schedule:
        options.say("vpp", 2, "schedule")
    elif told.program in _SPLIT | {"torchtitan"}:
        options.default("vpp", 1)
    if "zerobubble" in schedule or "zbv" in schedule:
        options.say("zero_bubble", True, "schedule")


def _sharing(options: _Options) -> None:
    """Take what replicas share out: stages of ZeRO, or FSDP's strategy."""
    told, alone = options.told, options.value("gpus") == 1
    adapters = options.value("method") in {"lora", "qlora"}
    if told.program in _SPLIT:
        options.default("framework", "megatron")
        whole = told.value("whole_shard") or "params" in str(told.value("sharding", ""))
        usual = told.program == "megatron-swift" or "builder" in told.settings  # as in all recipes of NeMo
        shared = told.value("distributed_optimizer", usual) or "distributed" in str(told.value("optimizer", ""))
        options.default("zero", 3 if whole else 1 if shared else 0)
    elif told.program in _NATIVE:
        _native_sharing(options, alone=alone, adapters=adapters)
    elif told.program == "deepspeed" or told.value("deepspeed") or "zero" in told.settings:
        if "zero" in told.settings:
            options.say("zero", told.value("zero"), "zero")
        else:
            options.default("zero", 0)
        if not adapters:
            options.default("framework", "deepspeed")
    elif stated := next((name for name in _SHARED if name in told.settings), ""):
        if not alone:
            options.say("fsdp", _strategy(told), stated)
    elif told.program in _SCRIPTED and not told.open & {"deepspeed", "fsdp"}:
        if adapters:
            options.default("zero", 0)
        elif options.given.get("zero") is None and options.given.get("fsdp") is None:
            options.default("framework", "fsdp")
            if not alone:
                options.default("fsdp", "no_shard")


def _native_sharing(options: _Options, *, alone: bool, adapters: bool) -> None:
    told = options.told
    copies, shard = told.value("copies", 1), told.value("shard", 0)
    if alone and adapters:
        options.default("zero", 0)
    elif alone:
        options.default("framework", "fsdp")
    elif copies > 1:
        options.say("fsdp", "no_shard" if shard == 1 else "hybrid_shard", "copies")
        if shard > 1:
            options.say("shard", shard, "shard")
    else:
        options.default("fsdp", _strategy(told))


def _strategy(told: TrainingText) -> str:
    """Return FSDP's strategy by its name or its number."""
    words = [str(told.value("strategy", ""))] + [str(word) for word in told.value("fsdp", [])]
    for word in words:
        plain = word.lower().replace("-", "_")
        if plain in _STRATEGIES:
            return plain
        if plain.isdigit() and 1 <= int(plain) <= len(_STRATEGIES):
            return _STRATEGIES[int(plain) - 1]
        if plain.startswith("hybrid_shard"):
            return "hybrid_shard"
    return "shard_grad_op" if told.value("reshard") is False else "full_shard"


def _kept(options: _Options) -> None:
    """Take formats, optimizer, and what the host keeps."""
    told = options.told
    adapters = options.value("method") in {"lora", "qlora"}
    mixed = str(told.value("mixed", "")).lower()
    if told.value("fp8_on") or "fp8" in told.settings or mixed == "fp8" or _float8(told):
        recipe = str(told.value("fp8_recipe", "")).lower()
        options.default("precision", {"blockwise": "fp8_block", "mxfp8": "mxfp8"}.get(recipe, "fp8"))
    elif (told.value("fp16") or mixed in {"16-mixed", "fp16"}) and not told.value("bf16"):
        told.notes.append("fp16 is taken as bf16, which has as many bits")
    elif told.program in {"trainer", "llamafactory", "megatron"} and not _sixteen_bits(told, mixed):
        told.notes.append(
            f"neither bf16 nor fp16 is set, with which {PROGRAMS[told.program]} runs in 32 bits; taken as bf16"
        )
    if told.value("pure_bf16") and not adapters:
        options.say("master_weights", "none", "pure_bf16")
        at_once = bool(told.value("updated_at_once"))
        options.say("gradient_dtype", "none" if at_once else "bf16", "updated_at_once" if at_once else "pure_bf16")
    elif told.program == "axolotl" and not adapters and told.value("bf16") and not _shared_states(told):
        options.default("master_weights", "none")  # its weights are loaded in the 16 bits in which they are trained
        options.default("gradient_dtype", "bf16")
    elif "gradient_dtype" in told.settings and not adapters:
        kind = _TYPES.get(str(told.value("gradient_dtype")).lower())
        if kind is not None:
            options.say("gradient_dtype", kind, "gradient_dtype")
    elif told.value("gradients_bf16"):
        options.say("gradient_dtype", "bf16", "gradients_bf16")
    if "optimizer" in told.settings:
        _optimizer(options)
    if told.value("fused_loss"):
        options.say("fused_loss", True, "fused_loss")
    elif told.program == "maxtext":  # its compiler never holds a copy of the logits for each step of the loss
        options.default("fused_loss", True)
    _offload(options, adapters=adapters)


def _sixteen_bits(told: TrainingText, mixed: str) -> bool:
    return bool(told.value("bf16") or told.value("pure_bf16") or "bf16" in mixed or "bf16" in told.open)


def _float8(told: TrainingText) -> bool:
    return any("float8" in str(word) or "mx" in str(word) for word in told.value("converters", []))


def _shared_states(told: TrainingText) -> bool:
    return bool({"deepspeed", "fsdp", "strategy", "zero"} & set(told.settings))


def _optimizer(options: _Options) -> None:
    told = options.told
    name = str(told.value("optimizer"))
    try:
        options.say("optimizer", optimizer_of(_OWN_NAMES.get(name.lower(), name)), "optimizer")
    except InputError:
        if options.given.get("optimizer") is None:
            message = f"--config: {told.key('optimizer')} = {name}: is not read; state what it keeps with --optimizer"
            raise InputError(message) from None


def _offload(options: _Options, *, adapters: bool) -> None:
    told = options.told
    wanted = {
        "optimizer": ("offload_optimizer", "offload_states", "offload_both"),
        "parameters": ("offload_parameters", "offload_both"),
        "activations": ("offload_activations",),
    }
    kept, key = [], ""
    for what, settings in wanted.items():
        said = next((name for name in settings if told.value(name)), "")
        if not said and what != "activations" and "offload" in told.value("fsdp", []):
            said = "fsdp"
        if said and not (adapters and what == "optimizer"):
            kept.append(what)
            key = key or told.key(said)
    if str(told.value("checkpointing", "")).lower() in {"offload", "unsloth"}:
        kept.append("activations")
        key = key or told.key("checkpointing")
    if "parameters" in kept and options.value("zero") not in {None, _WHOLE}:
        kept.remove("parameters")
    if kept:
        options.found["offload"] = ",".join(kept), key


def _recompute(options: _Options) -> None:
    told = options.told
    if "recompute" in told.settings:
        stated = str(told.value("recompute")).lower()
        options.say("recompute", stated if stated in {"full", "selective"} else "none", "recompute")
        if str(told.value("recompute_method", "")).lower() == "block" and "recompute_layers" in told.settings:
            told.notes.append(
                f"{told.key('recompute_layers')} {told.value('recompute_layers')}: taken as all layers of a stage"
            )
    elif told.value("recompute_selective"):
        options.say("recompute", "selective", "recompute_selective")
    elif "titan_recompute" in told.settings:
        mode = str(told.value("titan_recompute")).lower()
        by_operator = mode == "selective" and str(told.value("titan_option", "op")) == "op"
        options.say("recompute", "alternate" if by_operator else mode, "titan_recompute")
    elif "checkpointing" in told.settings:
        stated = str(told.value("checkpointing")).lower()
        options.say("recompute", "none" if stated in {"false", "no", "off", "none"} else "full", "checkpointing")
    elif told.program == "torchtitan":
        options.default("recompute", "alternate")
    elif told.program in {"llamafactory", "swift", "maxtext"}:
        options.default("recompute", "full")
    elif told.program == "megatron-swift":
        options.default("recompute", "selective")
    elif told.program in _SPLIT | {"trainer", "axolotl", "torchtune"}:
        options.default("recompute", "none")


def _batches(options: _Options) -> None:
    """Take sequences per pass and per step."""
    told = options.told
    if told.program == "torchtitan":
        local = told.value("local_batch", 8)
        size = told.value("micro_batch", 1) if told.value("pp", 1) > 1 else local
        options.default("micro_batch", size)
        if "batch" in told.settings:
            options.say("batch", told.value("batch"), "batch")
        else:
            options.default("accumulation", max(local // size, 1))
        return
    if "micro_batch" in told.settings:
        options.say("micro_batch", told.value("micro_batch"), "micro_batch")
    elif told.program in _SIZES and "micro_batch" not in told.open:
        options.default("micro_batch", _SIZES[told.program])
    if "batch" in told.settings and told.program in _SPLIT | {"deepspeed"}:
        options.say("batch", told.value("batch"), "batch")
    elif "accumulation" in told.settings and options.value("micro_batch") is not None:
        options.say("accumulation", told.value("accumulation"), "accumulation")
    elif options.value("micro_batch") is not None and options.given.get("batch") is None:
        options.default("accumulation", 1)


def _length(options: _Options) -> None:
    """Take tokens of a sequence, and of the run."""
    told = options.told
    if "seq_len" in told.settings:
        options.say("seq_len", told.value("seq_len"), "seq_len")
    elif not _asked(options, {"seq_len"}):
        usual = {"llamafactory": 2048, "torchtitan": 2048, "maxtext": 2048}.get(told.program)
        if usual is None:
            message = f"--config: this {PROGRAMS[told.program]} configuration has no sequence length; add --seq-len"
            raise InputError(message)
        options.default("seq_len", usual)
    if _asked(options, {"tokens", "samples"}):
        if told.value("epochs") and options.given.get("samples") is not None:
            options.say("epochs", told.value("epochs"), "epochs")
        return
    length, batch = options.value("seq_len"), _step_sequences(options)
    if "samples" in told.settings:
        options.say("samples", told.value("samples"), "samples")
        if "epochs" in told.settings:
            options.say("epochs", told.value("epochs"), "epochs")
    elif "steps" in told.settings and length and batch:
        options.say("tokens", f"{told.value('steps') * int(length) * batch}", "steps")
    else:
        told.notes.append("the length of the run is not stated, and days and price are of the default; add --samples")


def _asked(options: _Options, names: Collection[str]) -> bool:
    return any(options.given.get(name) is not None for name in names)


def _step_sequences(options: _Options) -> int:
    """Return the sequences of an optimiser step; 0 where they are left open."""
    if options.value("batch"):
        return int(options.value("batch"))
    size, times, devices = (options.value(name) for name in ("micro_batch", "accumulation", "gpus"))
    if not (size and times and devices):
        return 0
    split = 1
    for name in ("tp", "pp", "cp"):
        split *= int(options.value(name) or 1)
    return int(size) * int(times) * max(int(devices) // split, 1)

"""Keys of a training that a Python script states: arguments of the HF Trainer, PEFT and Unsloth, recipes of NeMo 2."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

_ADAPTERS = {"r": "lora_r", "target_modules": "lora_target_modules", "load_in_4bit": "load_in_4bit",
             "load_in_8bit": "load_in_8bit", "use_gradient_checkpointing": "gradient_checkpointing"}  # fmt: skip
_LOADED = {
    "model_name": "model_name_or_path", "pretrained_model_name_or_path": "model_name_or_path",
    "max_seq_length": "max_seq_length", "load_in_4bit": "load_in_4bit", "load_in_8bit": "load_in_8bit",
}  # fmt: skip
_TAKEN: Mapping[str, Mapping[str, str]] = {
    "from_pretrained": _LOADED, "get_peft_model": _ADAPTERS, "LoraConfig": _ADAPTERS, "BitsAndBytesConfig": _ADAPTERS,
    "SFTTrainer": {"max_seq_length": "max_seq_length", "packing": "packing"},
}  # fmt: skip
"""Arguments of calls by the trainer's key; those of ``…Config`` and ``TrainingArguments`` are keys themselves."""
_ARGUMENTS = frozenset({"TrainingArguments", "Seq2SeqTrainingArguments", "SFTConfig", "UnslothTrainingArguments"})
_MODELS = frozenset({"FastLanguageModel", "FastModel", "AutoModelForCausalLM", "AutoModel"})
_NEMO: Mapping[str, str] = {
    **{name: f"model.{name}" for name in (
        "tensor_model_parallel_size", "pipeline_model_parallel_size", "virtual_pipeline_model_parallel_size",
        "context_parallel_size", "expert_model_parallel_size", "sequence_parallel", "micro_batch_size",
        "global_batch_size",
    )},
    "seq_length": "model.data.seq_length", "num_gpus_per_node": "trainer.devices", "devices": "trainer.devices",
    "num_nodes": "trainer.num_nodes", "max_steps": "trainer.max_steps", "peft_scheme": "model.peft.peft_scheme",
}  # fmt: skip
"""Arguments and attributes of NeMo 2, whose names say alone what they are, by the key of NeMo's earlier files."""
_LONGEST = 200_000


def python_keys(text: str) -> dict[str, Any] | None:
    """Return the keys that a Python script states; None for other texts, and for scripts that train in other ways.

    Later statements go before earlier ones. Values that are worked out are left out.
    """
    if len(text) > _LONGEST or not any(word in text for word in ("transformers", "trl", "unsloth", "peft", "nemo")):
        return None
    try:
        tree = ast.parse(text)
        nodes = list(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    modules = set(_modules(nodes))
    nodes.sort(key=lambda node: getattr(node, "lineno", 0))
    known = dict(_constants(nodes))
    if "nemo" in modules:
        return dict(_nemo(nodes, known)) or None
    if modules & {"transformers", "trl", "unsloth"}:
        keys = dict(_trainer(nodes, known))
        if "unsloth" in modules:
            keys["use_liger_kernel"] = True  # its loss never holds all logits either
        return keys if "per_device_train_batch_size" in keys or "model_name_or_path" in keys else None
    return None


def _modules(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def _constants(nodes: list[ast.AST]) -> Iterator[tuple[str, Any]]:
    """Yield names that are set to a constant, and parameters that have one by default."""
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = _value(node.value, {})
            if value is not None:
                yield node.targets[0].id, value
        elif isinstance(node, ast.FunctionDef):
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, default in zip(named, node.args.defaults, strict=True):
                value = _value(default, {})
                if value is not None:
                    yield argument.arg, value


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, str | int | float | list) else None


def _called(node: ast.Call) -> tuple[str, str]:
    """Return a call's own name, and that of what it belongs to."""
    if isinstance(node.func, ast.Attribute):
        owner = node.func.value
        return node.func.attr, owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return getattr(node.func, "id", ""), ""


def _trainer(nodes: list[ast.AST], known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name, owner = _called(node)
        if name == "from_pretrained" and owner not in _MODELS:
            continue  # a tokenizer
        first = _value(node.args[0], known) if node.args else None
        if name == "from_pretrained" and isinstance(first, str):
            yield "model_name_or_path", first
        if name == "LoraConfig" or (name == "get_peft_model" and owner):
            yield "use_peft", True
        keys = _TAKEN.get(name, {})
        for keyword in node.keywords:
            value = _value(keyword.value, known)
            stated = keyword.arg or ""
            key = stated if name in _ARGUMENTS else keys.get(stated, "")
            if key and value is not None:
                yield key, value


def _nemo(nodes: list[ast.AST], known: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for node in nodes:
        if isinstance(node, ast.Call):
            name, owner = _called(node)
            if name in {"pretrain_recipe", "finetune_recipe"}:
                yield "recipe", owner
            stated = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            stated = [(node.targets[0].attr, node.value)]
        else:
            continue
        for written, expression in stated:
            value = _value(expression, known)
            if written in _NEMO and value is not None:
                yield _NEMO[written], value

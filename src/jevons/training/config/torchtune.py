"""What torchtune's files and ``tune run`` say in its own way: components, recipes, and configs that ship with it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from jevons import models
from jevons.errors import InputError
from jevons.training.config.types import TrainingText

_WAYS = re.compile(r"^(q?lora|q?dora)_")
_TUNED = re.compile(r"_(?:base|instruct|chat|it)(?=_|$)")
_SHIPPED = re.compile(r"([a-z]\w*)/([\w.]+?)_(full|q?lora|q?dora)(?:_.*)?", re.IGNORECASE)
_PREFERENCES = re.compile(r"dpo|ppo|grpo|knowledge_distillation")
_SPELLED = ((r"^code_llama2_", "codellama-"), (r"^phi4_14b$", "phi-4"), (r"vision_(\w+)$", r"\1-vision"))
_PROJECTIONS = {"output_proj": "o_proj"}
_MLP = ("gate_proj", "up_proj", "down_proj")
_CHUNKED = re.compile(r"linear|chunked", re.IGNORECASE)
_SHIPPED_BATCH = 2
"""Sequences of a pass in nearly all configs that ship with torchtune."""


def tune_run(words: Sequence[str]) -> tuple[list[str], str, list[str]] | None:
    """Return torchrun's flags, the recipe and what follows it; None where the words are no ``tune run``.

    Examples
    --------
    >>> tune_run("tune run --nproc_per_node 2 lora_dpo --config a.yaml epochs=1".split())
    (['--nproc_per_node', '2'], 'lora_dpo', ['--config', 'a.yaml', 'epochs=1'])
    """
    names = [word.rsplit("/", 1)[-1] for word in words]
    start = next((at for at, pair in enumerate(itertools.pairwise(names)) if pair == ("tune", "run")), None)
    stated = next((at for at, word in enumerate(words) if re.match(r"--config(?:=|$)", word)), None)
    if start is None or stated is None or stated <= start + 2:
        return None
    return list(words[start + 2 : stated - 1]), words[stated - 1], list(words[stated:])


def shipped(config: str, told: TrainingText) -> bool:
    """Take what the name of a config that ships with torchtune says; return whether it is such a name."""
    named = _SHIPPED.fullmatch(config)
    if named is None:
        return False
    family, size, way = (part.lower().replace(".", "_") for part in named.groups())
    told.take("component", f"{'' if way == 'full' else way + '_'}{family}_{size}", config)
    told.take("micro_batch", _SHIPPED_BATCH, config)
    told.take("checkpointing", True, config)
    told.take("dtype", "bf16", config)
    told.take("loss", "chunked", config)
    told.take("lora_mlp", True, config)
    told.notes.append(
        f"{config} is not there; by its name it is {family} {size}, {way}; taken are batches of {_SHIPPED_BATCH}, "
        "bf16 and activation checkpointing, as in most configs that ship with torchtune"
    )
    return True


def settle(told: TrainingText, recipe: str) -> None:
    """Turn components and the recipe's name into the settings that other trainers state."""
    if "component" in told.settings:
        component, key = told.settings["component"]
        plain = str(component).rsplit(".", 1)[-1]
        way = _WAYS.match(plain)
        told.take("method", way[1].replace("dora", "lora") if way else "full", key)
        if way and "dora" in way[1]:
            told.unmodelled.append(f"{key}: {plain}")
        told.take("builder", plain[way.end() if way else 0 :], key)
    if recipe.endswith("single_device"):
        told.take("node_gpus", 1, recipe)
    elif recipe:
        told.take("fsdp", ["full_shard"], recipe)
    if _PREFERENCES.search(recipe):
        told.take("goal", recipe, recipe)
    _settle_kept(told)
    targets = [_PROJECTIONS.get(name, name) for name in told.value("lora_target", [])]
    if targets or told.value("lora_mlp"):
        key = "lora_target" if targets else "lora_mlp"
        joined = [*(targets or ("q_proj", "v_proj", "o_proj")), *(_MLP if told.value("lora_mlp") else ())]
        _replace(told, "lora_target", joined, told.key(key))
    if "steps" in told.settings and told.value("epochs", 1.0) > 1.0:
        _replace(told, "steps", round(told.value("steps") * told.value("epochs")), told.key("steps"))


def _settle_kept(told: TrainingText) -> None:
    """Take formats, optimizer and loss by the names of their classes."""
    told.take("dtype", "bf16", "dtype")
    if str(told.value("dtype")).lower() in {"bf16", "bfloat16"}:
        told.take("pure_bf16", True, told.key("dtype"))
    else:
        told.notes.append(f"{told.key('dtype')} {told.value('dtype')}: weights are kept in 32 bits, products in bf16")
    if "optimizer" in told.settings:
        name, key = told.settings["optimizer"]
        plain = str(name).rsplit(".", 1)[-1]
        if plain == "CPUOffloadOptimizer":
            told.take("offload_optimizer", True, key)
            plain = "adamw"
        if plain.lower().startswith("paged"):
            told.notes.append(
                f"{key} {plain}: states move to host memory where the device is full; --offload optimizer"
            )
        _replace(told, "optimizer", re.sub(r"^paged(?=adam)", "", plain.lower()), key)
    if _CHUNKED.search(str(told.value("loss", ""))):
        told.take("fused_loss", True, told.key("loss"))


def _replace(told: TrainingText, name: str, value: Any, key: str) -> None:
    told.settings.pop(name, None)
    told.take(name, value, key)


def model_of_builder(builder: str) -> str:
    """Return the model on file that a builder such as ``llama3_1_8b`` makes; digits around ``_`` are one number.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> model_of_builder("llama3_1_8b"), model_of_builder("qwen2_5_0_5b"), model_of_builder("qwen3_0_6b_base")
    ('llama-3.1-8b', 'qwen2.5-0.5b', 'qwen3-0.6b')
    """
    plain = _TUNED.sub("", builder.lower())
    for pattern, spelled in _SPELLED:
        plain = re.sub(pattern, spelled, plain)
    release = re.sub(r"^([a-z_]+\d)_(\d)(?=_)", r"\1.\2", plain)
    size = r"_(\d)_(\d+b)$"
    for name in (release, re.sub(size, r"_\1.\2", release), re.sub(size, r"_\1.\2", plain), plain):
        try:
            return models.load(name.replace("_", "-")).name
        except InputError:
            continue
    message = f"--config: {builder[:60]} is of no model on file; add --model"
    raise InputError(message)

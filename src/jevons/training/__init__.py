"""Step time, memory and layout of training a model, and what a run takes."""

import sys
from typing import Any

import jevons
from jevons.training.activations import micro_batches
from jevons.training.factors import ScriptedLaunch, TrainingFactors, host_link, scripted_launch, training_factors
from jevons.training.failures import (
    FailureModel,
    RunOutlook,
    failure_model,
    goodput_frac,
    outlook,
    spare_nodes,
    straggler_frac,
    useful_frac,
)
from jevons.training.formulas import odd_part
from jevons.training.memory import host_bytes, memory_bytes
from jevons.training.memory_spread import MemorySpread, fit_chance, memory_spread
from jevons.training.precision import FORMATS, training_format
from jevons.training.recipe import FRAMEWORKS, FROZEN, LORA_TARGETS, MOMENT_BYTES, Lora, Recipe, optimizer_of
from jevons.training.run import ALL_LAYOUTS, run_estimate, search, surest_first
from jevons.training.scaling import REASONS, ScalePoint, scaling_curve
from jevons.training.spread import StepSpread, step_spread
from jevons.training.step import product_flop, step
from jevons.training.types import (
    OFFLOAD,
    OFFLOADED,
    RECOMPUTE,
    RunEstimate,
    TrainingJob,
    TrainingLayout,
    TrainingSearch,
    TrainingSoftware,
    TrainingStep,
)

__all__ = [
    "ALL_LAYOUTS",
    "FORMATS",
    "FRAMEWORKS",
    "FROZEN",
    "LORA_TARGETS",
    "MOMENT_BYTES",
    "OFFLOAD",
    "OFFLOADED",
    "REASONS",
    "RECOMPUTE",
    "FailureModel",
    "Lora",
    "MemorySpread",
    "Recipe",
    "RunEstimate",
    "RunOutlook",
    "ScalePoint",
    "ScriptedLaunch",
    "StepSpread",
    "TrainingFactors",
    "TrainingJob",
    "TrainingLayout",
    "TrainingSearch",
    "TrainingSoftware",
    "TrainingStep",
    "failure_model",
    "fit_chance",
    "goodput_frac",
    "host_bytes",
    "host_link",
    "memory_bytes",
    "memory_spread",
    "micro_batches",
    "odd_part",
    "optimizer_of",
    "outlook",
    "product_flop",
    "run_estimate",
    "scaling_curve",
    "scripted_launch",
    "search",
    "spare_nodes",
    "step",
    "step_spread",
    "straggler_frac",
    "surest_first",
    "training_factors",
    "training_format",
    "useful_frac",
]

sys.modules[__name__].__class__ = jevons.Part


def __getattr__(name: str) -> Any:
    """Answer a name that is not here with one that is."""
    raise jevons.unknown(__name__, name, __all__)


def __dir__() -> Any:
    """Return the public names."""
    return __all__

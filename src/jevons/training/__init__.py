"""Step time, memory and layout of training a model, and what a run takes."""

from jevons.training.factors import training_factors
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
from jevons.training.memory import memory_bytes, micro_batches
from jevons.training.precision import FORMATS, training_format
from jevons.training.run import run_estimate, search
from jevons.training.scaling import REASONS, ScalePoint, scaling_curve
from jevons.training.step import product_flop, step
from jevons.training.types import (
    OFFLOAD,
    RunEstimate,
    TrainingFactors,
    TrainingJob,
    TrainingLayout,
    TrainingSearch,
    TrainingStep,
)

__all__ = [
    "FORMATS",
    "OFFLOAD",
    "REASONS",
    "FailureModel",
    "RunEstimate",
    "RunOutlook",
    "ScalePoint",
    "TrainingFactors",
    "TrainingJob",
    "TrainingLayout",
    "TrainingSearch",
    "TrainingStep",
    "failure_model",
    "goodput_frac",
    "memory_bytes",
    "micro_batches",
    "outlook",
    "product_flop",
    "run_estimate",
    "scaling_curve",
    "search",
    "spare_nodes",
    "step",
    "straggler_frac",
    "training_factors",
    "training_format",
    "useful_frac",
]

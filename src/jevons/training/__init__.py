"""Step time, memory and layout of training a model, and what a run takes."""

from jevons.training.factors import training_factors
from jevons.training.memory import memory_bytes, micro_batches
from jevons.training.run import run_estimate, search
from jevons.training.step import product_flop, step
from jevons.training.types import (
    RunEstimate,
    TrainingFactors,
    TrainingJob,
    TrainingLayout,
    TrainingSearch,
    TrainingStep,
)

__all__ = [
    "RunEstimate",
    "TrainingFactors",
    "TrainingJob",
    "TrainingLayout",
    "TrainingSearch",
    "TrainingStep",
    "memory_bytes",
    "micro_batches",
    "product_flop",
    "run_estimate",
    "search",
    "step",
    "training_factors",
]

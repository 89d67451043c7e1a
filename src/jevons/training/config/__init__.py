"""Configurations of trainings: what trainers' files and launch lines say, read into the options of `jevons.train`."""

from jevons.training.config.meaning import options_of
from jevons.training.config.read import read_training
from jevons.training.config.types import Stated, TrainingText

__all__ = ["Stated", "TrainingText", "options_of", "read_training"]

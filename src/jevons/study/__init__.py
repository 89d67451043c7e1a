"""Composes the stages: loads scenarios, runs the chain, explores uncertainty, explains results."""

from jevons.study.compare import compare
from jevons.study.plan import plan
from jevons.study.presets import preset
from jevons.study.pricing import HourPrice
from jevons.study.result import PlanResult
from jevons.study.scenario import Scenario, load
from jevons.study.sizing import Demand, Service, SizeResult, size
from jevons.study.training_run import TrainResult, train

__all__ = [
    "Demand", "HourPrice", "PlanResult", "Scenario", "Service", "SizeResult", "TrainResult", "compare", "load", "plan",
    "preset", "size", "train",
]  # fmt: skip

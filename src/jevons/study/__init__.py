"""Composes the stages: loads scenarios, runs the chain, explores uncertainty, explains results."""

from jevons.study.plan import plan
from jevons.study.result import PlanResult
from jevons.study.scenario import Scenario, load

__all__ = ["PlanResult", "Scenario", "load", "plan"]

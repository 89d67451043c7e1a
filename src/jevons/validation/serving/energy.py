"""Rows of power and energy: what a run draws, from its predicted rates."""

from __future__ import annotations

import re

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.energy import Flow, PowerModel, activity_of, power_model, power_w
from jevons.serving.types import Deployment
from jevons.validation.serving.case import Case, benchmark
from jevons.validation.serving.predict import Answer

ENERGY_METRICS = ("power_w", "energy_j_per_output_token", "energy_j_per_request")

_PROMPT = re.compile(r"serving_benchmark\.(\w+)\.prompt")


def dataset_lengths(dataset: str, osl: float) -> tuple[Lengths, Lengths]:
    """Return lengths of prompts and answers of a set of conversations with that mean answer.

    Raises
    ------
    InputError
        If the set is not known.
    """
    known = {match[1].replace("_", "-"): match[1] for fact in default_facts() if (match := _PROMPT.fullmatch(fact.id))}
    if dataset not in known:
        message = f"no isl: the prompts of dataset `{dataset}` are not known; known are {', '.join(known)}"
        raise InputError(message)
    sigma = benchmark("conversation_sigma")
    return Lengths(mean=benchmark(f"{known[dataset]}.prompt"), sigma=sigma), Lengths(mean=max(osl, 1.0), sigma=sigma)


def flow_of(case: Case, batch: float, output_tok_per_s: float) -> Flow:
    """Return the tokens through one instance of a case at a rate."""
    isl, osl = case.requested.isl.mean, case.requested.osl.mean
    return Flow(
        batch=batch, context=isl + osl / 2.0, output_tok_per_s=output_tok_per_s,
        prompt_tok_per_s=output_tok_per_s / osl * isl, prompt_context=isl / 2.0,
    )  # fmt: skip


def run_power_w(case: Case, deployment: Deployment, flow: Flow, model: PowerModel | None = None) -> float:
    """Return the mean power of all devices of a case at a flow of tokens through each instance [W]."""
    return case.gpus * power_w(deployment.accelerator, activity_of(deployment, flow), model)


def energy_value(metric: str, case: Case, answered: Answer) -> tuple[float, float, float]:
    """Return a predicted power or energy in the table's unit, and its 80 % interval."""
    if answered.deployment is None or case.instances.prefill is not None:
        message = f"metric `{metric}`: the power of a pool for prompts beside one for decodes is not modelled"
        raise InputError(message)
    model, out = power_model(), answered.outcome
    rate = out.output_tok_per_s if case.scenario == "static" else out.steady_output_tok_per_s
    flow = flow_of(case, out.batch, rate)
    drawn_w = run_power_w(case, answered.deployment, flow, model)
    value = drawn_w / (rate * answered.replicas)
    if metric == "energy_j_per_request":
        value *= case.requested.osl.mean
    if metric == "power_w":
        return drawn_w, drawn_w * model.power_low_ratio, drawn_w * model.power_high_ratio
    return value, value * model.low_ratio, value * model.high_ratio


def steady(case: Case, notes: str) -> Case:
    """Return a case of a table of power: a loop whose users keep the batch full, measured while it is.

    Conversations of its sets are sampled as the models' generation settings ask: by top-k and top-p, but for gpt-oss.
    """
    if case.family != "energy":
        return case
    return case.replace(steady=True, sorts_logits="task " in notes and "gpt-oss" not in case.model)

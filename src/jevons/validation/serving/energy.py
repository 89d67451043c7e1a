"""Rows of power and energy: what a run draws at its measured rate, and its energy per token at the predicted one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jevons.errors import InputError
from jevons.facts import default_facts
from jevons.limits import MEASURED
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.energy import Flow, PowerModel, activity_of, power_model, power_w
from jevons.serving.types import Deployment
from jevons.validation.serving.case import Case, Row, benchmark
from jevons.validation.serving.predict import Answer

ENERGY_METRICS = ("power_w", "energy_j_per_output_token", "energy_j_per_request")
IMAGES = ("image-chat", "video-chat")
"""Tasks whose devices wait for the host, which prepares images."""

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


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """The rate that a run reached.

    Parameters
    ----------
    task : str
        What its requests are.
    batch : float
        Requests that decode at once, of one instance.
    output_tok_per_s : float
        Of all instances.
    """

    task: str
    batch: float
    output_tok_per_s: float


def runs_of(rows: Iterable[Row]) -> dict[str, dict[str, Row]]:
    """Return the rows of each run of a table of power by metric, by the run's id."""
    runs: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row.get("run_id"):
            runs.setdefault(row["run_id"], {})[row["metric"]] = row
    return runs


def measured_rate(case: Case, rows: Mapping[str, Row]) -> MeasuredRate | None:
    """Return the rate that a run states, or nothing."""
    if case.scenario == "static":
        batch, latency_ms = float(case.requested.users), _figure(rows, "batch_latency_ms")
        rate = batch * case.requested.osl.mean / latency_ms * 1e3 if latency_ms > 0.0 else 0.0
    else:
        batch, rate = _figure(rows, "running_mean"), _figure(rows, "output_tok_s")
    if not (batch > 0.0 and rate > 0.0):
        return None
    return MeasuredRate(next(iter(rows.values()))["isl"].removeprefix("dataset "), batch, rate)


def _figure(rows: Mapping[str, Row], metric: str) -> float:
    """Return the figure of a run's metric; 0 without one."""
    try:
        value = float(rows[metric]["value"])
    except (KeyError, ValueError):
        return 0.0
    return value if value <= MEASURED else 0.0


def step_frac(task: str, rate_ratio: float) -> float:
    """Return the share of the time in which a step runs, from the predicted rate over the measured one.

    Only tasks with images wait for the host; in others, a lower rate than predicted is one of slower steps.
    """
    return min(1.0, 1.0 / rate_ratio) if task in IMAGES else 1.0


def energy_value(
    metric: str, case: Case, answered: Answer, measured: MeasuredRate | None = None
) -> tuple[float, float, float]:
    """Return a predicted power or energy in the table's unit, and its 80 % interval.

    Power is that at the measured rate, if the run states it: its error is then one of power alone. Energy per token and
    per request divide by the predicted rate, and so have that rate's error too.
    """
    if answered.deployment is None or case.instances.prefill is not None:
        message = f"metric `{metric}`: the power of a pool for prompts beside one for decodes is not modelled"
        raise InputError(message)
    model = power_model()
    if metric == "power_w" and measured is not None:
        drawn_w = rated_power_w(case, answered, answered.deployment, measured, model)
        return drawn_w, drawn_w * model.rated_low_ratio, drawn_w * model.rated_high_ratio
    rate = predicted_rate(case, answered)
    flow = flow_of(case, predicted_batch(case, answered), rate)
    drawn_w = case.gpus * power_w(answered.deployment.accelerator, activity_of(answered.deployment, flow), model)
    value = drawn_w / (rate * answered.replicas)
    if metric == "energy_j_per_request":
        value *= case.requested.osl.mean
    if metric == "power_w":
        return drawn_w, drawn_w * model.power_low_ratio, drawn_w * model.power_high_ratio
    return value, value * model.low_ratio, value * model.high_ratio


def predicted_rate(case: Case, answered: Answer) -> float:
    """Return the predicted output rate of one instance [tokens/s]."""
    out = answered.outcome
    return out.output_tok_per_s if case.scenario == "static" else out.steady_output_tok_per_s


def predicted_batch(case: Case, answered: Answer) -> float:
    """Return the predicted requests that decode at once on one instance while it is full.

    They are the rate times the time per token; the run's own mean counts its ends too.
    """
    out = answered.outcome
    if case.scenario == "static":
        return out.batch
    return max(min(predicted_rate(case, answered) * out.tpot_s["mean"], float(case.requested.users)), 1.0)


def rated_power_w(
    case: Case, answered: Answer, deployment: Deployment, measured: MeasuredRate, model: PowerModel | None = None
) -> float:
    """Return the mean power of all devices of a case at the rate that its run reached [W].

    Devices that wait for images work at the predicted rate, and wait for the rest of the time.
    """
    batch, rate = measured.batch, measured.output_tok_per_s / answered.replicas
    steps = step_frac(measured.task, predicted_rate(case, answered) / rate)
    if steps < 1.0:
        batch, rate = predicted_batch(case, answered), predicted_rate(case, answered)
    activity = activity_of(deployment, flow_of(case, batch, rate))
    return case.gpus * power_w(deployment.accelerator, activity, model, step_frac=steps)


def requests_of(task: str, seats: int) -> int:
    """Return the requests of a run of a task: its set, gone through as often as a batch of so many seats takes.

    The batch is full from when so many have begun until the set has no more. Few sets are much larger than their
    batches: contexts are then shorter than those of a loop that goes on, and few prompts are read beside the decodes.
    """
    of_set = benchmark(f"{task.replace('-', '_')}.requests")
    return round(of_set * math.ceil(seats * benchmark("requests_per_seat") / of_set))


def steady(case: Case, notes: str) -> Case:
    """Return a case of a table of power: a loop whose users keep the batch full, measured while it is.

    Conversations of its sets are sampled as the models' generation settings ask: by top-k and top-p, but for gpt-oss.
    """
    if case.family != "energy":
        return case
    task = re.search(r"\btask ([\w-]{1,40})", notes)
    if task is None:
        return case.replace(steady=True)
    requests = requests_of(task[1], case.requested.users)
    return case.replace(steady=True, requests=requests, sorts_logits="gpt-oss" not in case.model)

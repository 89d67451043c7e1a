"""One answer to one question, whichever face is asked: random models, devices, engines, lengths, limits and degrees."""

import random
from pathlib import Path

import pytest

import jevons
from draws import draws
from jevons import models, serving
from jevons.errors import FactError, InfeasibleError, InputError
from jevons.hardware import accelerator, accelerator_ids
from jevons.study.chain.operating_points import group_sizes
from jevons.web.inputs import asked
from jevons.web.work import Desk

CASES = draws(16)
_MEMORY = ("fits", "weights_bytes", "activations_bytes", "graphs_bytes", "other_bytes", "kv_bytes", "kv_tokens")
_SAME = ("layout", "precision", "accelerators", "ttft_s", "tpot_s", "memory")


def drawn(number):
    """Return a random question: a model, a device, and the options of a service."""
    chance = random.Random(f"one answer {number}")  # noqa: S311
    model, gpu = chance.choice(sorted(models.names())), chance.choice(sorted(accelerator_ids()))
    given = {
        "engine": chance.choice(["vllm", "sglang", "trtllm", "generic"]),
        "precision": chance.choice(["native", "native", "bf16", "fp8", "int8", "int4"]),
        "isl": chance.choice([128, 500, 2000, 8000]), "osl": chance.choice([64, 200, 500, 1000]),
        "max_replica_gpus": chance.choice([1, 8, 16, 32]), "tpot": chance.choice([0.02, 0.05, 0.1]),
    }  # fmt: skip
    if chance.random() < 0.3:
        given["ttft"] = chance.choice([0.5, 2.0])
    if chance.random() < 0.4:
        given["tp"] = chance.choice([1, 2, 3, 4, 8])
    if chance.random() < 0.2:
        given["kv_precision"] = "fp8"
    if chance.random() < 0.2:
        given["max_num_seqs"] = chance.choice([8, 64])
    return model, gpu, given


def verdict(ask):
    """Return what a face answers; None where it says that nothing is feasible, or refuses the question."""
    try:
        return ask()
    except (InfeasibleError, InputError):
        return None


def alike(one, other):
    assert one == pytest.approx(other, rel=1e-9) if isinstance(one, float) else one == other


@pytest.mark.parametrize("number", range(CASES))
def test_size_cost_memory_plan_and_page_give_one_answer(number, tmp_path):
    """Invariant 87: One question has one layout, throughput, latency, cost and memory, whichever face is asked."""
    model, gpu, given = drawn(number)
    price = {"gpu_hour": "2 USD"}
    cost = verdict(lambda: jevons.cost(gpu, model=model, utilisation=1.0, **price, **given))
    size = verdict(lambda: jevons.size(model, gpu=gpu, **price, **given))
    assert (cost is None) == (size is None)
    if cost is None or size is None:
        return
    one, other = cost.to_json(), size.to_json()["best"]
    for key in _SAME:
        alike(one[key], other[key])
    assert one["blended_per_mtok"] == pytest.approx(other["cost_per_mtok"])
    point, deployment = cost.tokens.candidate.point, cost.tokens.candidate.deployment

    question = asked("cost", {"gpu": gpu, "model": model, "utilisation": 1.0, **price, **given})
    page = Desk(Path(tmp_path)).call("cost", question.input, lambda _kind, _content: None)
    assert page.to_json() == one

    server = {k: v for k, v in given.items() if k in {"engine", "kv_precision", "max_num_seqs"}}
    server |= {} if deployment.model.max_context else {"max_model_len": given["isl"] + given["osl"]}
    layout = {k: getattr(deployment.layout, k) for k in ("tp", "pp", "ep", "dp", "dp_attention")}
    memory = jevons.memory(model, gpu=gpu, precision=deployment.precision, **layout, **server).to_json()
    for key in _MEMORY:
        alike(memory[key], one["memory"][key])

    if "tp" not in given:
        spec, device = models.load(model), accelerator(gpu)
        weights = spec.weight_bytes(None if given["precision"] == "native" else given["precision"])
        planned = serving.search_layouts(
            spec, device, cost.service.workload(), devices=group_sizes(weights, device, given["max_replica_gpus"]),
            precisions=(given["precision"],), engine=cost.service.factors(), ttft_s=given.get("ttft"),
            tpot_s=given["tpot"], kv_precision=given.get("kv_precision", "bf16"),
        ).candidates[0]  # fmt: skip
        assert planned.point.tok_per_s_per_device == pytest.approx(point.tok_per_s_per_device)


@pytest.mark.parametrize("number", range(0, CASES, 2))
def test_a_machine_that_is_bought_carries_what_cost_says(number):
    """Invariant 88: A machine of `buy-rent-api` carries what `cost` says of replicas that fill it."""
    model, gpu, given = drawn(number)
    try:
        ways = verdict(lambda: jevons.buy_rent_api(model, gpu=gpu, tokens_per_day="900B", api="4/16 CNY", **given))
    except FactError:
        return  # what was never sold has no price
    for machine in ways.machines if ways is not None else ():
        within = {**given, "max_replica_gpus": machine.accelerators}
        best = jevons.cost(gpu, model=model, gpu_hour="2 USD", utilisation=1.0, **within).tokens.candidate
        if machine.accelerators % best.deployment.devices == 0:  # no device of the machine is left over
            assert machine.point.tok_per_s_per_device == pytest.approx(best.point.tok_per_s_per_device)

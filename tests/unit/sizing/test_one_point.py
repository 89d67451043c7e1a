"""One operating point: size, cost, buy-rent-api and a plan give one throughput to a model on a device in a service."""

import pytest

import jevons
from jevons import models, serving
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.study.chain.operating_points import group_sizes

PAIRS = (
    ("deepseek-r1", "h20", 32, "fp8"), ("deepseek-v3", "h800_sxm", 32, "fp8"), ("qwen2.5-72b", "h20", 32, "bf16"),
    ("llama-3.1-8b", "rtx_4090", 4, "bf16"), ("llama-3.1-70b", "h100_sxm", 16, "fp8"),
    ("qwen3-30b-a3b", "a800_sxm", 8, "bf16"),
)  # fmt: skip
LARGE = PAIRS[:2]
"""Models whose layouts are many."""
LENGTHS = {"isl": 2000, "osl": 500}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(pair, marks=pytest.mark.slow if pair in LARGE else (), id="-".join(pair[:2])) for pair in PAIRS
    ],
)
def faces(request):
    model, gpu, gpus, precision = request.param
    service = {**LENGTHS, "max_replica_gpus": gpus, "precision": precision}
    cost = jevons.cost(gpu, model=model, utilisation=1.0, **service)
    return model, gpu, service, cost, jevons.size(model, gpu=gpu, **service)


def test_size_and_cost_choose_one_layout_with_one_throughput_and_cost(faces):
    _, _, _, cost, size = faces
    point, best = cost.tokens.candidate.point, size.entries[0]
    assert best.deployment.layout == cost.tokens.candidate.deployment.layout
    assert best.point.tok_per_s_per_device == pytest.approx(point.tok_per_s_per_device)
    each = LENGTHS["isl"] + LENGTHS["osl"]
    per_mtok = best.price.amount / (3600 * best.point.req_per_s_per_device * each) * 1e6
    assert per_mtok / best.price.amount == pytest.approx(cost.tokens.cost.blended_per_mtok / cost.per_hour)
    assert (
        abs(best.price.amount - cost.per_hour) <= cost.hour.energy_cur
    )  # an hour of `cost` has its layout's own power


def test_kinds_of_tokens_add_up_to_the_point(faces):
    cost = faces[3]
    seconds, point = cost.tokens.seconds, cost.tokens.candidate.point
    assert seconds.input_s + seconds.cached_s + seconds.output_s == pytest.approx(1 / point.req_per_s_per_device)


def test_bought_machines_carry_what_that_layout_carries(faces):
    model, gpu, service, cost, _ = faces
    ways = jevons.buy_rent_api(model, gpu=gpu, tokens_per_day="900B", api="4/16 CNY", **service)
    machine = ways.machines[0]
    if machine.deployment.layout != cost.tokens.candidate.deployment.layout:  # whole servers of another size
        devices = machine.deployment.devices
        cost = jevons.cost(gpu, model=model, utilisation=1.0, **{**service, "max_replica_gpus": devices})
    point = cost.tokens.candidate.point
    assert machine.point.tok_per_s_per_device == pytest.approx(point.tok_per_s_per_device)


@pytest.mark.slow
def test_a_plan_finds_the_same_point_for_the_same_service(faces):
    model, gpu, service, cost, _ = faces
    spec, device = models.load(model), accelerator(gpu)
    sizes = group_sizes(spec.weight_bytes(service["precision"]), device, service["max_replica_gpus"])
    found = serving.search_layouts(
        spec, device, cost.service.workload(), devices=sizes, precisions=(service["precision"],),
        engine=cost.service.factors(), tpot_s=0.05, settings=cost.service.settings(),
    ).candidates[0]  # fmt: skip
    point = cost.tokens.candidate.point
    assert found.point.tok_per_s_per_device == pytest.approx(point.tok_per_s_per_device)


@pytest.mark.parametrize("command", ["size", "cost", "buy_rent_api"])
def test_degrees_beyond_the_replica_are_refused_alike(command):
    ask = {
        "size": lambda **more: jevons.size("llama-3.1-8b", **more),
        "cost": lambda **more: jevons.cost(model="llama-3.1-8b", **more),
        "buy_rent_api": lambda **more: jevons.buy_rent_api("llama-3.1-8b", tokens_per_day="1M", **more),
    }[command]
    with pytest.raises(InputError, match=r"tp=8: more accelerators than max_replica_gpus 4; raise it"):
        ask(tp=8, max_replica_gpus=4)


def test_a_degree_that_is_held_leaves_the_others_open():
    held = jevons.cost(model="llama-3.1-70b", gpu="rtx_4090", precision="int4", tp=2, max_replica_gpus=8)
    assert held.tokens.candidate.deployment.layout.tp == 2
    assert held.tokens.candidate.deployment.layout.pp > 1  # two cards alone do not hold the weights


@pytest.mark.slow
def test_cost_says_which_precisions_size_tries_besides():
    said = "Weights as shipped; `jevons size` also tries fp8, and so does --precision auto."
    assert said in jevons.cost(model="llama-3.1-8b", gpu="h20").notes
    for asked in ({"precision": "auto"}, {"precision": "bf16"}):
        assert said not in jevons.cost(model="llama-3.1-8b", gpu="h20", **asked).notes
    assert said not in jevons.cost(model="deepseek-v3", gpu="h20").notes
    best = jevons.size("llama-3.1-8b", gpu="h20", max_replica_gpus=4).entries[0].deployment
    cost = jevons.cost(model="llama-3.1-8b", gpu="h20", precision="auto", max_replica_gpus=4)
    assert str(cost.tokens.candidate.deployment) == str(best)


@pytest.mark.slow
def test_cost_says_where_its_replica_is_larger_than_size_would_try():
    said = "A replica has 32 accelerators; `jevons size` tries 16 at most where --max-replica-gpus does not say more."
    asked = {"model": "deepseek-v3", "gpu": "h20"}
    assert said in jevons.cost(**asked).notes
    assert said not in jevons.cost(**asked, max_replica_gpus=16).notes

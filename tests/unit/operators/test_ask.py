"""The operators as a user asks for them: numbers in, time with interval and bound out; each time can be followed."""

import doctest
import json

import pytest
from typer.testing import CliRunner

import jevons
from jevons.cli.app import app
from jevons.errors import InputError
from jevons.hardware import Cluster, accelerator
from jevons.operators import ask, kernels
from jevons.operators.factors import Factors

CALLS = {
    "gemm": lambda **more: jevons.operators.gemm(4096, 8192, 8192, precision="fp8", **more),
    "prefill": lambda **more: jevons.operators.attention(8, 2048, **more),
    "decode": lambda **more: jevons.operators.attention(64, 4096, phase="decode", **more),
    "mla prefill": lambda **more: jevons.operators.mla(4, 2048, **more),
    "mla decode": lambda **more: jevons.operators.mla(64, 4096, phase="decode", **more),
    "moe": lambda **more: jevons.operators.moe(256, ep=8, precision="fp8_block", **more),
    "all-reduce": lambda **more: jevons.operators.all_reduce("64 MiB", **more),
    "all-gather": lambda **more: jevons.operators.all_gather("64 MiB", **more),
    "reduce-scatter": lambda **more: jevons.operators.reduce_scatter("64 MiB", **more),
    "all-to-all": lambda **more: jevons.operators.all_to_all("64 MiB", gpus=16, **more),
    "send": lambda **more: jevons.operators.point_to_point("64 MiB", across=True, **more),
}


def test_examples_of_the_docstrings_run():
    names = [name for name in vars(ask) if name in jevons.operators.__all__]
    assert len(names) >= 9
    for name in names:
        finder = doctest.DocTestFinder(recurse=False)
        for test in finder.find(getattr(ask, name), name, globs={}):
            assert test.examples, name
            assert doctest.DocTestRunner().run(test).failed == 0, name


@pytest.mark.parametrize("name", CALLS)
def test_time_lies_inside_its_interval_and_names_its_bound(name):
    result = CALLS[name](gpu="h200_sxm")
    assert 0 < result.low < result.time_s < result.high
    assert result.bound in {"compute", "memory", "link", "launch"}
    record = json.loads(json.dumps(result.to_json()))
    assert {"time_s", "bound", "low", "high"} <= set(record)
    assert 0 < record["bandwidth_frac"] <= 1.0
    assert record["peak_frac"] is None or 0 < record["peak_frac"] <= 1.0
    assert len(repr(result).splitlines()) <= 15


def test_a_name_and_the_object_it_names_give_the_same_time():
    for call in CALLS.values():
        assert call(gpu="h200_sxm").time_s == call(gpu=accelerator("h200_sxm")).time_s


def test_times_are_those_that_the_stages_use():
    device, factors = accelerator("h100_sxm"), Factors("vllm")
    assert CALLS["gemm"]().time_s == float(kernels.gemm(device, 4096, 8192, 8192, "fp8", factors=factors).time_s)
    reduced = kernels.all_reduce(Cluster(device, 8), 64 * 2**20, 8, factors=factors)
    assert CALLS["all-reduce"]().time_s == float(reduced.time_s)


def test_a_device_without_rows_has_the_wider_interval():
    own, borrowed = (CALLS["gemm"](gpu=gpu, engine="trtllm") for gpu in ("h200_sxm", "h20"))
    assert borrowed.high / borrowed.time_s > own.high / own.time_s
    assert "h200_sxm" in borrowed.to_json()["kernels"]


def test_a_shape_outside_the_range_measured_has_the_wider_interval():
    inside = jevons.operators.gemm(4096, 8192, 8192, gpu="h200_sxm")
    outside = jevons.operators.gemm(4096, 8192, 10_000_000, gpu="h200_sxm")
    assert (inside.extrapolated, outside.extrapolated) == (False, True)
    assert outside.high / outside.time_s > inside.high / inside.time_s


@pytest.mark.parametrize("name", CALLS)
def test_every_explained_figure_follows_from_its_formula_and_parents(name):
    result = CALLS[name]()
    nodes = result.ledger.nodes
    assert result.time_s == pytest.approx(nodes["time_s"].value, rel=1e-12)
    computed = [node for node in nodes.values() if node.formula]
    assert {"time_s", "low_s", "high_s"} <= {node.path for node in computed}
    for node in computed:
        assert result.ledger.recompute(node.path) == pytest.approx(node.value, rel=1e-9), node.path
    text = result.explain("time_s")
    assert "residual" in text
    assert "measured on" in text or "datasheet" in text


def test_datasheet_rates_are_traced_to_their_facts():
    text = CALLS["gemm"]().explain("compute_s")
    assert "h100_sxm.peak_fp8_flop_per_s" in text
    assert "vendor" in text


def test_what_must_cross_the_network_in_an_all_to_all_is_not_divided_by_the_domain():
    far = jevons.operators.all_to_all("1 GB", gpus=64, gpu="h100_sxm")
    assert far.traffic.name == "network"
    assert far.traffic.work == pytest.approx(1e9 * 7 / 8)
    assert 0.8 < far.bandwidth_frac <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("written", "size"), [("1KB", 1e3), ("64 mb", 64e6), ("2gb", 2e9), ("64Mi", 2**26), ("64mib", 2**26), ("8B", 8)]
)
def test_sizes_of_messages_are_read_as_people_write_them(written, size):
    asked, plain = (jevons.operators.all_reduce(message) for message in (written, size))
    assert asked.answer == plain.answer
    with pytest.raises(jevons.InputError, match="64MiB or 2GB"):  # 10^6 or 2^20 bytes
        jevons.operators.all_reduce("64M")


def test_one_device_alone_takes_no_time():
    alone = jevons.operators.all_reduce("64 MiB", gpus=1)
    assert (alone.time_s, alone.low, alone.high) == (0.0, 0.0, 0.0)
    assert "no time" in alone.answer


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: jevons.operators.gemm(0, 1, 1), "m=0: must be at least 1"),
        (lambda: jevons.operators.gemm(1, 1, float("nan")), "k=nan: must be a finite number"),
        (lambda: jevons.operators.gemm(1, 1, 1, precision="fp9"), "precision=fp9: unknown"),
        (lambda: jevons.operators.gemm(1, 1, 1, gpu="a100_sxm", precision="fp8"), "does not multiply in fp8"),
        (lambda: jevons.operators.gemm(1, 1, 1, gpu="abacus"), "abacus"),
        (lambda: jevons.operators.gemm(1, 1, 1, engine="vlm"), "engine=vlm: unknown"),
        (lambda: jevons.operators.attention(1, 1, 8, 16), "kv_heads=16: must be at most heads 8"),
        (lambda: jevons.operators.attention(1, 1, phase="both"), "phase=both: unknown"),
        (lambda: jevons.operators.attention(1, 8, phase="decode", cached=5), "cached=5: has no effect in decode"),
        (lambda: jevons.operators.mla(1, 8, phase="decode", precision="fp8"), "decode multiplies in 16 bits"),
        (lambda: jevons.operators.moe(1, experts=4, experts_per_token=8), "must be at most the 4 experts"),
        (lambda: jevons.operators.moe(1, experts=4, experts_per_token=2, ep=8), "ep=8: must be at most the 4"),
        (lambda: jevons.operators.all_reduce("much"), "message=much: write an amount of data"),
        (lambda: jevons.operators.all_reduce(-1.0), "must be above 0"),
        (lambda: jevons.operators.all_reduce("1 GB", gpus=0), "gpus=0: must be at least 1"),
    ],
)
def test_wrong_arguments_are_named(call, said):
    with pytest.raises(InputError) as caught:
        call()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "gemm --gpu h100_sxm 4096 8192 8192 --precision fp8",
        "attention 64 4096 --phase decode",
        "mla 64 4096 --phase decode",
        "moe 256 --precision fp8_block",
        "allreduce 64MiB --gpus 8",
        "alltoall 64MiB --gpus 8",
        "all-gather 64MiB",
    ],
)
def test_the_command_prints_and_has_the_contract_keys(line):
    shown = CliRunner().invoke(app, ["op", *line.split()])
    assert shown.exit_code == 0
    assert "80 % interval" in shown.output
    record = json.loads(CliRunner().invoke(app, ["op", *line.split(), "--json"]).output)
    assert record["low"] < record["time_s"] < record["high"]
    assert record["bound"] in {"compute", "memory", "link", "launch"}

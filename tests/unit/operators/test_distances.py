"""Which kernel answers for what was not measured, and how much wider its interval is."""

import dataclasses

import numpy as np
import pytest

from jevons.hardware import accelerator
from jevons.operators import kernels as ops
from jevons.operators.factors import DISTANCES, Factors, KernelTable, Record, lasting_slowdown, shipped_table
from jevons.operators.families import Kernel
from jevons.operators.kernels.attention import DECODE
from jevons.operators.kernels.collectives import link_bytes
from jevons.operators.kernels.gemm import GEMM, gemm
from jevons.operators.types import Errors, OpTime, interval_s

VALUES = dict.fromkeys(GEMM.factors, 0.5) | {"quant": 0.7, "launch_s": 5e-6}
WIDTHS = {name: Errors(0.1 * (i + 1), 0.2 * (i + 1)) for i, name in enumerate(DISTANCES)}


def record(device, engine="vllm", dtype="bf16", variant="", **values):
    """Return an invented kernel."""
    kernel = Kernel(values=VALUES | values, error=Errors(0.05, 0.06))
    return Record(
        family="gemm",
        device=device,
        engine=engine,
        dtype=dtype,
        variant=variant,
        kernel=kernel,
        rows=9,
        median_frac=0.1,
    )


def find(records, device, engine="vllm", dtype="bf16", variant=""):
    """Return the kernel that a table of these records answers with."""
    table = KernelTable(records={"gemm": records}, shared={"gemm": VALUES}, errors={"gemm": WIDTHS})
    return table.find(GEMM, accelerator(device), dtype, variant, engine)


@pytest.mark.parametrize(
    ("measured", "asked", "engine", "distance"),
    [
        ("h200_sxm", "h200_sxm", "vllm", "own"), ("h200_sxm", "h200_sxm", "generic", "own"),
        ("h200_sxm", "h200_sxm", "sglang", "device"), ("h100_sxm", "h200_sxm", "vllm", "kin"),
        ("b200_sxm", "gb200", "vllm", "kin"), ("h200_sxm", "b200_sxm", "vllm", "far"),
    ],
)  # fmt: skip
def test_the_interval_is_that_of_the_distance_to_the_nearest_rows(measured, asked, engine, distance):
    kernel = find([record(measured)], asked, engine)
    assert kernel.distance == distance
    assert kernel.error == (Errors(0.05, 0.06) if distance == "own" else WIDTHS[distance])


def test_the_nearest_device_answers_although_others_have_more_rows():
    kernel = find([record("a100_sxm"), record("h200_sxm"), record("b200_sxm")], "gb300")
    assert "measured on b200_sxm" in kernel.origin


def test_a_slower_core_loses_less_beside_its_products():
    same, slower = (find([record("h200_sxm")], device).values["compute_frac"] for device in ("h200_sxm", "h20"))
    assert same == 0.5
    assert 0.75 < slower < 0.9


def test_loads_and_the_start_of_a_loop_are_a_smaller_share_beside_a_slower_matrix_unit():
    ratio = (148 / 78) / (989 / 132)  # 16-bit TFLOPS of a core: H20 over H200
    for measured in ("h200_sxm", "a100_sxm"):  # an A100's losses are those of a Hopper core, in its unit's time
        losses = find([record(measured, tile=0.4, depth=100.0)], "h20").values
        assert losses["tile"] == pytest.approx(0.4 * ratio, rel=0.01)
        assert losses["depth"] == pytest.approx(100.0 * ratio, rel=0.01)
    assert find([record("a100_sxm", tile=0.4)], "h100_sxm").values["tile"] == 0.4
    assert find([record("mi355x", tile=0.4)], "mi300x").values["tile"] == 0.4


def test_weights_of_4_bits_are_no_slower_than_of_16_on_an_h20():
    narrow, wide = (gemm(accelerator("h20"), [1, 16], 8192, 8192, kind).time_s for kind in ("int4", "bf16"))
    assert (narrow < wide).all()


def share(device, **measured):
    """Return the share of its peak that a device takes from the measured share of another."""
    ((name, frac),) = measured.items()
    return find([record(name, compute_frac=frac)], device).values["compute_frac"]


def test_a_board_with_less_power_for_the_same_chip_sustains_less_of_its_peak():
    watts = accelerator("a100_pcie").tdp_w / accelerator("a100_sxm").tdp_w
    assert share("a100_pcie", a100_sxm=0.6) == pytest.approx(0.6 * watts ** (1 / 3))
    assert share("mi325x", mi300x=0.4) > 0.4 > share("mi350x", mi355x=0.4)
    assert share("l20", l40s=0.8) == 0.95


def test_power_says_nothing_across_generations_or_where_it_is_the_processors_too():
    assert share("mi355x", mi300x=0.6) == 0.6
    assert share("gh200", h200_sxm=0.6) == pytest.approx(0.6)


def test_two_boards_of_one_id_that_differ_in_power_differ_in_pace():
    table = KernelTable(records={"gemm": [record("a100_sxm")]}, shared={"gemm": VALUES}, errors={"gemm": WIDTHS})
    board = accelerator("a100_pcie")
    shares = [
        table.find(GEMM, dataclasses.replace(board, tdp_w=watts), "bf16", "", "vllm").values["compute_frac"]
        for watts in (300.0, 150.0)
    ]
    assert shares[1] == pytest.approx(shares[0] * 0.5 ** (1 / 3))


def test_a_product_timed_alone_gets_the_launch_and_quantising_of_a_relative_in_an_engine():
    records = [
        record("h20", "infersim", variant="alone", quant=0.01, launch_s=1e-6, compute_frac=0.9),
        record("h200_sxm"),
    ]
    alone, served = (find(records, "h20", engine, variant=variant) for engine, variant in
                     (("infersim", "alone"), ("vllm", "")))  # fmt: skip
    assert (alone.values["quant"], served.values["quant"]) == (0.01, 0.7)
    assert alone.values["compute_frac"] == served.values["compute_frac"] == 0.9
    assert (alone.distance, served.distance) == ("own", "device")


def test_attention_timed_alone_does_not_answer_for_an_engine():
    kernels = [dataclasses.replace(one, family="attention_decode") for one in (
        record("h20", "infersim", variant="alone"), record("h200_sxm"),
    )]  # fmt: skip
    table = KernelTable(records={"attention_decode": kernels}, shared={}, errors={})
    served = table.find(DECODE, accelerator("h20"), "bf16", "", "vllm")
    alone = table.find(DECODE, accelerator("h20"), "bf16", "alone", "infersim")
    assert ("h200_sxm" in served.origin, "h20," in alone.origin) == (True, True)


def test_kernels_of_another_operator_answer_only_when_asked_for():
    records = [record("h20", "infersim", variant="grouped"), record("h200_sxm")]
    assert "h200_sxm" in find(records, "h20").origin
    assert "h20," in find(records, "h20", "infersim", variant="grouped").origin


def test_shipped_errors_grow_with_the_distance():
    for name, errors in shipped_table().errors.items():
        for near, far in (("own", "device"), ("own", "kin"), ("kin", "far")):
            assert errors[near].long <= errors[far].long, (name, near)
            assert errors[near].short <= errors[far].short, (name, near)


def test_an_interval_is_wider_below_20_microseconds_and_outside_the_range():
    time = OpTime(
        time_s=np.array([1e-5, 1e-3, 1e-3]), bound=np.zeros(3, np.int8), error=Errors(0.1, 0.3),
        outside=Errors(0.5, 0.6), extrapolated=np.array([False, False, True]),
    )  # fmt: skip
    np.testing.assert_allclose(time.error_frac, [0.3, 0.1, 0.5])
    low, high = interval_s(time)
    np.testing.assert_allclose(high / time.time_s, time.time_s / low)
    wide = dataclasses.replace(time, error=Errors(0.4, 0.4))
    assert (interval_s(wide)[1] >= high).all()


def test_an_all_to_all_keeps_the_share_of_its_own_domain_and_a_neighbour_at_the_end_crosses_whole():
    operation, one = np.array([3.0, 4.0]), np.ones(2)
    near, far = link_bytes(operation, 80.0 * one, 16.0 * one, 2.0 * one)
    np.testing.assert_allclose(near, [80.0 * 7 / 16, 80.0])
    np.testing.assert_allclose(far, [40.0, 80.0])


@pytest.mark.parametrize("kv_precision", ["bf16", "fp8"])
def test_engines_kernels_say_no_more_of_another_makers_device_than_any_others_do(kv_precision):
    def time_s(device: str, engine: str) -> float:
        on = accelerator(device)
        return float(ops.mla_decode(on, 64, 8192, 16, kv_precision=kv_precision, factors=Factors(engine)).time_s)

    engines = ("generic", "sglang", "vllm", "trtllm")
    assert len({time_s("mi355x", engine) for engine in engines}) == 1
    assert len({time_s("h200_sxm", engine) for engine in engines}) > 1


def test_minutes_of_full_load_slow_boards_that_do_more_work_per_watt_than_their_measured_relative():
    boards = {name: lasting_slowdown(accelerator(name)) for name in ("h100_nvl", "rtx_pro_4500", "mi350x")}
    assert all(1.1 < slowdown < 1.4 for slowdown in boards.values())
    assert lasting_slowdown(accelerator("h200_nvl")) == 1.0  # as many watts for its work as the H100 SXM
    assert lasting_slowdown(accelerator("h100_sxm")) == lasting_slowdown(accelerator("arc_pro_b60")) == 1.0
    hungry = dataclasses.replace(accelerator("h100_nvl"), tdp_w=800.0)
    assert lasting_slowdown(hungry) == 1.0

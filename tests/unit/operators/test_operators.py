"""Operators against hand-made limits, their bad input, and what each must and must not depend on."""

import dataclasses

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.hardware.types import Cluster
from jevons.operators import kernels as ops
from jevons.operators.factors import shipped_table
from jevons.operators.families import Kernel, Rates, evaluate, join, surface, surface_terms
from jevons.operators.kernels.attention import DECODE, decode_terms
from jevons.operators.kernels.routing import balanced_load, power_law_load

H200 = accelerator("h200")
A100 = accelerator("a100")
NODE = Cluster(H200, 16)


def test_large_gemm_reaches_most_of_the_peak_and_says_compute():
    t = ops.gemm(H200, 8192, 8192, 8192)
    floor_s = 2 * 8192**3 / H200.peak_flop_per_s["bf16"]
    assert 1.0 < t.time_s / floor_s < 1.6
    assert t.bound_names() == "compute"


def test_one_token_gemm_streams_the_weights_and_says_memory():
    t = ops.gemm(H200, 1, 16384, 16384)
    floor_s = 2 * 16384**2 / H200.hbm_bytes_per_s
    assert 1.0 < t.time_s / floor_s < 1.6
    assert t.bound_names() == "memory"


def test_tiny_gemm_is_bound_by_its_launch():
    assert ops.gemm(H200, 1, 128, 128).bound_names() == "launch"


def test_four_bit_weights_are_faster_than_sixteen_bit_for_one_token():
    wide = ops.gemm(A100, 1, 16384, 16384).time_s
    assert ops.gemm(A100, 1, 16384, 16384, "int4").time_s < 0.5 * wide


def test_attended_pairs_by_hand():
    one = np.ones(1)
    assert ops.attended_pairs(4 * one, 0 * one, 0 * one) == 1 + 2 + 3 + 4
    assert ops.attended_pairs(2 * one, 3 * one, 0 * one) == 4 + 5
    assert ops.attended_pairs(4 * one, 0 * one, 2 * one) == 1 + 2 + 2 + 2
    assert ops.attended_pairs(3 * one, 5 * one, 4 * one) == 4 * 3


def test_window_caps_decode_and_prefill():
    full = ops.attention_decode(H200, 64, 65536, 32, 8, 128).time_s
    assert ops.attention_decode(H200, 64, 65536, 32, 8, 128, window=1024).time_s < 0.3 * full
    full = ops.attention_prefill(H200, 1, 16384, 0, 32, 8, 128).time_s
    assert ops.attention_prefill(H200, 1, 16384, 0, 32, 8, 128, window=1024).time_s < 0.5 * full


def test_long_decode_streams_the_cache_near_memory_speed():
    t = ops.attention_decode(H200, 128, 32768, 32, 8, 128)
    floor_s = 128 * 32768 * 8 * 256 * 2 / H200.hbm_bytes_per_s
    assert 1.0 < t.time_s / floor_s < 1.7
    assert t.bound_names() == "memory"


def test_eight_bit_cache_is_faster_where_the_cache_is_long():
    wide = ops.attention_decode(H200, 128, 32768, 32, 8, 128).time_s
    assert ops.attention_decode(H200, 128, 32768, 32, 8, 128, kv_precision="fp8").time_s < 0.8 * wide


def test_latent_cache_beats_the_same_heads_with_keys_of_their_own():
    latent = ops.mla_decode(H200, 64, 32768, 16).time_s
    own = ops.attention_decode(H200, 64, 32768, 16, 16, 128).time_s
    assert latent < 0.5 * own


def test_cached_tokens_add_to_a_prompt():
    fresh = ops.attention_prefill(H200, 1, 2048, 0, 32, 8, 128).time_s
    assert ops.attention_prefill(H200, 1, 2048, 30000, 32, 8, 128).time_s > 3 * fresh
    assert ops.mla_prefill(H200, 1, 2048, 30000, 16).time_s > 3 * ops.mla_prefill(H200, 1, 2048, 0, 16).time_s


def test_active_experts_by_hand():
    assert ops.active_experts(1, 8, 2) == pytest.approx(2.0)
    assert ops.active_experts(2, 8, 2) == pytest.approx(8 * (1 - 0.75**2))
    assert ops.active_experts(10_000, 8, 2) == pytest.approx(8.0)


def test_moe_decode_reads_only_active_experts():
    few, many = ops.moe_gemm(H200, [8, 512], 7168, 2048, 256, 8, precision="fp8_block").time_s
    assert many > 2.0 * few
    assert (
        ops.moe_gemm(H200, 256, 4096, 1536, 128, 8, imbalance=2.0).time_s
        > ops.moe_gemm(H200, 256, 4096, 1536, 128, 8).time_s
    )


def test_balanced_and_skewed_routing_loads():
    rows, active = balanced_load(*(np.array([float(v)]) for v in (64, 256, 8, 8)))
    assert (rows, active) == (64.0, 32.0)
    busiest, experts = power_law_load(1024, 256, 8, 8, 1.2)
    assert 1024 < busiest < 8 * 1024
    assert 1 < experts <= 32
    assert power_law_load(1024, 256, 8, 1, 1.2)[0] == pytest.approx(8192, rel=1e-3)


def test_collectives_cost_nothing_alone_and_more_in_larger_groups():
    for collective in (ops.all_reduce, ops.all_gather, ops.reduce_scatter, ops.all_to_all):
        alone, pair, node = collective(NODE, 1e8, [1, 2, 8]).time_s
        assert alone == 0.0
        assert 0.0 < pair < node * 1.2


def test_large_all_reduce_lies_between_in_switch_reduction_and_a_slow_ring():
    t = ops.all_reduce(NODE, 1e9, 8)
    floor_s = 1e9 / H200.scaleup.bytes_per_s
    assert 1.0 < t.time_s / floor_s < 4.0
    assert t.bound_names() == "link"


def test_all_reduce_algorithms_rank_as_their_formulas_do():
    small = {a: float(ops.all_reduce(NODE, 1024, 8, algorithm=a).time_s) for a in ("one_shot", "ring")}
    large = {a: float(ops.all_reduce(NODE, 1e9, 8, algorithm=a).time_s) for a in ("one_shot", "two_shot", "in_switch")}
    assert small["one_shot"] < small["ring"]
    assert large["in_switch"] < large["two_shot"] < large["one_shot"]


@pytest.mark.parametrize("device", ["a100_sxm", "h100_sxm", "b200_sxm", "gb200", "mi300x", "l40s"])
def test_a_message_to_a_neighbour_is_no_quicker_than_its_link(device):
    size = 2.0 ** np.arange(10, 34)
    for across in (False, True):
        on = Cluster(accelerator(device), 16)
        link = on.link(on.accelerator.scaleup_domain + 1) if across else on.accelerator.scaleup
        assert (size / ops.point_to_point(on, size, across=across).time_s <= link.bytes_per_s).all()


def test_neighbours_on_h100_exchange_at_the_rate_that_vidur_measured():
    assert 2**26 / ops.point_to_point(NODE, 2**26).time_s == pytest.approx(348e9, rel=0.12)


def test_crossing_the_fabric_is_slower():
    assert ops.point_to_point(NODE, 1e8, across=True).time_s > 2 * ops.point_to_point(NODE, 1e8).time_s
    inside, across = ops.moe_dispatch(NODE, 4096, 7168, 8, [8, 16]).time_s
    assert across > inside


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.gemm(H200, 0, 1, 1), "m = 0"),
        (lambda: ops.gemm(H200, [1, -2], 1, 1), "m = -2"),
        (lambda: ops.gemm(H200, float("nan"), 1, 1), "m = nan"),
        (lambda: ops.gemm(H200, "many", 1, 1), "m = 'many'"),
        (lambda: ops.gemm(H200, [1, 2], [1, 2, 3], 1), "shapes do not fit"),
        (lambda: ops.gemm(A100, 1, 1, 1, "fp8"), "Use bf16"),
        (lambda: ops.gemm(H200, 1, 1, 1, "fp9"), "Did you mean"),
        (lambda: ops.attention_decode(H200, 1, 10, 8, 16, 128), "kv_heads = 16"),
        (lambda: ops.attention_decode(H200, 1, 10, 8, 8, 128, kv_precision="fp7"), "caches are"),
        (lambda: ops.attention_prefill(H200, 1, 10, -1, 8, 8, 128), "past = -1"),
        (lambda: ops.moe_gemm(H200, 1, 64, 64, 4, 8), "must not exceed experts"),
        (lambda: ops.all_reduce(NODE, 1e6, 8, algorithm="rings"), "Did you mean `ring`"),
        (lambda: ops.moe_dispatch(NODE, 1, 64, 8, 8, kind="fast"), "normal and low_latency"),
        (lambda: ops.Factors(engine="vlm"), "Did you mean `vllm`"),
        (lambda: ops.Factors(scale={"gemm": 0.0}), "must be above 0"),
    ],
)
def test_wrong_input_names_value_and_remedy(call, text):
    with pytest.raises(InputError, match=text):
        call()


def test_arrays_broadcast_and_agree_with_scalars():
    m, n = np.array([1, 64, 4096])[:, None], np.array([1024, 8192])
    t = ops.gemm(H200, m, n, 4096)
    assert t.time_s.shape == t.bound.shape == (3, 2)
    assert t.time_s[1, 1] == pytest.approx(float(ops.gemm(H200, 64, 8192, 4096).time_s), rel=1e-12)


def test_large_arrays_taken_in_pieces_agree_with_small_ones():
    m = np.arange(1, 40_001)
    t = ops.gemm(H200, m, 4096, 4096)
    assert t.time_s[20_000:20_010] == pytest.approx(ops.gemm(H200, m[20_000:20_010], 4096, 4096).time_s, rel=1e-12)


def test_unmeasured_device_answers_with_a_wider_interval():
    known, unknown = (ops.gemm(accelerator(name), 4096, 8192, 8192) for name in ("h200", "ascend_910c"))
    assert unknown.error_frac > known.error_frac
    floor_s = 2 * 4096 * 8192**2 / accelerator("ascend_910c").peak_flop_per_s["bf16"]
    assert 1.0 < unknown.time_s / floor_s < 2.0


def test_outside_the_fitted_range_is_flagged():
    assert not ops.gemm(H200, 4096, 8192, 8192).extrapolated
    assert ops.gemm(H200, 10_000_000, 8192, 8192).extrapolated


def test_device_without_published_cores_or_cache_still_answers():
    bare = dataclasses.replace(H200, id="unheard_of", cores=0, l2_bytes=0.0)
    assert ops.gemm(bare, 4096, 8192, 8192, repeated=True).time_s > 0


def test_calibration_scales_a_family():
    plain = ops.gemm(H200, 64, 8192, 8192).time_s
    assert ops.gemm(H200, 64, 8192, 8192, factors=ops.Factors(scale={"gemm": 1.25})).time_s == pytest.approx(
        1.25 * plain
    )


def test_engines_differ_and_generic_lies_between():
    times = [
        float(ops.moe_gemm(H200, 512, 4096, 1536, 128, 8, precision="fp8_block", factors=ops.Factors(name)).time_s)
        for name in ("vllm", "sglang", "generic")
    ]
    assert min(times[:2]) * 0.9 < times[2] < max(times[:2]) * 1.1


def test_surface_of_a_single_coefficient_scales_time_within_range():
    columns = (np.array([0.5]), np.array([0.0]))
    coefficients = np.zeros(len(surface_terms(2, 3)))
    coefficients[0] = 0.1
    assert surface(columns, 3, coefficients) == pytest.approx(0.1)


def test_a_surface_corrects_by_no_more_than_it_did_on_the_rows_fitted():
    """Small messages between many nodes were never measured: a polynomial takes 1,700 times too long there."""
    cluster = Cluster(accelerator("h100_sxm"), 1024)
    for records in shipped_table().records.values():
        assert all(record.kernel.least <= record.kernel.most < 3.0 for record in records)
    sizes = 2.0 ** np.arange(0, 34)
    for devices in (16, 64, 256, 1024):
        for operation in (ops.all_gather, ops.reduce_scatter, ops.all_to_all, ops.all_reduce):
            times = operation(cluster, sizes, devices).time_s
            assert (np.diff(times) >= 0).all()
            assert times[0] < 2e-3


def test_decode_physics_without_surface_is_the_joined_terms():
    kernel = Kernel(values=dict.fromkeys(DECODE.factors, 1.0))
    numbers = {"b": 8.0, "t": 100.0, "h": 8.0, "kv": 2.0, "d": 64.0, "dv": 64.0, "w": 0.0, "q": 1.0}
    shape = {name: np.array([number]) for name, number in numbers.items()}
    rates = Rates(bytes_per_s=1e12, peak_flop_per_s=1e15, peak16_flop_per_s=1e15, cores=100.0)
    assert evaluate(DECODE, kernel, shape, rates).time_s == pytest.approx(
        join(decode_terms(shape, rates, kernel.values))
    )


def test_rtx_4090_computes_like_a_card_within_its_power():
    card, throttled = accelerator("rtx_4090"), accelerator("l40s")
    busy = [
        2.0 * 8192**3 / ops.gemm(device, 8192, 8192, 8192).time_s.item() / device.peak_flop_per_s["bf16"]
        for device in (card, throttled)
    ]
    assert busy[0] > 0.8 > busy[1]


@pytest.mark.parametrize("size", [1e6, 1e8])
def test_traffic_through_the_host_has_the_pace_of_its_bus_whatever_the_group(size):
    """A pair of cards that read each other's memory has a switch of its own, and sends faster than four do."""

    def bus_bytes_per_s(device, gpus):
        time_s = ops.all_reduce(Cluster(accelerator(device), gpus), size, gpus).time_s.item()
        return 2.0 * (gpus - 1) / gpus * size / time_s

    assert accelerator("rtx_4090").scaleup.through_host
    assert not accelerator("rtx_pro_6000").scaleup.through_host
    four = bus_bytes_per_s("rtx_4090", 4)
    assert [bus_bytes_per_s("rtx_4090", gpus) for gpus in (2, 8)] == pytest.approx([four, four], rel=0.1)
    assert bus_bytes_per_s("rtx_pro_6000", 2) > 1.2 * bus_bytes_per_s("rtx_pro_6000", 4)


def test_cards_without_peer_access_have_a_quarter_of_a_bus_of_twice_the_rate():
    """PCIe 4.0 to 5.0, and each byte crosses the bus twice."""
    time_s = {
        device: ops.all_reduce(Cluster(accelerator(device), 4), 1e8, 4).time_s.item()
        for device in ("rtx_3090", "rtx_4090", "rtx_pro_6000")
    }
    assert time_s["rtx_4090"] == pytest.approx(4.0 * time_s["rtx_pro_6000"], rel=0.1)
    assert time_s["rtx_3090"] == pytest.approx(time_s["rtx_4090"], rel=0.1)


def test_hops_of_a_small_message_through_the_host_add_up():
    device = accelerator("rtx_4090")
    times_s = [ops.all_reduce(Cluster(device, gpus), 1024, gpus).time_s.item() for gpus in (2, 4, 8)]
    assert 0.0 < times_s[0] < times_s[1] < times_s[2]


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_single_row_in_16_bits_is_bound_by_memory_where_64_rows_are_not(precision):
    """On H20, whose arithmetic is slight for its memory; its 16-bit kernels have tiles of 16 rows."""
    one, many = (ops.gemm(accelerator("h20"), rows, 8192, 8192, precision) for rows in (1, 64))
    streamed_s = 2.0 * 8192**2 / accelerator("h20").hbm_bytes_per_s
    assert float(one.time_s) < 1.6 * streamed_s
    assert float(many.time_s) > 1.6 * streamed_s

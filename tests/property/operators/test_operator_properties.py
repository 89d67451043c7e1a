"""What must hold for all shapes: monotone physics, sane bounds, units that scale."""

import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.hardware import accelerator
from jevons.operators import kernels as ops
from jevons.operators.families import Kernel, Rates, evaluate
from jevons.operators.kernels.gemm import GEMM
from jevons.operators.kernels.routing import active_experts

H200 = accelerator("h200")
width = st.sampled_from([128, 512, 1024, 4096, 8192, 16384])
VALUES = {
    "compute_frac": 0.8, "memory_frac": 0.8, "launch_s": 3e-6, "split": 0.4, "wave": 0.4, "tile": 0.3, "overlap": 4.0,
    "copies": 7.0, "residency": 1.0, "depth": 100.0, "quant": 0.5, "host_s": 1e-9,
}  # fmt: skip


def physical_gemm(m, n, k, rates):
    shape = {"m": m, "n": n, "k": k, "count": 1.0, "out_bytes": 2.0}
    return evaluate(
        GEMM, Kernel(values=VALUES), {name: np.array([float(v)]) for name, v in shape.items()}, rates
    ).time_s[0]


@given(m=st.integers(1, 32768), n=width, k=width)
@settings(max_examples=draws(60), deadline=None)
def test_no_gemm_beats_its_roofline(m, n, k):
    """Invariant 1: No GEMM is faster than its roofline."""
    t = float(ops.gemm(H200, m, n, k).time_s)
    floor_s = max(2 * m * n * k / H200.peak_flop_per_s["bf16"], 2 * (m * n + n * k + m * k) / H200.hbm_bytes_per_s)
    assert t > 0.95 * floor_s


@given(m=st.integers(1, 32768), n=width, k=width, faster=st.floats(1.0, 10.0))
@settings(max_examples=draws(60), deadline=None)
def test_faster_memory_or_cores_never_slow_a_gemm(m, n, k, faster):
    """Invariant 2: Faster memory or cores never slow a GEMM."""
    rates = Rates(bytes_per_s=1e12, peak_flop_per_s=4e14, peak16_flop_per_s=4e14, cores=100.0, cache_bytes=5e7)
    base = physical_gemm(m, n, k, rates)
    assert physical_gemm(m, n, k, dataclasses.replace(rates, bytes_per_s=1e12 * faster)) <= base * (1 + 1e-9)
    assert physical_gemm(m, n, k, dataclasses.replace(rates, peak_flop_per_s=4e14 * faster)) <= base * (1 + 1e-9)


@given(batch=st.integers(1, 256), tokens=st.integers(1, 60_000), heads=st.sampled_from([8, 16, 32]))
@settings(max_examples=draws(60), deadline=None)
def test_decode_never_gets_much_cheaper_with_twice_the_keys(batch, tokens, heads):
    """Invariant 3: Decode attention with twice the keys is never much cheaper."""
    one, two = ops.attention_decode(H200, batch, [tokens, 2 * tokens], heads, 8, 128).time_s
    assert two > 0.9 * one
    assert np.isfinite([one, two]).all()


@given(tokens=st.integers(1, 20_000), experts=st.integers(2, 512), share=st.floats(0.01, 1.0))
@settings(max_examples=draws(80), deadline=None)
def test_active_experts_lie_between_one_token_and_all(tokens, experts, share):
    """Invariant 4: Active experts lie between those of one token and all of them."""
    top = max(1, int(experts * share))
    active = float(active_experts(tokens, experts, top))
    assert top * (1 - 1e-9) <= active <= experts * (1 + 1e-9)


@given(size=st.floats(1e3, 1e9), p=st.sampled_from([2, 4, 8]))
@settings(max_examples=draws(60), deadline=None)
def test_no_all_reduce_beats_reduction_in_the_switch(size, p):
    """Invariant 5: No all-reduce is faster than reduction in the switch."""
    from jevons.hardware.types import Cluster

    t = float(ops.all_reduce(Cluster(H200, 8), size, p).time_s)
    assert t > 0.9 * size / H200.scaleup.bytes_per_s


@given(m=st.integers(1, 100_000), n=st.integers(1, 300_000), k=st.integers(1, 300_000))
@settings(max_examples=draws(60), deadline=None)
def test_any_shape_gives_a_finite_time_and_a_bound(m, n, k):
    """Invariant 6: Any shape gives a finite time and names what bounds it."""
    t = ops.gemm(H200, m, n, k, "fp8")
    assert np.isfinite(t.time_s)
    assert t.time_s > 0
    assert t.bound_names() in ops.BOUNDS

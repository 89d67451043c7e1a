"""What holds as an operator grows, and as its device gets faster: on devices with kernels of their own and without."""

import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws, some
from jevons.errors import InputError
from jevons.hardware import accelerator, accelerator_ids
from jevons.hardware.types import Cluster
from jevons.operators import kernels as ops

DEVICES = ("h200", "h20", "b200", "a100_80gb_sxm", "l4", "t4", "mi300x", "mi355x", "rtx_4090", "910c", "tpu_v6e")
devices = st.sampled_from(DEVICES)
powers = st.integers(4, 15).map(lambda doublings: 2**doublings)
precisions = st.sampled_from(["bf16", "fp8", "fp8_block", "int8", "int4", "mxfp4"])


def gemm_s(device, m, n, k, precision):
    try:
        return ops.gemm(device, m, n, k, precision).time_s
    except InputError:  # the device has no such unit
        return np.zeros(np.broadcast_shapes(np.shape(m), np.shape(n), np.shape(k)))


def falls(times):
    """Return by how much the worst time is below an earlier one."""
    return float((1.0 - times / np.maximum.accumulate(times)).max()) if (times > 0).all() else 0.0


@given(device=devices, n=st.integers(16, 100_000), k=st.integers(16, 100_000), precision=precisions)
@settings(max_examples=draws(60), deadline=None)
def test_a_product_of_more_rows_is_never_quicker(device, n, k, precision):
    """Invariant 76: A GEMM of more rows is never quicker, but for 1 % between steps of a quarter doubling."""
    m = np.unique(np.round(2.0 ** np.arange(0, 15.5, 0.0625)))
    assert falls(gemm_s(accelerator(device), m, n, k, precision)) < 0.01
    assert falls(gemm_s(accelerator(device), 2.0 ** np.arange(16), n, k, precision)) < 1e-9


@given(device=devices, m=st.integers(1, 40_000), other=powers, precision=precisions, inner=st.booleans())
@settings(max_examples=draws(60), deadline=None)
def test_a_wider_or_deeper_product_is_never_quicker(device, m, other, precision, inner):
    """Invariant 77: A GEMM of twice the width or four times the inner width is never quicker, but for 3 % between."""
    sizes = (4.0 if inner else 2.0) ** np.arange(3, 8 if inner else 16)
    n, k = (other, sizes) if inner else (sizes, other)
    assert falls(gemm_s(accelerator(device), m, n, k, precision)) < 0.03
    assert falls(gemm_s(accelerator(device), 2 ** round(np.log2(m)), n, k, precision)) < 1e-9


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch", [1, 7, 256])
def test_attention_of_more_tokens_is_never_quicker(device, batch):
    """Invariant 79: Attention and experts on more tokens are never quicker, but for 1 %."""
    card, tokens = accelerator(device), np.unique(np.round(2.0 ** np.arange(0, 17.01, 0.125)))
    assert falls(ops.attention_decode(card, batch, tokens, 32, 8, 128).time_s) < 0.01
    assert falls(ops.attention_prefill(card, batch, tokens, 1000, 32, 8, 128).time_s) < 0.01
    assert falls(ops.mla_decode(card, batch, tokens, 16).time_s) < 0.01
    assert falls(ops.mla_prefill(card, batch, tokens, 0, 16).time_s) < 0.01
    assert falls(ops.moe_gemm(card, tokens, 4096, 2048, 128, 8).time_s) < 0.01


OWN = """
name: my card
like: rtx_4090
peaks: {bf16: 210 Tflop/s}
memory: 48 GB
bandwidth: 1.1 TB/s
link: {kind: pcie, bandwidth: 20 GB/s, domain: 6}
"""
GROUPS = np.array([2, 3, 4, 6, 8, 10, 12, 16, 24, 32, 48, 64, 72, 80, 96, 128, 144, 256, 1024])


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Return a device of a user's own file."""
    path = tmp_path_factory.mktemp("own") / "card.yaml"
    path.write_text(OWN, encoding="utf-8")
    return accelerator(str(path))


@pytest.fixture(params=[*some(accelerator_ids()), "own"])
def card(request):
    """Return each device on file, and one of a user's own."""
    return request.getfixturevalue("own") if request.param == "own" else accelerator(request.param)


def never_falls(times, *axes):
    """Return whether times rise along axes, but for rounding."""
    return all((np.diff(times, axis=axis) >= -1e-9 * np.take(times, range(times.shape[axis] - 1), axis)).all()
               for axis in axes)  # fmt: skip


def test_a_collective_of_more_ranks_or_bytes_is_never_quicker(card):
    """Invariant 83: A collective of more ranks or bytes is never quicker, on any device."""
    cluster, bytes_ = Cluster(card, int(GROUPS[-1])), 2.0 ** np.arange(4, 36)[:, None]
    for collective in (ops.all_reduce, ops.all_gather, ops.reduce_scatter, ops.all_to_all):
        assert never_falls(collective(cluster, bytes_, GROUPS).time_s, 0, 1), collective.__name__
    assert never_falls(ops.all_reduce(cluster, bytes_, GROUPS, kernel="nccl").time_s, 0, 1)


@pytest.mark.parametrize("kind", ["normal", "low_latency"])
@pytest.mark.parametrize("exchange", [ops.moe_dispatch, ops.moe_combine])
def test_an_exchange_of_more_tokens_or_ranks_is_never_quicker(card, kind, exchange):
    """Invariant 84: An exchange between experts of more tokens or ranks is never quicker, on any device."""
    cluster, tokens = Cluster(card, int(GROUPS[-1])), 2.0 ** np.arange(0, 15)[:, None]
    assert never_falls(exchange(cluster, tokens, 7168, 8, GROUPS, kind=kind).time_s, 0, 1)


@pytest.mark.parametrize("kv_precision", ["bf16", "fp8"])
def test_attention_of_a_larger_batch_is_never_quicker(card, kv_precision):
    """Invariant 85: Attention of twice the sequences, or of longer ones, is never quicker, on any device."""
    batch, tokens = 2.0 ** np.arange(0, 11)[:, None], 2.0 ** np.arange(4, 18)
    kv = {"kv_precision": kv_precision}
    for heads, kv_heads, width in ((32, 8, 128), (8, 1, 128), (64, 8, 64)):
        assert never_falls(ops.attention_decode(card, batch, tokens, heads, kv_heads, width, **kv).time_s, 0, 1)
        assert never_falls(ops.attention_prefill(card, batch, tokens, 0, heads, kv_heads, width, **kv).time_s, 0, 1)
    for heads in (8, 128):
        assert never_falls(ops.mla_decode(card, batch, tokens, heads, **kv).time_s, 0, 1)
        assert never_falls(ops.mla_prefill(card, batch, tokens, 0, heads, **kv).time_s, 0, 1)


@pytest.mark.parametrize("ep", [1, 8])
def test_experts_of_more_tokens_are_never_quicker(card, ep):
    """Invariant 86: A rank's experts of twice the tokens are never quicker, on any device."""
    tokens = 2.0 ** np.arange(0, 16)
    for precision in ("bf16", "fp8", "fp4", "mxfp4", "int4"):
        with contextlib.suppress(InputError):  # the device has no such unit
            assert never_falls(ops.moe_gemm(card, tokens, 7168, 2048, 256, 8, expert_parallel=ep,
                                            precision=precision).time_s, 0)  # fmt: skip


def faster(card, part):
    if part == "memory":
        return dataclasses.replace(card, hbm_bytes_per_s=2 * card.hbm_bytes_per_s)
    if part == "cores":
        rates = {name: 2 * rate for name, rate in card.peak_flop_per_s.items()}
        return dataclasses.replace(card, peak_flop_per_s=rates)
    link = dataclasses.replace(card.scaleup, bytes_per_s=2 * card.scaleup.bytes_per_s)
    return dataclasses.replace(card, scaleup=link)


@given(
    device=devices, m=st.integers(1, 40_000), n=st.integers(16, 100_000), k=st.integers(16, 100_000),
    part=st.sampled_from(["memory", "cores", "link"]),
)  # fmt: skip
@settings(max_examples=draws(60), deadline=None)
def test_a_faster_device_never_slows_an_operator(device, m, n, k, part):
    """Invariant 78: Twice the bandwidth, compute or link never slows an operator."""
    card = accelerator(device)
    times = [
        np.array([
            float(gemm_s(on, m, n, k, "bf16")), float(ops.attention_decode(on, min(m, 512), n, 32, 8, 128).time_s),
            float(ops.attention_prefill(on, 1, m, n, 32, 8, 128).time_s),
            float(ops.moe_gemm(on, m, 4096, 2048, 128, 8).time_s), float(ops.elementwise(on, m * n, m * k).time_s),
            float(ops.all_reduce(Cluster(on, 8), m * n, 8).time_s),
        ])
        for on in (card, faster(card, part))
    ]  # fmt: skip
    assert (times[1] <= times[0] * (1 + 1e-9)).all()

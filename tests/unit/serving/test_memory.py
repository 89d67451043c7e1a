import re
from dataclasses import replace

import pytest

import jevons
from jevons import models, serving
from jevons.errors import InfeasibleError, InputError
from jevons.hardware import accelerator
from jevons.serving.memory import weight_bytes_per_device


def deployment(model="llama-3.1-8b", device="h100_sxm", precision="bf16", kv="bf16", **layout):
    return serving.Deployment(
        model=models.load(model),
        accelerator=accelerator(device),
        layout=serving.Layout(**layout),
        precision=precision,
        kv_precision=kv,
        engine=serving.engine(),
    )


def test_gqa_cache_of_llama_8b_is_128_kib_per_token():
    # 32 layers x 8 heads x (128 + 128) x 2 bytes
    assert serving.kv_bytes_per_request(deployment(), 1000.0) == pytest.approx(131_072 * 1000)
    assert serving.kv_bytes_per_request(deployment(kv="fp8"), 1000.0) == pytest.approx(65_536 * 1000)


def test_key_value_heads_are_copied_beyond_their_number():
    whole = serving.kv_bytes_per_request(deployment(), 1.0)
    assert serving.kv_bytes_per_request(deployment(tp=8), 1.0) == pytest.approx(whole / 8)
    assert serving.kv_bytes_per_request(deployment(tp=16), 1.0) == pytest.approx(whole / 8)


def test_latent_cache_is_kept_whole_by_each_tensor_parallel_device():
    # 61 layers x (512 + 64) x 2 bytes
    for tp in (1, 8):
        wide = deployment("deepseek-v3", "h200", "fp8", tp=tp, dp=8 // tp, ep=8, dp_attention=tp < 8)
        assert serving.kv_bytes_per_request(wide, 1.0) == pytest.approx(61 * 576 * 2)


def test_devices_together_hold_the_model_once():
    model = models.load("llama-3.1-70b")
    shares = 8 * weight_bytes_per_device(deployment("llama-3.1-70b", tp=8))
    assert shares == pytest.approx(model.weight_bytes("bf16"), rel=2e-3)


def test_experts_are_spread_and_attention_copied_by_dp_attention():
    model = models.load("deepseek-v3")
    plain = weight_bytes_per_device(deployment("deepseek-v3", "h200", "fp8", tp=8, ep=8))
    ranks = weight_bytes_per_device(deployment("deepseek-v3", "h200", "fp8", dp=8, ep=8, dp_attention=True))
    assert 8 * plain == pytest.approx(model.weight_bytes("fp8"), rel=0.02)
    assert ranks > plain


def test_weights_that_do_not_fit_name_need_room_and_remedy():
    with pytest.raises(InfeasibleError, match=r"needs 141\.\d GB of weights.*h100_sxm has 8\d\.\d GB.*Use tp >= 2"):
        serving.memory_use(deployment("llama-3.1-70b"))


@pytest.mark.parametrize(
    ("model", "layout", "message"),
    [
        ("llama-3.1-8b", {"tp": 5}, r"tp = 5 does not divide the 32 attention heads.*Use tp = 4"),
        ("llama-3.1-8b", {"tp": 0}, r"layout.tp = 0: must be a whole number, at least 1"),
        ("llama-3.1-8b", {"pp": 64}, r"32 layers. Use pp <= 32"),
        ("llama-3.1-8b", {"tp": 2, "ep": 2}, r"has no experts. Use ep = 1"),
        ("deepseek-v3", {"dp": 144, "ep": 144, "dp_attention": True}, r"256 experts.*128, or redundant_experts = 32"),
        ("deepseek-v3", {"dp": 8, "ep": 3, "dp_attention": True}, r"ep = 3 does not divide the 8 devices.*Use ep = 2"),
    ],
)  # fmt: skip
def test_layouts_that_do_not_divide_name_the_nearest_that_does(model, layout, message):
    with pytest.raises(InputError, match=message):
        serving.step_time(deployment(model, **layout), decode_batch=1.0, decode_context=100.0)


def test_more_memory_holds_more_tokens():
    small = deployment()
    large = replace(small, memory_frac=0.95)
    assert serving.kv_capacity_tokens(large) > serving.kv_capacity_tokens(small) > 100_000


@pytest.mark.parametrize(
    ("model", "gpu", "more", "remedy"),
    [
        ("llama-3.1-8b", "h100_sxm", {"gpu_memory_utilization": 0.001}, "Use --gpu-memory-utilization 0.24 or more"),
        ("deepseek-r1", "h20", {"tp": 8}, "or --gpu-memory-utilization 0.95"),
        ("llama-3.1-70b", "h100_sxm", {"gpu_memory_utilization": 0.5}, "Use tp >= 2"),
        ("llama-3.1-8b", "t4", {"max_num_batched_tokens": 1_000_000}, "Use a smaller --max-num-batched-tokens"),
    ],
)  # fmt: skip
def test_the_remedy_is_one_that_helps(model, gpu, more, remedy):
    told = jevons.memory(model, gpu=gpu, **more)
    assert not told.fits
    assert remedy in told.answer
    if share := re.search(r"utilization ([\d.]+)", remedy):
        larger = more | {"gpu_memory_utilization": float(share[1])}
        assert jevons.memory(model, gpu=gpu, max_model_len=100, **larger).fits

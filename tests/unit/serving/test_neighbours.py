"""Measured runs nearest to a prediction."""

import jevons
from jevons.hardware import accelerator
from jevons.models import load, names
from jevons.serving import Deployment, Layout, engine
from jevons.serving.neighbours import measured_configurations, nearest
from jevons.serving.spread import nearness_of
from jevons.sizing.nearest import nearest_sentence


def deployment(model, gpu, maker="vllm", tp=1, precision="native"):
    return Deployment(
        model=load(model), accelerator=accelerator(gpu), layout=Layout(tp=tp), precision=precision,
        kv_precision="bf16", engine=engine(maker),
    )  # fmt: skip


def test_a_configuration_on_file_is_nearest_to_itself():
    for one in measured_configurations()[::23]:
        if one.apart or one.weights != "bf16" or one.model not in names() or one.engine not in {"vllm", "sglang"}:
            continue
        tp = one.gpus if one.layout == f"tp{one.gpus}" else 0
        if not tp:
            continue
        found = nearest(deployment(one.model, one.device, one.engine, tp), one.isl, one.osl, one.least_load)[0]
        assert (found.model, found.device, found.engine, found.weights) == (
            one.model, one.device, one.engine, "bf16",
        )  # fmt: skip


def test_the_nearest_come_first_and_what_is_far_is_left_out():
    found = nearest(deployment("llama-3.1-8b", "h100_sxm"), 1000, 1000)
    assert len(found) == 3
    assert found[0].model == "llama-3.1-8b"
    assert nearest(deployment("qwen2.5-0.5b", "gaudi3", "trtllm"), 1000, 1000) == ()


def test_pools_apart_are_nearest_to_pools_apart():
    apart = nearest(deployment("deepseek-r1", "h200_sxm", "sglang", 8), 1000, 1000, apart=True)
    together = nearest(deployment("deepseek-r1", "h200_sxm", "sglang", 8), 1000, 1000)
    assert apart[0].apart
    assert not together[0].apart


def test_a_precision_in_the_name_does_not_make_a_model_new():
    assert nearness_of("vllm", "h100_sxm", "llama-3.1-8b-fp8") == nearness_of("vllm", "h100_sxm", "llama-3.1-8b")
    found = nearest(deployment("Qwen/Qwen3-235B-A22B-FP8", "h200_sxm", "sglang", 4), 1000, 1000)[0]
    assert (found.model, found.weights) == ("qwen3-235b-a22b", "fp8")


def test_results_say_what_was_measured_nearest():
    result = jevons.simulate("llama-3.1-8b", rate=2, requests=40)
    assert result.notes[-1].startswith("Nearest measured run: llama-3.1-8b in bf16 on 1 h100_sxm")
    assert result.to_json()["nearest"][0]["errors"].keys() <= {"ttft", "tpot", "rate"}
    assert len(result.tables["nearest"]) == 3
    assert "No measured run" in nearest_sentence(()).text()

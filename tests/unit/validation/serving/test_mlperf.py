"""MLPerf's tasks: which engine a submission ran, how its harness schedules, and the rate that it submits."""

import pytest

from jevons.errors import InfeasibleError
from jevons.serving.calibration import shipped_calibration
from jevons.validation.serving.cases import read_case
from jevons.validation.serving.mlperf import tasks
from jevons.validation.serving.predict import answer, calibrated, prepare

SHIPPED = shipped_calibration()
ENGINES = calibrated(SHIPPED)
NVIDIA = "TensorRT 10.14, CUDA 13.1, TensorRT-LLM feat/1.2-mlpinf, NVIDIA Dynamo v0.8.0, vLLM CentML:mm-q3vl"
ROW = {
    "family": "mlperf_inference", "engine": NVIDIA, "model": "llama3.1-8b", "precision": "fp8",
    "gpu": "NVIDIA H100-SXM-80GB", "n_gpus": "1", "isl": "dataset", "osl": "dataset", "concurrency_or_rate": "Server",
    "metric": "ttft_ms_p50", "value": "100", "notes": "",
}  # fmt: skip


def submitted(**changes):
    return read_case(ROW | changes)


def outcome_of(case):
    return answer(prepare(case, ENGINES), ENGINES, SHIPPED.scales).outcome


def test_a_stack_that_names_several_engines_ran_text_under_tensorrt_llm():
    assert submitted().engine == "trtllm"
    assert submitted(engine="LLM-D v0.5.0, vLLM 0.14.1").engine == "vllm"


def test_amds_harness_drives_vllm_where_a_stack_names_no_engine():
    amd = {"gpu": "AMD Instinct MI355X 288GB HBM3e", "engine": "PyTorch 2.9.1, ROCm 7.0.0"}
    assert submitted(**amd).engine == "vllm"
    assert submitted(gpu="NVIDIA L40S", engine="CUDA 12.2").engine == "generic"


def test_harnesses_say_how_engines_schedule():
    old, new = (
        submitted(gpu=f"AMD Instinct {gpu}", engine="vLLM", model="llama2-70b-99").scheduler
        for gpu in ("MI300X 192GB", "MI355X 288GB")
    )
    assert (old.poll_steps, new.poll_steps) == (10, 3)
    assert not old.lags
    assert new.lags
    server, offline = (
        submitted(model="llama2-70b-99", concurrency_or_rate=name).scheduler for name in ("Server", "Offline")
    )
    assert server.step_tokens == 1536
    assert server.reserve_frac == pytest.approx(0.5)
    assert (offline.step_tokens, offline.reserve_frac) == (0, None)


def test_a_run_lasts_ten_minutes_and_stays_within_its_limits():
    found = outcome_of(submitted())
    ttft_s, tpot_s = tasks()["llama-3.1-8b"].limits["Server"]
    assert 600.0 < found.duration_s < 700.0
    assert found.ttft_s["p99"] <= ttft_s
    assert found.tpot_s["p99"] <= tpot_s
    assert found.requests_per_s > 1.0


def test_a_scheduler_that_looks_for_requests_seldom_lets_them_wait():
    wait_s = [outcome_of(submitted().replace(poll_steps=steps)).ttft_s["p50"] for steps in (0, 20)]
    assert wait_s[1] > 1.5 * wait_s[0]


def test_a_limit_that_nothing_meets_is_infeasible():
    slow = submitted(model="llama3.1-405b", gpu="NVIDIA L40S", n_gpus="8", concurrency_or_rate="Interactive")
    with pytest.raises(InfeasibleError):
        outcome_of(slow)


def test_power_binds_the_products_of_a_run_of_minutes_on_a_board_of_few_watts():
    offline = {"model": "llama2-70b-99", "concurrency_or_rate": "Offline"}
    lasting = prepare(submitted(**offline, gpu="NVIDIA H100-NVL-94GB"), ENGINES).surfaces[0]
    lone = prepare(submitted(**offline, gpu="NVIDIA H100-NVL-94GB").replace(search=False, scenario="offline"), ENGINES)
    ratios = {
        part: time.ravel()[-1] / lone.surfaces[0].prompts.parts[part].ravel()[-1]
        for part, time in lasting.prompts.parts.items()
    }
    assert ratios["compute.fp8"] > 1.2
    assert ratios["memory"] == pytest.approx(ratios["compute.start"], rel=0.1)

"""Start-up lines as people paste them: read, judged, and taken as a calibration of memory."""

import pytest

import jevons
from jevons.errors import InputError
from jevons.validation.rows import read_table

LOG = """
gpu: NVIDIA L40S
INFO [core.py:58] Initializing a V1 LLM engine (v0.8.4) with config: model='meta-llama/Llama-3.1-8B-Instruct', \
max_seq_len=32768, tensor_parallel_size=1, pipeline_parallel_size=1, kv_cache_dtype=auto
INFO [gpu_model_runner.py:1316] Model loading took 14.9889 GiB and 3.652170 seconds
INFO [gpu_worker.py] Available KV cache memory: 19.37 GiB
INFO [kv_cache_utils.py:634] GPU KV cache size: 158,656 tokens
INFO [kv_cache_utils.py:637] Maximum concurrency for 32,768 tokens per request: 4.84x
"""
FAILED = """
(APIServer) INFO vLLM API server version 0.10.1
vllm serve openai/gpt-oss-120b --gpu-memory-utilization 0.9
| NVIDIA H100 80GB HBM3 |
Model loading took 65.9651 GiB and 12.8 seconds
Available KV cache memory: -2.14 GiB
ValueError: No available memory for the cache blocks.
"""


def written(folder, text, name="start.log"):
    path = folder / name
    path.write_text(text)
    return path


def test_lines_become_a_row(tmp_path):
    row = read_table(written(tmp_path, LOG)).rows[0]
    assert (row["model"], row["gpu"], row["tp"]) == ("meta-llama/Llama-3.1-8B-Instruct", "NVIDIA L40S", "1")
    assert (row["engine_version"], row["max_model_len"]) == ("0.8.4", "32768")
    assert (row["weights_gib"], row["kv_cache_tokens"], row["outcome"]) == ("14.9889", "158656", "ok")


def test_a_start_that_failed_is_told(tmp_path):
    entries = {one.metric: one for one in jevons.validate(written(tmp_path, FAILED, "start.txt")).entries}
    assert (entries["starts"].measured, entries["starts"].predicted) == (0.0, 0.0)
    assert entries["weights_gib"].error == pytest.approx(0.0, abs=0.01)


def test_a_calibration_brings_the_cache_to_the_printed_size(tmp_path):
    path = written(tmp_path, LOG)
    made = jevons.calibrate(path)
    made.calibration.write(tmp_path / "own.json")
    use = jevons.memory(
        "llama-3.1-8b", gpu="l40s", engine="vllm@0.8", max_model_len=32768, calibration=tmp_path / "own.json"
    )
    assert use.kv_tokens == pytest.approx(158_656, rel=1e-3)
    assert use.max_concurrency == pytest.approx(4.84, abs=0.01)
    assert made.median_ape < 1e-9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing of the kind", "holds no start-up line that is known, such as vLLM"),
        ("", "holds no start-up line"),
    ],
)
def test_other_texts_are_refused_with_lines_that_are_known(tmp_path, text, said):
    with pytest.raises(InputError, match=said):
        jevons.validate(written(tmp_path, text))


def test_a_log_without_a_device_says_how_to_name_it(tmp_path):
    path = written(tmp_path, LOG.replace("gpu: NVIDIA L40S", ""))
    assert any("gpu: H100 80GB" in one.reason for one in jevons.validate(path).entries)
    with pytest.raises(InputError, match="cannot be used .the start-up names no gpu"):
        jevons.calibrate(path)


def test_rows_beside_start_ups_that_cannot_be_fitted_are_said(tmp_path):
    other = written(
        tmp_path, "model,gpu,isl,osl,concurrency_or_rate,metric,value\nx,h100,1,1,1,tpot_ms_mean,1\n", "a.csv"
    )
    with pytest.raises(InputError, match="none of the rows can be fitted"):
        jevons.calibrate(written(tmp_path, LOG), other)

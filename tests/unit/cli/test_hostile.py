"""Small files that once broke a command, each for its whole kind: an answer or one line, never a traceback."""

import pytest

SIMULATE = ("simulate", "--model", "qwen3-0.6b", "--gpu", "h20", "--engine", "vllm")
MOE = "framework,kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size"
MOE += ",distribution,latency_ms,device,op_name\n"
SERVING = "model,gpu,isl,osl,concurrency_or_rate,metric,value,notes,engine\n"
REQUESTS = "gpu,model,request_id,input_tokens,output_tokens,arrival_s,queued_s,scheduled_s,first_token_s,last_token_s\n"


def moe(**changed):
    row = {
        "framework": "SGLang", "kernel_source": "sglang_fused_moe_triton", "moe_dtype": "bfloat16", "num_tokens": "1",
        "hidden_size": "1024", "inter_size": "2688", "topk": "22", "num_experts": "512", "moe_tp_size": "4",
        "moe_ep_size": "1", "distribution": "power_law_1.2", "latency_ms": "0.02", "device": "NVIDIA H200",
        "op_name": "moe",
    }  # fmt: skip
    return MOE + ",".join((row | changed).values()) + "\n"


@pytest.mark.parametrize(
    "changed",
    [
        {"moe_ep_size": "0"}, {"num_experts": "500000000"}, {"topk": "-1"}, {"topk": "600"}, {"num_tokens": "1e300"},
        {"moe_ep_size": "1e9"}, {"distribution": "power_law_1e9"}, {"distribution": "power_law_x"},
        {"hidden_size": "nan"}, {"inter_size": "inf"},
    ],
)  # fmt: skip
def test_rows_of_impossible_experts_are_left_out_with_a_reason(jevons, tmp_path, changed):
    (tmp_path / "rows.csv").write_text(moe(**changed))
    ran = jevons("validate", tmp_path / "rows.csv")
    assert ran.code == 0
    assert "out of range" in ran.out


def test_a_possible_row_of_experts_is_predicted(jevons, tmp_path):
    (tmp_path / "rows.csv").write_text(moe())
    assert "100 %" in jevons("validate", tmp_path / "rows.csv").out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SERVING + 'qwen3-0.6b,h20,100,10,concurrency 1,ttft_ms,5,"{""x",vllm\n', 0, "notes begin like JSON"),
        (SERVING + 'qwen3-0.6b,h20,100,10,concurrency 1,ttft_ms,5,"{""x"": {}}",vllm\n', 0, ""),
        (REQUESTS + "h20,qwen3-0.6b,b,9007199254740993,5,0,0,0,0.1,1\n", 0, "must be a number from 1 to 1e+08"),
        (REQUESTS + "h20,qwen3-0.6b,b,100,5,1e300,0,0,0.1,1\n", 0, "must be a number from 0 to 1e+09"),
        (MOE, 0, ""), ("topology,all_reduce_ms_median,rank,num_workers,size,collective,devices_per_node\n", 0, ""),
        (SERVING + "a,b,c,d,e,f,g,h,i,j\n", 2, ":2: 10 cells under 9 columns"),
        (SERVING + "x" * 200_000, 2, "a cell has more than"), ("\0", 2, "is not UTF-8"), ("", 2, "header"),
    ],
)  # fmt: skip
def test_measured_rows_that_are_none_are_told(jevons, tmp_path, text, code, said):
    (tmp_path / "rows.csv").write_text(text)
    ran = jevons("validate", tmp_path / "rows.csv")
    assert ran.code == code, ran.err
    assert said in " ".join((ran.out + ran.err).split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"engines":{"vllm":{"step_overhead_s":1e300}}}', "step_overhead_s = 1e+300: must be a number from 0 to 60"),
        ('{"engines":{"vllm":{"memory_frac":5}}}', "memory_frac = 5: must be a number from 0.01 to 1"),
        ('{"engines":{"vllm":{"tp_overlap_frac":-1}}}', "must be a number from 0 to 1"),
        ('{"engines":{"vllm":{"max_batch":0}}}', "must be a number from 1 to 1e+06"),
        ('{"engines":{},"scales":{"all":{"compute.bf16":NaN}}}', "must be a number from 0.001 to 1000"),
        ('{"engines":{"vllm":{"entry_s":NaN}}}', "entry_s = nan"), ("[]", "is no calibration file"),
    ],
)  # fmt: skip
def test_factors_that_no_engine_has_are_refused(jevons, tmp_path, text, said):
    (tmp_path / "c.json").write_text(text)
    ran = jevons(*SIMULATE, "--rate", 2, "--requests", 100, "--calibration", tmp_path / "c.json")
    assert ran.code == 2
    assert said in ran.err


def test_a_load_of_long_thinking_takes_memory_by_its_requests(jevons, tmp_path):
    text = "rate: {rate}\nrequests: {n}\nclasses:\n  - {{name: chat, isl: 120, osl: 50, turns: 1000, think_s: 86400}}\n"
    (tmp_path / "load.yaml").write_text(text.format(rate=1000, n=100))
    assert jevons(*SIMULATE, "--load", tmp_path / "load.yaml").code == 0
    (tmp_path / "load.yaml").write_text(text.format(rate=1000, n=10_000_000))
    ran = jevons(*SIMULATE, "--load", tmp_path / "load.yaml")
    assert ran.code == 2
    assert "shorten think_s or turns" in ran.err


def test_a_date_past_all_calendars_is_told(jevons, tmp_path):
    (tmp_path / "h.csv").write_text("date,tokens_per_day,price\n2024-01-01,1,1\n99999999999999999999,2,1\n")
    assert "is not a date" in jevons("study", "growth", tmp_path / "h.csv").err

"""Small files that once broke a command, each for its whole kind: an answer or one line, never a traceback."""

import csv
import io
import json
import os
import resource
import subprocess
import sys

import pytest

from draws import some

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


@pytest.mark.parametrize("option", ["--out", "--plot", "--calibration", "--hardware", "--trace"])
def test_a_file_without_a_name_is_told(jevons, tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    ran = jevons(*SIMULATE, "--rate", "2", option, "")
    assert ran.code == 2
    assert "empty" in ran.err or "no file is named" in ran.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [("study", "open"), ("study", "prune"), ("plan",), ("devices", "show")])
def test_names_that_no_file_can_have_are_no_file(jevons, command):
    ran = jevons(*command, "9" * 400)
    assert ran.code == 2, ran.err
    assert "Traceback" not in ran.err


def test_a_value_of_thousands_of_characters_is_not_said_whole(jevons):
    for option in ("--format", "--language", "--precision", "--engine"):
        ran = jevons(*SIMULATE, "--rate", "2", option, "a" * 3000)
        assert ran.code == 2
        assert len(ran.err) < 1500, option


def test_prompts_of_more_blocks_than_are_kept_are_refused(jevons):
    ran = jevons(*SIMULATE, "--rate", "2", "--requests", "100000", "--isl", "30000", "--prompts", "3")
    assert ran.code == 2
    assert "at most 100,000,000 are kept" in ran.err


def test_options_given_twice_are_told_or_refused(jevons):
    ran = jevons(*SIMULATE, "--rate", "2", "--requests", "20", "--rate=4")
    assert ran.code == 0
    assert "4 per second" in ran.out
    assert "--rate is given 2 times; the last counts" in ran.err
    sized = jevons("size", "--model", "qwen3-0.6b", "--gpu", "h20,h20", "--static", "--gpu-hour", "h20=1 USD,h20=2 USD")
    assert (sized.code, "two prices" in sized.err) == (2, True)
    fleets = json.loads(jevons("size", "--model", "qwen3-0.6b", "--gpu", "h20,h20", "--static", "--json").out)
    names = [json.dumps(fleet["layout"]) + str(fleet["precision"]) for fleet in fleets["entries"]]
    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.parametrize(
    "more",
    [
        ("--mtbf", "0.001", "--repair", "1e7", "--replicas", "2"), ("--autoscale", "1:3", "--cold-start", "1e6"),
        ("--autoscale", "1:50000"), ("--max-num-seqs", "1000000"), ("--mtbf", "1", "--repair", "1e8"),
    ],
)  # fmt: skip
def test_long_times_and_large_fleets_are_simulated_in_little_memory(jevons, more):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ran = jevons(*SIMULATE, "--rate", "20", "--requests", "100", "--isl", "50", "--osl", "20", *more)
    assert ran.code in {0, 3}, ran.err
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000


def test_more_running_requests_than_memory_holds_are_refused(jevons):
    ran = jevons(*SIMULATE, "--rate", "1e6", "--requests", "2000000", "--autoscale", "1:100000")
    assert ran.code == 2
    assert "20,000,000 are kept" in ran.err


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
    assert "1 of 1" in jevons("validate", tmp_path / "rows.csv").out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SERVING + 'qwen3-0.6b,h20,100,10,concurrency 1,ttft_ms,5,"{""x",vllm\n', 0, "notes begin like JSON"),
        (SERVING + 'qwen3-0.6b,h20,100,10,concurrency 1,ttft_ms,5,"{""x"": {}}",vllm\n', 0, ""),
        (REQUESTS + "h20,qwen3-0.6b,b,9007199254740993,5,0,0,0,0.1,1\n", 0, "must be a number from 1 to 1e+08"),
        (REQUESTS + "h20,qwen3-0.6b,b,100,5,1e300,0,0,0.1,1\n", 0, "must be a number from 0 to 1e+09"),
        (MOE, 2, "no rows"),
        ("topology,all_reduce_ms_median,rank,num_workers,size,collective,devices_per_node\n", 2, "no rows"),
        (SERVING + "a,b,c,d,e,f,g,h,i,j\n", 2, ":2: 10 cells under 9 columns"),
        (SERVING + "x" * 200_000, 2, "a cell has more than"), ("\0", 2, "is not UTF-8"), ("", 2, "is empty"),
    ],
)  # fmt: skip
def test_measured_rows_that_are_none_are_told(jevons, tmp_path, text, code, said):
    (tmp_path / "rows.csv").write_text(text)
    ran = jevons("validate", tmp_path / "rows.csv", "--format", "md")
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
    (tmp_path / "h.csv").write_text("date,tokens_per_day,price\n2024-01-01,1,1\n9999-01-01,2,1\n")
    assert "lies in the future" in jevons("study", "growth", tmp_path / "h.csv").err


@pytest.mark.parametrize(
    "row", ["2025-02,1e300,0.5,300", "2025-02,8e9,0.5,22222222222222222222", "2025-02,8e9,1e-300,1"]
)
def test_a_growth_past_all_measure_is_an_answer_or_a_line(jevons, tmp_path, row):
    (tmp_path / "h.csv").write_text(
        f"date,tokens_per_day,price,users\n2024-05,1e9,2.0,100\n2024-09,2e9,1.0,150\n{row}\n"
    )
    assert jevons("study", "growth", tmp_path / "h.csv").code in {0, 2}


TERM = "rate: 2\nrequests: 50\nclasses:\n  - {{name: {name}, isl: 100, osl: 20}}\n  - {{name: b, isl: 50, osl: 10}}\n"


def load(tmp_path, name):
    path = tmp_path / "load.yaml"
    path.write_text(TERM.format(name=name))
    return path


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_label_cannot_speak_to_the_terminal(jevons, tmp_path, form):
    name = '"x\\e]0;owned\\a\\e[31mred\\x9b31m\\u202e"'
    ran = jevons(*SIMULATE, "--load", load(tmp_path, name), *form)
    assert ran.code == 0
    assert not set(ran.out + ran.err) & set("\x1b\x07\x9b\u202e")
    if form:
        assert "x\x1b]0;owned\x07\x1b[31mred\x9b31m\u202e" in {one["name"] for one in json.loads(ran.out)["classes"]}


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)"])
def test_a_label_is_no_formula_in_a_table_of_requests(jevons, tmp_path, name):
    out = tmp_path / "out.csv"
    assert jevons(*SIMULATE, "--load", load(tmp_path, f'"{name}"'), "--out", out).code == 0
    cells = {cell for row in csv.reader(io.StringIO(out.read_text())) for cell in row}
    assert name not in cells
    assert f"'{name}" in cells


@pytest.mark.parametrize("ending", some(["svg", "png", "pdf"]))
def test_dollars_and_chinese_labels_are_drawn_without_a_warning(jevons, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    ran = jevons(*SIMULATE, "--load", load(tmp_path, '"成本 $5 and $7 ^_"'), "--plot", out)
    assert ran.code == 0
    assert out.stat().st_size > 1000
    assert "Font" not in ran.err


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x", "²", "999999999999", "17"])
def test_any_width_of_the_terminal_is_taken(jevons, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    ran = jevons("facts", "list", "h20.")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 2000


SHELL = f"{sys.executable} -m jevons "


@pytest.mark.parametrize(
    ("command", "code", "said"),
    some([
        ("facts list >&-", 0, ""), ("facts list | head -1", 0, ""), ("facts list --json | true", 0, ""),
        ("facts list > /dev/full", 2, "standard output: cannot be written: No space left on device"),
        ("--version > /dev/full", 2, "standard output: cannot be written"), ("--help > /dev/full", 2, "cannot be writ"),
        ("facts show none 2>&-", 2, ""), ("facts show none 2> /dev/full", 2, ""), ("--version <&- >&- 2>&-", 0, ""),
    ]),
)  # fmt: skip
def test_an_output_that_is_gone_or_full_is_quiet_or_one_line(command, code, said):
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {SHELL}{command}"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("command", ["validate", "calibrate"])
@pytest.mark.parametrize("option", [("--gpu", "h20"), ("--engine", "x"), ("--rate", "2"), ("--gpus", "4")])
def test_what_a_table_says_itself_is_not_told_beside_it(jevons, command, option):
    ran = jevons(command, "tests/data/serving/phase_latency.csv", *option)
    assert ran.code == 2
    assert f"{option[0]}: has no effect on" in ran.err


@pytest.mark.parametrize(
    ("start", "said"), [(b"PAR1", "a Parquet file"), (b"\x7fELF", "a program"), (b"PK\x03\x04", "a zip or Excel file")]
)
def test_a_file_of_another_kind_is_named(jevons, tmp_path, start, said):
    path = tmp_path / "rows.csv"
    path.write_bytes(start + bytes(100))
    for command in (("validate",), ("study", "growth"), ("plan",)):
        assert f"is {said}, not text" in jevons(*command, path).err


@pytest.mark.parametrize("name", ["", " "])
@pytest.mark.parametrize("command", ["plan", "value", "compare", "track"])
def test_a_scenario_without_a_name_is_no_folder(jevons, command, name):
    ran = jevons(command, name)
    assert (ran.code, "is empty; name a file" in ran.err) == (2, True)


@pytest.mark.parametrize("text", [None, "7", "hardware: 5", "{}"])
def test_the_base_of_a_draft_is_read_at_once(jevons, tmp_path, text):
    said, base = tmp_path / "said.txt", tmp_path / "base.yaml"
    said.write_text("Microsoft plans to invest $80 billion in FY2025 on AI data centers.")
    if text is not None:
        base.write_text(text)
    ran = jevons("read", said, "--base", base)
    assert ran.code == 2
    assert str(base) in ran.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("moe 128 --imbalance 2", "--imbalance 2: must be at most 1,"),
        ("moe 128 --ep 8 --imbalance 9", "--imbalance 9: must be at most 8,"),
        ("moe 128 --ep 256 --imbalance 40", "--imbalance 40: must be at most 32,"),
        ("mla 4 128 --latent 64", "--latent 64: has no effect in prefill"),
    ],
)
def test_sizes_of_an_operator_that_cannot_be_are_refused(jevons, line, said):
    ran = jevons("op", *line.split())
    assert (ran.code, said in ran.err) == (2, True)


def test_the_busiest_rank_of_experts_is_timed(jevons):
    assert jevons("op", "moe", "128", "--ep", "8", "--imbalance", "8").code == 0


@pytest.mark.parametrize("stated", ["x", "-1", "253402300800"])
def test_a_date_of_the_build_that_is_none_is_refused(stated: str) -> None:
    """NumPy, SciPy and Matplotlib fail on it, each with a traceback of its own."""
    command = [sys.executable, "-m", "jevons", "cost"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": stated}
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"SOURCE_DATE_EPOCH={stated}: must be whole seconds")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("variable", ["MPLBACKEND=nonsense", "NUMBA_DISABLE_JIT=1"])
def test_variables_of_other_programs_leave_a_command_as_it_is(tmp_path, variable):
    """A notebook hands its backend down to commands; compilation may be off while somebody traces a fault."""
    line = [
        *SIMULATE,
        "--concurrency",
        "1",
        "--requests",
        "2",
        "--isl",
        "20",
        "--osl",
        "3",
        "--plot",
        "a.svg",
        "--json",
    ]
    name, _, value = variable.partition("=")
    plain, changed = (
        subprocess.run(
            [sys.executable, "-m", "jevons", *line],
            cwd=tmp_path,
            env=os.environ | more,
            check=False,
            capture_output=True,
        )
        for more in ({}, {name: value})
    )
    assert changed.returncode == 0, changed.stderr.decode()
    assert json.loads(changed.stdout)["ttft_s"] == json.loads(plain.stdout)["ttft_s"]

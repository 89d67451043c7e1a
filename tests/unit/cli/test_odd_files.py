"""Files that are nearly right: keys given twice, numbers that are none, blank lines, dates that no calendar has."""

import json

import pytest

from places import TINY

CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128_256,
    "max_position_embeddings": 8192, "torch_dtype": "bfloat16",
}  # fmt: skip
BENCH = {
    "backend": "vllm", "model_id": "meta-llama/Llama-3.2-3B-Instruct", "request_rate": 10.0, "max_concurrency": None,
    "duration": 36.03, "completed": 300, "total_input_tokens": 299_700, "total_output_tokens": 81_050,
    "output_throughput": 2249.2, "mean_ttft_ms": 54.58, "mean_tpot_ms": 13.58, "gpu": "L40S",
}  # fmt: skip
TRACE = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,100,30\n1.5,200,40\n"


def twice(record, key, first, second):
    """Return JSON with a key given twice."""
    return json.dumps(record).replace(f'"{key}": {first}', f'"{key}": {first}, "{key}": {second}', 1)


def test_a_key_of_json_that_stands_twice_is_refused_where_its_values_differ(jevons, tmp_path):
    config, bench, trace = (tmp_path / name for name in ("config.json", "b.json", "t.jsonl"))
    config.write_text(twice(CONFIG, "hidden_size", 4096, 2048))
    bench.write_text(twice(BENCH, "mean_ttft_ms", 54.58, 5.458))
    trace.write_text('{"time": 0, "isl": 100, "osl": 20, "isl": 900}\n')
    for words in (
        ("models", "show", config), ("validate", bench), ("simulate", "--measured", bench),
        ("simulate", "--model", "qwen3-0.6b", "--trace", trace),
    ):  # fmt: skip
        ran = jevons(*words)
        assert ran.code == 2, words
        assert "is given twice" in ran.err, words
        assert str(words[-1].name) in ran.err, words
    config.write_text(twice(CONFIG, "hidden_size", 4096, 4096))
    assert jevons("models", "show", config).code == 0


@pytest.mark.parametrize("figure", ["54,58", "54.58 ms", -54.58])
def test_a_measured_figure_that_is_no_number_above_zero_is_named(jevons, tmp_path, figure):
    bench = tmp_path / "b.json"
    bench.write_text(json.dumps(BENCH | {"mean_ttft_ms": figure}))
    ran = jevons("validate", bench)
    assert ran.code == 0
    assert f"b.json: mean_ttft_ms = {figure}: no number above 0, and not read" in ran.err
    bench.write_text(json.dumps(BENCH | {"mean_ttft_ms": None, "max_concurrency": "None", "backend": "vllm 0.11"}))
    assert "not read" not in jevons("validate", bench).err


def test_blank_lines_of_a_trace_are_skipped_and_later_lines_keep_their_numbers(jevons, tmp_path):
    trace = tmp_path / "t.csv"
    trace.write_text(f"{TRACE}\n\n2.5,200,40\n\n")
    ran = jevons("simulate", "--model", "qwen3-0.6b", "--trace", trace, "--json")
    assert json.loads(ran.out)["requests"] == 3
    trace.write_text(f"{TRACE}\n\nlate,200,40\n\n")
    assert (
        "t.csv:6: arrived_at: `late`: must be a time"
        in jevons("simulate", "--model", "qwen3-0.6b", "--trace", trace).err
    )
    trace.write_text(f"{TRACE.splitlines()[0]}\n\n\n")
    assert "has a head but no rows" in jevons("simulate", "--model", "qwen3-0.6b", "--trace", trace).err


def test_a_date_that_no_calendar_has_is_no_time(jevons, tmp_path):
    """It stood for the start of 1970, and the trace was said to last 55 years."""
    trace = tmp_path / "t.csv"
    rows = "2025-02-28T23:59:59Z,100,20\n2025-02-30T00:00:00Z,100,20\n"
    trace.write_text(f"timestamp,prompt_tokens,completion_tokens\n{rows}")
    ran = jevons("simulate", "--model", "qwen3-0.6b", "--trace", trace)
    assert ran.code == 2
    assert (
        "t.csv:3: timestamp: `2025-02-30T00:00:00Z`: must be a time, such as 12.5 or 2025-03-01T10:00:00Z; mend"
        in ran.err
    )


@pytest.mark.parametrize("wrong", ["[1, 2]", "0", ".nan", "many"])
def test_one_wrong_field_is_one_line(jevons, tmp_path, wrong):
    """What is wrong with an entry was followed by what follows from it: a list without entries, heads that divide."""
    load, config = tmp_path / "l.yaml", tmp_path / "config.json"
    load.write_text(f"requests: 50\nrate: 2\nclasses:\n  - {{name: chat, isl: {wrong}, osl: 20}}\n")
    ran = jevons("simulate", "--model", "qwen3-0.6b", "--load", load)
    assert (ran.code, len(ran.err.strip().splitlines())) == (2, 1), ran.err
    assert "classes.0.isl" in ran.err
    config.write_text(json.dumps(CONFIG | {"hidden_size": wrong}))
    ran = jevons("models", "show", config)
    assert (ran.code, len(ran.err.strip().splitlines())) == (2, 1), ran.err


@pytest.mark.parametrize(
    ("words", "both"),
    [
        (("size", "qwen3-0.6b", "--rate", "2", "--static", "--emit", "z.html", "--out", "./z.html"), "--out"),
        (("study", "montecarlo", "TINY", "--draws", "4", "--store", "z.json", "--out", "z.json"), "--out"),
    ],
)
def test_two_outputs_of_one_name_are_refused_before_any_work(jevons, tmp_path, monkeypatch, words, both):
    monkeypatch.chdir(tmp_path)
    ran = jevons(*(str(TINY) if word == "TINY" else word for word in words))
    assert ran.code == 2
    assert f"{both} writes there too; name another" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_amounts_as_people_write_them(jevons):
    for text, dollars in (("8,000 USD", "8,000 USD"), ("8k USD", "8,000 USD"), ("$8,000", "8,000 USD")):
        assert f"({dollars})" in jevons("cost", "--gpu", "h100", "--purchase-price", text).out, text
    assert "is a price of an hour" in jevons("cost", "--gpu", "h100", "--purchase-price", "2 USD/h").err
    assert "is a price of a month" in jevons("cost", "--gpu", "h100", "--purchase-price", "900 USD/month").err
    cost = ("cost", "qwen3-0.6b", "--gpu", "h100", "--gpu-hour")
    for text in ("$2.50/hr", "2.5 USD per GPU-hour", "60 USD a day", "1826.25 USD/month", "21,915 USD/yr"):
        assert "at 2.50 USD" in jevons(*cost, text).out, text
    assert "write an amount above 0" in jevons(*cost, "2 USD/lightyear").err
    size = ("size", "qwen3-0.6b", "--rate", "2", "--static", "--ttft")
    assert jevons(*size, "200000\u03bcs").out == jevons(*size, "200000\u00b5s").out

"""Traces of sessions, spans and texts, and of any columns that the reader names."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jevons
from jevons.errors import InputError, InputNote, InputWarning
from jevons.serving.sim import Trace, from_trace, read_trace
from jevons.serving.sim.load import records
from jevons.serving.sim.load.large import large_table
from jevons.serving.sim.load.records import FORMATS, block_tokens


def test_a_conversation_of_sharegpt_grows_and_its_tokens_are_told_by_characters(tmp_path: Path) -> None:
    talk = [{"id": "x", "conversations": [
        {"from": "human", "value": "a" * 400}, {"from": "gpt", "value": "b" * 200},
        {"from": "human", "value": "c" * 40}, {"from": "gpt", "value": "d" * 80}, {"from": "human", "value": "e"},
    ]}]  # fmt: skip
    path = tmp_path / "sharegpt.json"
    path.write_text(json.dumps(talk))
    trace = read_trace(path)
    assert list(trace.isl) == [100, 100 + 50 + 10]
    assert list(trace.osl) == [50, 20]
    with pytest.raises(InputError, match="says no times"):
        from_trace(trace)
    assert from_trace(trace, rate_req_per_s=4.0).count == 2


@pytest.mark.parametrize("form", ["otlp", "lines"])
def test_spans_of_opentelemetry_are_requests(tmp_path: Path, form: str) -> None:
    counts = [(1000, 100, "1700000000000000000"), (500, 50, "1700000000500000000")]
    if form == "otlp":
        spans = [
            {"name": "chat", "startTimeUnixNano": start, "attributes": [
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": str(isl)}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": str(osl)}}]}
            for isl, osl, start in counts
        ]  # fmt: skip
        spans.append({"name": "db", "startTimeUnixNano": counts[0][2], "attributes": []})
        text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    else:
        text = "\n".join(
            json.dumps({"start_time": f"2026-01-01T00:00:0{place / 2}00000Z", "attributes": {
                "gen_ai.usage.input_tokens": isl, "gen_ai.usage.output_tokens": osl}})
            for place, (isl, osl, _) in enumerate(counts)
        )  # fmt: skip
    (tmp_path / "spans.json").write_text(text)
    trace = read_trace(tmp_path / "spans.json")
    assert list(trace.isl) == [1000, 500]
    assert trace.arrival_s[1] == pytest.approx(0.5)
    assert trace.make == "opentelemetry"


@pytest.mark.parametrize(
    "text",
    [
        "request_start;prompt_len;gen_len\n2025-03-01T10:00:00.5+08:00;512;100\n2025-03-01T10:00:02+08:00;300;80\n",
        "时间,输入token数量,输出token数量\n2025/3/1 10:00:00.5,512,100\n2025/3/1 10:00:02,300,80\n",
        "start_time\tn_in\tn_out\n0.5\t512\t100\n2.0\t300\t80\n",
    ],
    ids=["semicolons", "Chinese", "tabs"],
)
def test_a_table_of_ones_own_is_read_by_obvious_names(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.warns(InputNote, match=r"--map time=COLUMN"):
        trace = read_trace(path)
    assert list(trace.arrival_s) == pytest.approx([0.0, 1.5])
    assert (list(trace.isl), list(trace.osl)) == ([512, 300], [100, 80])


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's zone to one whose clocks change."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_the_night_of_a_clock_change_is_as_long_as_any(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = "2025-03-09 01:30:00,512,100\n2025-03-09 03:30:00,300,80\n"
    path.write_text(f"received_at,input_tokens,output_tokens\n{rows}")
    with pytest.warns(InputNote):
        assert list(read_trace(path).arrival_s) == [0.0, 7200.0]


def test_tokens_that_a_log_says_were_cached_are_said_to_be_computed(tmp_path: Path) -> None:
    """A prompt of 5,000 tokens, 4,096 of them cached, was simulated whole without a word."""
    path = tmp_path / "log.csv"
    path.write_text("created_at,input_tokens,cached_tokens,output_tokens\n0,5000,4096,100\n2,6000,4096,80\n")
    with pytest.warns(InputNote, match="tokens of `cached_tokens` computed anew"):
        read_trace(path)
    path.write_text("created_at,input_tokens,cached_tokens,output_tokens\n0,5000,0,100\n2,6000,0,80\n")
    with pytest.warns(InputNote) as said:
        read_trace(path)
    assert not any("anew" in str(note.message) for note in said)


def test_any_table_is_read_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "own.csv.gz"
    path.write_bytes(gzip.compress(b"when (ms),in,out,user\n3000,10,20,b\n1000,30,40,a\n"))
    trace = read_trace(path, {"time": "when (ms)", "isl": "in", "osl": "out", "session": "user"})
    assert list(trace.isl) == [30, 10], "rows come in order of time"
    assert trace.arrival_s[1] == pytest.approx(2.0)
    own = tmp_path / "own.jsonl"
    own.write_text('{"req": {"t": "2026-01-01T00:00:00Z", "in": 5}}\n{"req": {"t": "2026-01-01T00:00:03Z", "in": 7}}\n')
    trace = read_trace(own, {"time": "req.t", "isl": "req.in", "osl": "64"})
    assert list(trace.osl) == [64, 64]
    assert trace.arrival_s[1] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"isl": "input", "osl": "out"}, "no field `input`"), ({"prompt": "in", "osl": "out"}, "no such field"),
        ({"isl": "in"}, "no output lengths"), ({"isl": "who", "osl": "out"}, "whole number of tokens"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_told(tmp_path: Path, mapping: dict[str, str], message: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text("t,in,out,who\n1,10,20,x\n")
    with pytest.raises(InputError, match=message):
        read_trace(path, mapping)


def test_the_size_of_hashed_blocks_is_told_by_the_prompts(tmp_path: Path) -> None:
    assert block_tokens([271, 288, 100], [17, 18, 7], 512) == 16
    assert block_tokens([1000, 513], [2, 2], 512) == 512
    assert block_tokens([], [], 16) == 16
    rows = [
        {"timestamp": 1000 * n, "input_length": 640, "output_length": 8, "hash_ids": list(range(10))} for n in (0, 1)
    ]
    path = tmp_path / "mooncake64.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert read_trace(path).hash_tokens == 64
    record = jevons.simulate("llama-3.1-8b", trace=path, prefix_cache=True).to_json()
    assert record["hit_tokens"] >= 576


def test_what_is_no_trace_is_told_those_that_are(tmp_path: Path) -> None:
    for name, text in (("a.csv", "x,y\n1,2\n"), ("a.jsonl", '{"x": 1}\n')):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError) as told:
            read_trace(tmp_path / name)
        for make, example in FORMATS.items():
            assert f"{make}: {example}" in str(told.value)


def test_the_command_maps_columns_and_refuses_a_mapping_of_nothing(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from jevons.cli.app import app

    path = tmp_path / "own.csv"
    path.write_text("t,in,out\n0,100,20\n1,200,30\n2,300,40\n")
    told = ["simulate", "--model", "llama-3.1-8b", "--trace", str(path), "--json"]
    done = CliRunner().invoke(app, [*told, "--map", "time=t", "--map", "isl=in", "--map", "osl=out"])
    assert json.loads(done.stdout)["served"] == 3
    with pytest.raises(InputError, match="names columns of a trace"):
        jevons.simulate("llama-3.1-8b", rate=1, map_=["isl=in"])


LOGS = {  # how people write down when a request came and how long it was, beside the makes that have names
    "log.csv": "timestamp,prompt_tokens,completion_tokens\n2025-10-01 00:00:00,100,10\n2025-10-01 00:00:02,200,20\n",
    "log.tsv": "input_toks\toutput_toks\tarrival_time_ns\n100\t10\t5000000000\n200\t20\t7000000000\n",
    "decimal.csv": "arrival_time;isl;osl\n0,5;100;10\n2,5;200;20\n",
    "usage.jsonl": '{"created": 1760000000, "usage": {"prompt_tokens": 100, "completion_tokens": 10}}\n'
                   '{"created": 1760000002, "usage": {"prompt_tokens": 200, "completion_tokens": 20}}\n',
    "epoch.jsonl": '{"startTime": 1760000000000, "promptTokens": 100, "completionTokens": 10}\n'
                   '{"startTime": 1760000002000, "promptTokens": 200, "completionTokens": 20}\n',
    "failed.csv": "time,isl,osl\n0,100,10\n1,,\n2,200,20\n",
    "mooncake.json": '[{"timestamp": 0, "input_length": 100, "output_length": 10}, '
                     '{"timestamp": 2000, "input_length": 200, "output_length": 20}]',
    "jaeger.json": json.dumps({"data": [{"spans": [
        {"startTime": start, "tags": [{"key": "gen_ai.usage.prompt_tokens", "value": isl},
                                      {"key": "gen_ai.usage.completion_tokens", "value": osl}]}
        for start, isl, osl in ((1_760_000_000_000_000, 100, 10), (1_760_000_002_000_000, 200, 20))]}]}),
    "console.json": '{\n"start_time": "2025-10-01T00:00:00.0Z", "attributes": {"gen_ai.usage.input_tokens": 100,\n'
                    '"gen_ai.usage.output_tokens": 10}}\n{\n"start_time": "2025-10-01T00:00:02Z", "attributes": '
                    '{"gen_ai.usage.input_tokens": 200, "gen_ai.usage.output_tokens": 20}}\n',
    "records.jsonl": "\n".join(
        json.dumps({"metadata": {"request_start_ns": start, "benchmark_phase": phase}, "error": None, "metrics": {
            "input_sequence_length": {"value": isl}, "output_sequence_length": {"value": osl}}})
        for start, phase, isl, osl in (
            (1, "warmup", 9, 9), (1_760_000_000_000_000_000, "profiling", 100, 10),
            (1_760_000_002_000_000_000, "profiling", 200, 20))
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:--trace")
@pytest.mark.parametrize("name", LOGS)
def test_a_log_with_obvious_names_needs_no_mapping(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(LOGS[name])
    trace = read_trace(path)
    assert list(zip(trace.isl.tolist(), trace.osl.tolist(), strict=True)) == [(100, 10), (200, 20)]
    assert trace.arrival_s.tolist() == pytest.approx([0.0, 2.0])
    assert trace.timed


def test_what_was_taken_for_what_is_said(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("when,prompt_tokens,completion_tokens\n0,100,10\n1,200,20\n")
    with pytest.warns(UserWarning, match="isl from `prompt_tokens`.*no times; --map time=COLUMN"):
        assert not read_trace(path).timed
    assert read_trace(path, {"time": "when"}).arrival_s.tolist() == [0.0, 1.0]


def test_turns_of_a_session_hold_what_is_new_and_take_a_length_of_answers(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    turns = [{"text": "a" * 400}, {"text": "b" * 200, "delay": 2000}]
    path.write_text(json.dumps({"session_id": "s", "turns": turns}))
    with pytest.raises(InputError, match="no output lengths"):
        read_trace(path)
    assert read_trace(path, {"osl": "30"}).isl.tolist() == [100, 100 + 30 + 50]


def test_a_table_of_unknown_columns_is_told_by_its_first_row(monkeypatch):
    def rows(_path, _text):
        yield 2, {"a": "1", "b": "2"}
        pytest.fail("the rows below were read")

    monkeypatch.setattr(records, "_records", rows)
    assert records.gathered(Path("x.csv"), b"a,b\n1,2\n", {}) is None


def _said(path: Path, *records: dict[str, Any]) -> Trace:
    path.write_text("\n".join(json.dumps(record) for record in records))
    return read_trace(path)


def test_conversations_with_times_come_at_them(tmp_path: Path) -> None:
    user, answer = {"role": "user", "content": "what is it?"}, {"role": "assistant", "content": "a thing of its kind"}
    plain = _said(tmp_path / "plain.jsonl", {"messages": [user, answer]}, {"messages": [user, answer]})
    assert not plain.timed
    late, soon = {"created_at": "2025-03-01T10:00:05Z"}, {"created_at": "2025-03-01T10:00:00Z"}
    dated = _said(tmp_path / "dated.jsonl", {"messages": [user, answer]} | late, {"messages": [user, answer]} | soon)
    assert dated.timed
    assert dated.arrival_s.tolist() == [0.0, 5.0]
    turns = [user, answer | {"timestamp": "2025-03-01T10:00:00Z"}, user, answer | {"timestamp": "2025-03-01T10:01:00Z"}]
    spoken = _said(tmp_path / "turns.jsonl", {"conversation": turns})
    assert spoken.arrival_s.tolist() == [0.0, 60.0]
    assert spoken.isl[1] > spoken.isl[0]
    followed = _said(
        tmp_path / "followed.jsonl", {"conversation": [user, answer, user, answer], "ts": 1_740_823_200_123}
    )
    assert 0.0 == followed.arrival_s[0] < followed.arrival_s[1] < 5.0


def test_counts_of_a_logged_call_go_before_those_that_its_letters_tell(tmp_path: Path) -> None:
    call = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}],
            "usage": {"prompt_tokens": 812, "completion_tokens": 33}, "created": 1_740_823_200}  # fmt: skip
    with pytest.warns(InputWarning, match=r"isl from `usage.prompt_tokens`"):
        trace = _said(tmp_path / "calls.jsonl", call, call | {"created": 1_740_823_207})
    assert (trace.isl[0], trace.osl[0], trace.arrival_s[1]) == (812, 33, 7.0)


@pytest.mark.parametrize("head", ["time,input,output", "sent_at,prompt_len,gen_len", "ts,tokens_in,tokens_out"])
def test_more_names_of_columns_are_obvious(tmp_path: Path, head: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"{head}\n0,100,10\n1.5,200,20\n")
    with pytest.warns(InputWarning, match="isl from"):
        trace = read_trace(path)
    assert (trace.isl.tolist(), trace.osl.tolist(), trace.arrival_s.tolist()) == ([100, 200], [10, 20], [0.0, 1.5])


def test_a_prompt_itself_is_no_count(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="those of no known trace"):
        _said(tmp_path / "texts.jsonl", {"prompt": "What is it?", "completion": "A thing.", "time": 1})


def test_a_count_that_is_no_number_is_refused_and_never_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('arrival,input_tokens,output_tokens\n0,"1,100",20\n1,900,20\n2,"12,345,678",20\n')
    with pytest.warns(InputWarning, match="isl from `input_tokens`"):
        assert list(read_trace(path).isl) == [1100, 900, 12_345_678]
    for cell in ('"1,10"', "1e400", "many", '"1,100.5"'):
        path.write_text(f"arrival,input_tokens,output_tokens\n0,900,20\n1,{cell},20\n")
        with pytest.raises(InputError, match=r"log.csv:3: input_tokens: .*must be a whole number of tokens"):
            read_trace(path, {"isl": "input_tokens", "osl": "output_tokens"})
    path.write_text("arrival,input_tokens,output_tokens\n0,900,20\n1,800,null\n2,700,\n")
    with pytest.warns(InputWarning, match="2 of 3 requests have no prompt or no output tokens, and are left out"):
        assert read_trace(path).skipped == 2


@pytest.mark.parametrize("unit", ["", "_ms"])
def test_a_large_table_is_read_by_columns_as_by_rows(tmp_path: Path, monkeypatch, unit: str) -> None:
    rows = [(place * 0.5, 100 + place % 7, place % 5, f"m{place % 3}") for place in range(40)]
    rows[3], rows[9] = rows[9], rows[3]
    path = tmp_path / "log.csv"
    text = "\n".join(
        [f"start_time{unit},prompt_tokens,completion_tokens,model", *(",".join(map(str, r)) for r in rows)]
    )
    cases = (
        text,
        text.replace("m1", '"m,1"'),
        text + '\n9,"1,000",3,m0',
        text + "\n9,,3,m0",
        text.replace(",100,", ",1e2,"),
    )
    for case in cases:
        path.write_text(case)
        with pytest.warns(InputWarning):
            by_rows = read_trace(path)
        monkeypatch.setattr(records, "LARGE_BYTES", 0)
        with pytest.warns(InputWarning):
            by_columns = read_trace(path)
        monkeypatch.undo()
        assert by_columns.arrival_s.tolist() == by_rows.arrival_s.tolist()
        assert (by_columns.isl.tolist(), by_columns.osl.tolist()) == (by_rows.isl.tolist(), by_rows.osl.tolist())
        assert (by_columns.skipped, by_columns.make) == (by_rows.skipped, by_rows.make)
    path.write_text(text)
    columns = large_table(path.read_bytes())
    assert columns is not None
    assert len(columns.isl) == 32
    assert large_table(cases[2].encode()) is None


def test_two_columns_of_one_name_are_refused_where_they_differ(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("arrival,input_tokens,input_tokens,output_tokens\n0,5,5,3\n1,5,6,3\n")
    with pytest.raises(InputError, match=r"log.csv:3: has two columns `input_tokens` with different values"):
        read_trace(path)
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens,ContextTokens\n2023-11-16 18:17:03,5,5,3\n")
    with pytest.raises(InputError, match="has two columns `ContextTokens`"):
        read_trace(path)

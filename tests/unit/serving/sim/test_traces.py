import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from jevons.errors import InputError, InputNote
from jevons.serving import sim
from places import DATA

SAMPLES = DATA / "traces"


@pytest.mark.parametrize(
    ("name", "make", "count", "isl", "osl", "second_s"),
    [
        ("azure_code_sample.csv", "azure", 150, 4808, 10, 0.052),
        ("azure_conversation_sample.csv", "azure", 150, 374, 44, 4.314579),
        ("mooncake_conversation_sample.jsonl.gz", "mooncake", 120, 6758, 500, 0.0),
    ],
)
def test_published_traces_are_recognised(name: str, make: str, count: int, isl: int, osl: int, second_s: float) -> None:
    trace = sim.read_trace(SAMPLES / name)
    assert (trace.make, len(trace.isl), trace.isl[0], trace.osl[0]) == (make, count, isl, osl)
    assert trace.arrival_s[1] == pytest.approx(second_s, abs=1e-9)
    assert (np.diff(trace.arrival_s) >= 0).all()


@pytest.mark.parametrize(
    ("text", "make"),
    [
        ("arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,3\n2.0,20,4\n", "vidur"),
        (
            (
                "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
                "5,ChatGPT,10,3,13,API log\n6.5,GPT-4,20,4,24,API log\n"
            ),
            "burstgpt",
        ),
        (
            (
                "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,10,3\n"
                "2024-05-10 00:00:01.509930+00:00,20,4\n"
            ),
            "azure",
        ),
        (
            (
                '{"chat_id": 1, "timestamp": 1.0, "input_length": 10, "output_length": 3}\n'
                '{"chat_id": 2, "timestamp": 2.5, "input_length": 20, "output_length": 4}\n'
            ),
            "qwen",
        ),
        ('{"input_lens": [20, 10], "output_lens": [4, 3], "start_times": [102.5, 101.0]}', "vllm_bench"),
        ('{\n "input_lens": [20, 10],\n "output_lens": [4, 3],\n "start_times": [102.5, 101.0]\n}', "vllm_bench"),
    ],
)
def test_makes_are_told_apart_by_their_content(tmp_path: Path, text: str, make: str) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        trace = sim.read_trace(path)
        assert trace.make == make
        assert trace.isl.tolist() == [10, 20]
        assert trace.osl.tolist() == [3, 4]
        assert trace.arrival_s == pytest.approx([0.0, 1.5])


HEAD = "arrived_at,num_prefill_tokens,num_decode_tokens\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "is empty"),
        (HEAD, None, "no rows"),
        (HEAD + "0,10,3\n1,-5,3\n", 3, "`-5`"),
        (HEAD + "0,10,3\n1,5,many\n", 3, "`many`"),
        (HEAD + "0,10,3\n1,5.5,3\n", 3, "`5.5`"),
        (HEAD + "0,10,3\n1,5,900000000000\n", 3, "`900000000000`"),
        (HEAD + "5,10,3\n1,5,3\n", 3, "sort the trace"),
        (HEAD + "0,10,3\nnan,5,3\n", 3, "must be a time"),
        (HEAD + "0,10,3\n1,5\n", 3, ""),
        (HEAD + "0,0,3\n", None, "no request"),
        ("a,b,c\n1,2,3\n", 1, "no known trace"),
        ('{"timestamp": 0, "input_length": 5, "output_length": 2}\n{"timestamp": 1, "inp', 2, "is no JSON"),
        ('{"timestamp": 0, "input_length": 5, "output_length": 2}\n[1]\n', 2, "no object"),
        ('{"timestamp": 0, "input_length": 5, "output_length": 2}\n{"timestamp": 1, "input_length": "x"}\n', 2, "`x`"),
        ('{"a": 1}\n', 1, "no known trace"),
        ('{"input_lens": [1], "output_lens": [1, 2]}', None, "input_lens"),
        ("\x00\x01,\x02\n", 1, "is not UTF-8 text"),
    ],
)
def test_bad_traces_name_file_line_value_and_remedy(tmp_path: Path, text: str, line: int | None, words: str) -> None:
    path = tmp_path / "bad.trace"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        sim.read_trace(path)
    assert words in str(raised.value)
    assert "bad.trace" in str(raised.value)
    if line is not None:
        assert line in {fault.line for fault in raised.value.faults}


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(HEAD.encode() * 100)[:-20])
    packed = tmp_path / "a.zst"
    packed.write_bytes(b"\x28\xb5\x2f\xfd0000")
    binary = tmp_path / "noise"
    binary.write_bytes(bytes(range(128, 256)))
    for path, words in ((tmp_path / "none.csv", "no such file"), (tmp_path, "is a folder"), (cut, "gzip"),
                        (packed, "zstd"), (binary, "not UTF-8 text")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            sim.read_trace(path)


def test_rows_without_an_answer_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "burst.csv"
    path.write_text("Timestamp,Request tokens,Response tokens\n1,5,0\n2,5,3\n3,5,3\n")
    trace = sim.read_trace(path)
    assert (trace.skipped, trace.arrival_s.tolist()) == (1, [0.0, 1.0])


def test_parquet_is_read(tmp_path: Path) -> None:
    import polars as pl

    path = tmp_path / "t.parquet"
    pl.DataFrame({"arrived_at": [0.0, 1.5], "num_prefill_tokens": [10, 20], "num_decode_tokens": [3, 4]}).write_parquet(
        path
    )
    assert sim.read_trace(path).arrival_s.tolist() == [0.0, 1.5]


def test_huge_integers_are_refused_not_overflowed(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    path.write_text(json.dumps({"timestamp": 0, "input_length": 10**400, "output_length": 2}))
    with pytest.raises(InputError, match="whole number of tokens"):
        sim.read_trace(path)


def test_a_trace_repeats_and_scales_to_a_rate() -> None:
    trace = sim.read_trace(SAMPLES / "azure_conversation_sample.csv")
    load = sim.from_trace(trace, requests=450, rate_req_per_s=3.0)
    assert load.count == 450
    assert 449 / load.arrival_s[-1] == pytest.approx(3.0)
    assert load.isl[300:].tolist() == trace.isl.tolist()
    assert (np.diff(load.arrival_s) >= 0).all()
    with pytest.raises(InputError, match="requests = 0"):
        sim.from_trace(trace, requests=0)


def test_block_hashes_are_kept_and_apart_in_each_repetition() -> None:
    trace = sim.read_trace(SAMPLES / "mooncake_conversation_sample.jsonl.gz")
    assert trace.hash_tokens == 512
    assert trace.hashes[:2].tolist() == [*trace.hashes[14:15].tolist(), 1]
    load = sim.from_trace(trace, requests=240, prefixes=True)
    half = len(trace.hashes)
    assert load.hashes[half:].min() > load.hashes[:half].max()
    assert (np.diff(load.hash_start)[:120] == np.diff(load.hash_start)[120:]).all()
    with pytest.warns(InputNote, match="no hash_ids"):
        without = sim.from_trace(sim.read_trace(SAMPLES / "azure_code_sample.csv"), prefixes=True)
    assert without.hashes is None


def test_hashes_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"timestamp": 0, "input_length": 5, "output_length": 2, "hash_ids": ["a"]}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl:1: hash_ids"):
        sim.read_trace(path)


def test_zstd_holds_the_same_trace_as_gzip() -> None:
    packed = [sim.read_trace(SAMPLES / f"mooncake_conversation_sample.jsonl.{end}") for end in ("gz", "zst")]
    for name in ("arrival_s", "isl", "osl", "hashes", "hash_start"):
        assert (getattr(packed[0], name) == getattr(packed[1], name)).all()


def test_a_cut_zstd_file_is_refused(tmp_path: Path) -> None:
    whole = (SAMPLES / "mooncake_conversation_sample.jsonl.zst").read_bytes()
    cut = tmp_path / "cut.zst"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="no whole zstd file"):
        sim.read_trace(cut)


def chat(chat_id: int, parent: int, timestamp: float, turn: int) -> str:
    row = {"chat_id": chat_id, "parent_chat_id": parent, "timestamp": timestamp, "input_length": 40 * turn,
           "output_length": 5, "type": "text", "turn": turn, "hash_ids": list(range(chat_id, chat_id + 3))}  # fmt: skip
    return json.dumps(row)


def test_turns_of_a_chat_are_one_session(tmp_path: Path) -> None:
    path = tmp_path / "qwen.jsonl"
    path.write_text("\n".join([chat(7, -1, 0, 1), chat(9, -1, 1, 1), chat(12, 7, 2, 2), chat(20, 12, 3, 3)]) + "\n")
    trace = sim.read_trace(path)
    assert (trace.make, trace.hash_tokens) == ("qwen", 16)
    assert trace.session.tolist() == [0, 1, 0, 0]


def test_thinning_keeps_whole_chats_and_is_drawn_from_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "qwen.jsonl"
    lines = [chat(1000 * turn + place, 1000 * (turn - 1) + place if turn > 1 else -1, turn, turn)
             for turn in (1, 2, 3) for place in range(200)]  # fmt: skip
    path.write_text("\n".join(lines))
    left = sim.thinned(sim.read_trace(path), 0.25, seed=3)
    assert (np.bincount(left.session) == 3).all()
    assert 25 < left.session.max() + 1 < 75
    again = sim.thinned(sim.read_trace(path), 0.25, seed=3)
    assert (again.arrival_s == left.arrival_s).all()
    assert (again.hashes == left.hashes).all()
    assert left.hashes.max() == len(np.unique(left.hashes)) - 1
    for share in (0.0, 1.5, 1e-9):
        with pytest.raises(InputError, match="keep"):
            sim.thinned(left, share)


def test_speed_shortens_a_trace() -> None:
    trace = sim.read_trace(SAMPLES / "azure_conversation_sample.csv")
    assert sim.from_trace(trace, speed=4.0).arrival_s == pytest.approx(trace.arrival_s / 4.0)
    with pytest.raises(InputError, match="give one"):
        sim.from_trace(trace, speed=4.0, rate_req_per_s=2.0)
    with pytest.raises(InputError, match="speed = 0"):
        sim.from_trace(trace, speed=0.0)


def test_times_of_any_zone_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "zones.csv"
    times = (
        "2023-11-16T18:17:03+02:00",
        "2023-11-16T18:17:04.5+0200",
        "2023-11-16 11:17:05-05:00",
        "2023-11-16T21:47:06+05:30",
    )
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(f"{time},10,10\n" for time in times))
    assert list(sim.read_trace(path).arrival_s) == pytest.approx([0.0, 1.5, 2.0, 3.0])

"""The one reader: regular files alone, and never more of them than memory is meant to hold."""

import gzip
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import zstandard

from jevons.errors import InputError
from jevons.files import read_bytes, read_csv, read_json, read_text
from jevons.files.parquet import check_parquet
from jevons.serving import sim

HEAD = "arrived_at,num_prefill_tokens,num_decode_tokens\n"


@pytest.mark.parametrize("read", [read_text, read_json, read_csv, sim.read_trace])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/dev/zero", "is a device, not a file"), ("fifo", "is a FIFO, not a file"), (".", "is a folder, not a file"),
        ("dangling", "is a link to a file that does not exist"), ("loop", "Too many levels"), ("none", "no such file"),
        ("x" * 300, "has 300 bytes, and file systems take 255"), ("a\0b", "NUL character"),
    ],
)  # fmt: skip
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, read, name, message):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path / name)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    ["Oracle will invest $40bn.", "百度将投入300亿元，三年完成", "百度将投入300亿元，" * 40],
)
def test_words_in_the_place_of_a_file_are_told_of_standard_input(words):
    with pytest.raises(InputError, match="standard input, with - in the file's place"):
        read_text(words)


def test_a_name_with_blanks_is_still_a_file(tmp_path):
    with pytest.raises(InputError, match="no such file\\.$"):
        read_text(tmp_path / "my notes of may.txt")


def test_a_name_like_one_that_exists_is_hinted_at(tmp_path):
    (tmp_path / "trace.csv").write_text("a")
    with pytest.raises(InputError, match="Did you mean `trace.csv`"):
        read_text(tmp_path / "trase.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("größe\nµ".encode("latin-1"), ":1: is not UTF-8 text .byte 2"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text; save it as UTF-8"),
        (b"a,b\n1,2\n3,\xff\n", ":3: is not UTF-8 text"), (b"a,b\n1,\x002\n", ":2: is not UTF-8 text .byte 6 is NUL"),
        (b"a" * ((1 << 20) - 1) + "é".encode() + b"\n\xff", ":2: is not UTF-8"), (b"abc\xe4\xb8", ":1: is not UTF-8"),
    ],
)  # fmt: skip
def test_other_encodings_are_named_with_their_line(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_text(path)


def test_a_mark_of_the_byte_order_is_dropped(tmp_path):
    (tmp_path / "t").write_bytes(b"\xef\xbb\xbfa,b\n1,2\n")
    assert read_csv(tmp_path / "t") == (["a", "b"], [(2, {"a": "1", "b": "2"})])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2,3\n", ":2: 3 cells under 2 columns"), ("a,b\n1,2\n" + "x" * 200_000, "a cell has more than 131,072"),
        ('a,b\n"1,2\n' + "1,2\n" * 50_000, "is a quote not closed"), ("a\n1\n2\n3\n4\n", ":5: has more than 3 rows"),
    ],
)  # fmt: skip
def test_tables_that_are_none_are_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_csv(tmp_path / "t.csv", most_rows=3)


def test_cells_that_a_short_row_lacks_are_empty_or_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1\n\n3,4\n")
    assert read_csv(tmp_path / "t.csv")[1] == [(2, {"a": "1", "b": ""}), (4, {"a": "3", "b": "4"})]
    with pytest.raises(InputError, match=":2: 1 cell under 2 columns"):
        read_csv(tmp_path / "t.csv", exact=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", ":1:2: is not JSON"), ("[" * 100_000, "nested too deeply"), ("9" * 5000, "too many digits")],
)
def test_json_that_is_none_is_named(tmp_path, text, message):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_json(tmp_path / "t.json")


def test_limits_are_stated_and_raised_by_the_environment(tmp_path, monkeypatch):
    (tmp_path / "t").write_text("x" * 100)
    with pytest.raises(InputError, match="more than 10 bytes; at most so many are read.*JEVONS_MAX_BYTES"):
        read_bytes(tmp_path / "t", most_bytes=10)
    monkeypatch.setenv("JEVONS_MAX_BYTES", "1e3")
    assert len(read_bytes(tmp_path / "t", most_bytes=10)) == 100
    monkeypatch.setenv("JEVONS_MAX_BYTES", "lots")
    with pytest.raises(InputError, match="JEVONS_MAX_BYTES=lots: must be a number"):
        read_bytes(tmp_path / "t", most_bytes=10)


def test_standard_input_is_read_by_its_name(tmp_path):
    code = "from jevons.files import read_text; print(read_text('-', most_bytes=10))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, input="abc", capture_output=True, text=True, check=True).stdout == "abc\n"
    with Path("/dev/zero").open("rb") as endless:
        done = subprocess.run(command, stdin=endless, capture_output=True, text=True, check=False, timeout=20)
    assert "more than 10 bytes" in done.stderr


@pytest.mark.parametrize("members", [1, 3])
def test_packed_files_of_several_parts_are_read_whole(tmp_path, members):
    (tmp_path / "t.gz").write_bytes(gzip.compress(b"abc") * members)
    (tmp_path / "t.zst").write_bytes(zstandard.compress(b"abc") * members)
    for name in ("t.gz", "t.zst"):
        assert read_bytes(tmp_path / name, most_bytes=100, unpack=True) == b"abc" * members
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:-2])
        with pytest.raises(InputError, match="is no whole"):
            read_bytes(tmp_path / name, most_bytes=100, unpack=True)


def bomb(path, kind):
    if kind == "gzip":
        with gzip.open(path, "wb", compresslevel=9) as stream:
            stream.write(HEAD.encode())
            for _ in range(300):
                stream.write(b"0,10,3\n" * 150_000)
    elif kind == "zstd":
        with zstandard.ZstdCompressor(level=3).stream_writer(path.open("wb")) as stream:
            for _ in range(12_000):
                stream.write(bytes(1 << 20))
    elif kind == "parquet rows":
        rows = 60_000_000
        pl.select(
            arrived_at=pl.repeat(0, rows, dtype=pl.UInt8), num_prefill_tokens=pl.repeat(1, rows, dtype=pl.UInt8),
            num_decode_tokens=pl.repeat(1, rows, dtype=pl.UInt8),
        ).write_parquet(path)  # fmt: skip
    elif kind == "parquet bytes":
        rows = 20_000
        text = pl.repeat("x" * 100_000, rows, eager=True)
        pl.DataFrame({"arrived_at": text, "num_prefill_tokens": text, "num_decode_tokens": text}).write_parquet(
            path, use_pyarrow=False, compression="zstd", row_group_size=2000
        )
    elif kind == "parquet list":
        frame = pl.DataFrame({"arrived_at": [0.0], "num_prefill_tokens": [[1] * 10], "num_decode_tokens": [1]})
        frame.write_parquet(path)
    elif kind == "field":
        path.write_text(HEAD + "0," + "9" * 1_000_000 + ",3\n")
    elif kind == "tokens":
        path.write_text(HEAD + "0,1000000000,3\n")
    elif kind == "line":
        path.write_text("x" * 20_000_000)
    elif kind == "zeros":
        with path.open("wb") as stream:
            stream.truncate(200_000_000)
    elif kind == "json":
        path.write_text("[" * 30_000_000)
    elif kind == "large":
        with path.open("wb") as stream:
            stream.truncate(50_000_000_000)


READ = """
import resource, sys
from jevons.errors import InputError
from jevons.serving import sim
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))
try:
    sim.read_trace(sys.argv[1])
except InputError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    print(error)
    sys.exit(2)
"""


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("gzip", "unpacks to more than 250 times its size"), ("zstd", "unpacks to more than 250 times its size"),
        ("parquet rows", "has 60,000,000 rows or values in a column; at most 50,000,000 are read"),
        ("parquet list", "column num_prefill_tokens: holds List.Int64."), ("field", "must be a whole number"),
        ("parquet bytes", "column arrived_at: a cell has 100,000 bytes"),
        ("tokens", "must be a whole number of tokens, 0 to 100,000,000"),
        ("line", ":1: .*a cell has more than 131,072 char"),
        ("zeros", "is not UTF-8 text"), ("json", "no known trace|more than 1,000,000"),
        ("large", "more than 1,000,000,000 bytes; at most so many are read"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_bombs_are_refused_within_memory(tmp_path, kind, message):
    path = tmp_path / "bomb"
    bomb(path, kind)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2, done.stderr
    taken, *lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert len(lines[0]) < 600
    assert re.search(message, lines[0]), lines[0]
    assert int(taken) < 1_500_000, f"{int(taken) // 1024} MiB"


def test_the_footer_of_a_parquet_file_bounds_what_it_unpacks_to(tmp_path):
    frame = pl.DataFrame({"a": ["x" * 1000] * 5000 + [str(i) for i in range(5000)], "b": list(range(10_000))})
    stream = io.BytesIO()
    frame.write_parquet(stream, row_group_size=1000)
    content = stream.getvalue()
    check_parquet("t", content, most_bytes=10_000_000, most_rows=10_000)
    with pytest.raises(InputError, match="has 10,000 rows.*JEVONS_MAX_ROWS"):
        check_parquet("t", content, most_bytes=10_000_000, most_rows=9_999)
    with pytest.raises(InputError, match=r"unpacks to [\d,]+ bytes; at most 10,000 are read"):
        check_parquet("t", content, most_bytes=10_000, most_rows=10_000)
    long_footer, no_footer = content[:-8] + b"\xff\xff\xff\x7fPAR1", content[:4] + b"\0" * 8 + b"PAR1"
    for broken in (content[:-1], long_footer, no_footer, b"PAR1" * 3):
        with pytest.raises(InputError, match="no whole Parquet file"):
            check_parquet("t", broken, most_bytes=10**9, most_rows=10**9)


def test_a_scenario_where_a_table_is_wanted_is_named_as_what_it_is(tmp_path):
    (tmp_path / "plan.yaml").write_text("name: a\nfirm: {share: ADS, facts: alibaba}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.yaml: is a YAML file; give a CSV file"):
        read_csv(tmp_path / "plan.yaml")

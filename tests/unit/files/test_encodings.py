"""Every reader takes what editors of other systems save, or names the encoding it cannot take."""

import pytest

import jevons
from jevons.errors import InputError
from jevons.files import csv_lines, read_csv, read_text
from jevons.serving import sim
from jevons.serving.measured import read_runs

TABLE = "concurrency,isl,osl,mean TTFT (ms),p99 TPOT (ms),output throughput (tok/s)\n4,500,200,54.6,9,300\n"
METRICS = 'Metric,avg,p99\nTime to First Token (ms),"1,290.5",2000\nRequest Throughput (requests/sec),5,\n'
TRACE = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,3\n1.5,20,4\n"
READERS = {
    "table": (TABLE, lambda path: [run.figures for run in read_runs(path)]),
    "metrics": (METRICS, lambda path: [run.figures for run in read_runs(path)]),
    "trace": (TRACE, lambda path: sim.read_trace(path).isl.tolist()),
    "other trace": (
        TRACE.replace("arrived_at", "at"),
        lambda path: sim.read_trace(
            path, mapping={"time": "at", "isl": "num_prefill_tokens", "osl": "num_decode_tokens"}
        ).isl.tolist(),
    ),
    "rows": (TABLE, lambda path: [row for _, row in read_csv(path)[1]]),
    "announcement": ("Neo invests 2 bn USD.\nIt runs 500 H20 cards.\n", lambda path: len(jevons.read(path).claims)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_lines_may_end_as_on_any_system(tmp_path, reader, ends):
    text, read = READERS[reader]
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_bytes(text.encode())
    other.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
    assert read(other) == read(plain)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-16", "is UTF-16 text"), ("utf-32", "is UTF-32 text"), ("utf-16-le", "byte 1 is NUL"), ("gbk", "byte 0")],
)
def test_other_encodings_are_named_with_the_remedy(tmp_path, encoding, words):
    path = tmp_path / "x.csv"
    path.write_bytes("中a,b\n1,2\n".encode(encoding) if encoding != "utf-16-le" else "a,b\n".encode(encoding))
    with pytest.raises(InputError, match=rf"{words}.*save it as UTF-8"):
        read_text(path)


def test_an_announcement_in_utf_32_is_no_text_rather_than_one_without_figures(tmp_path):
    path = tmp_path / "said.txt"
    path.write_bytes("Neo invests 2 bn USD.".encode("utf-32"))
    with pytest.raises(InputError, match="no text"):
        jevons.read(path)


def test_a_cell_that_is_too_long_is_said_by_every_reader_of_tables(tmp_path):
    with pytest.raises(InputError, match=r"t.csv:2.*a cell has more than 131,072 characters"):
        list(csv_lines("t.csv", "a,b\n" + '"' + "x" * 140_000))
    path = tmp_path / "x.csv"
    path.write_text(TABLE + "x" * 140_000)
    with pytest.raises(InputError, match="a cell has more than"):
        read_runs(path)

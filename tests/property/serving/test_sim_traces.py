"""Whatever a trace file holds, it is read or refused by name; nothing else comes out."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from draws import draws
from jevons.errors import InputError
from jevons.serving import sim
from places import DATA

SAMPLES = DATA / "traces"
CSV = "\n".join((SAMPLES / "azure_code_sample.csv").read_text().splitlines()[:8]).encode()
JSONL = b"\n".join(gzip.decompress((SAMPLES / "mooncake_conversation_sample.jsonl.gz").read_bytes()).splitlines()[:5])
BENCH = b'{"input_lens": [20, 10], "output_lens": [4, 3], "start_times": [102.5, 101.0]}'
VIDUR = b"arrived_at,num_prefill_tokens,num_decode_tokens\n0,10,3\n1.5,20,4\n"


def read(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        path.write_bytes(content)
        try:
            trace = sim.read_trace(path)
        except InputError as error:
            named = str(path) in str(error)
        else:
            named = None
    if named is not None:
        assert named, "an error names the file"
        return
    assert len(trace.arrival_s) == len(trace.isl) == len(trace.osl) >= 1
    assert np.isfinite(trace.arrival_s).all()
    assert (np.diff(trace.arrival_s) >= 0).all()
    assert min(trace.isl.min(), trace.osl.min()) >= 1
    if trace.hash_start is not None:
        assert trace.hash_start[-1] == len(trace.hashes)


@given(st.binary(max_size=200))
@settings(max_examples=draws(60), deadline=None)
def test_any_bytes(content: bytes) -> None:
    """Invariant 24: A trace file of any bytes is read or refused by name."""
    read(content)


@given(
    sample=st.sampled_from([CSV, JSONL, BENCH, VIDUR]),
    start=st.floats(0, 1),
    length=st.integers(0, 40),
    instead=st.one_of(
        st.binary(max_size=12),
        st.sampled_from(
            [b"-1", b"1e400", b"NaN", b"null", b"\n\n", b'"', b"{", b"[[", b"9" * 30, b"true", b",,,", b"\r"]
        ),
    ),
    pack=st.sampled_from([bytes, gzip.compress]),
)
@settings(max_examples=draws(200), deadline=None)
def test_damaged_traces(sample: bytes, start: float, length: int, instead: bytes, pack: type) -> None:
    """Invariant 25: A damaged trace is read or refused by name."""
    at = int(start * len(sample))
    read(pack(sample[:at] + instead + sample[at + length :]))


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**9), st.integers(-5, 10**9)), min_size=1, max_size=30))
@settings(max_examples=draws(60), deadline=None)
def test_any_numbers(rows: list[tuple[float, int, int]]) -> None:
    """Invariant 26: A trace of any numbers is read or refused by name."""
    body = "".join(f"{time},{isl},{osl}\n" for time, isl, osl in rows)
    read(b"arrived_at,num_prefill_tokens,num_decode_tokens\n" + body.encode())

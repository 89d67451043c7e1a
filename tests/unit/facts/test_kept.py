"""Facts that are kept between processes are those of the files."""

import os

import pytest

from jevons.facts import Facts, default_facts
from jevons.facts._kept import kept
from jevons.facts.read import load_facts

FACTS = """
sources:
  one: {publisher: P, title: T, published: 2024-01-01, url: "https://example.com"}
facts:
  x.price_cny: {unit: CNY, about: a price, values: [{from: 2024-01-01, value: 5, grade: vendor, source: one}]}
"""


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "x.yaml").write_text(FACTS)
    return folder


def test_facts_are_read_once_and_anew_where_a_file_changed(data, tmp_path):
    reads = []

    def read() -> Facts:
        reads.append(1)
        return load_facts([data])

    first, again = (kept(data, read, tmp_path / "kept") for _ in range(2))
    assert len(reads) == 1
    assert first.by_id == again.by_id
    assert again.get("x.price_cny").number == 5
    file = data / "x.yaml"
    file.write_text(FACTS.replace("value: 5", "value: 6"))
    assert kept(data, read, tmp_path / "kept").get("x.price_cny").number == 6
    os.utime(file, ns=(1, 1))
    kept(data, read, tmp_path / "kept")
    assert len(reads) == 3
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x05K\x01."])
def test_what_is_no_kept_facts_is_read_anew(data, tmp_path, content):
    folder = tmp_path / "kept"
    kept(data, lambda: load_facts([data]), folder)
    next(folder.iterdir()).write_bytes(content)
    assert kept(data, lambda: load_facts([data]), folder).get("x.price_cny").number == 5


def test_where_nothing_can_be_written_the_files_are_read(data, tmp_path):
    (tmp_path / "kept").write_text("a file, no folder")
    assert kept(data, lambda: load_facts([data]), tmp_path / "kept").get("x.price_cny").number == 5


def test_shipped_facts_have_their_sources():
    assert default_facts().get("h20.price_cny").source is not None

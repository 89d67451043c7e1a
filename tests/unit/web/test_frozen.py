"""Results as pages: everything in one file, in both languages, safe whatever the result says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

import jevons
from jevons.web.frozen import frozen_page, modules, result_page


@pytest.mark.parametrize("kind", ["size", "train", "cost"])
def test_out_html_is_the_page_with_the_result_in_it(tmp_path, kind: str) -> None:
    results = {
        "size": lambda: jevons.size("llama-3.1-8b", rate=5, static=True),
        "train": lambda: jevons.train("llama-3.1-8b", gpus=64, tokens="15B"),
        "cost": lambda: jevons.cost("h20"),
    }
    result = results[kind]()
    path = tmp_path / "x.html"
    result.save(path)
    text = path.read_text(encoding="utf-8")
    assert len(text) < 1_200_000
    assert result.answer.split(".")[0][:40].replace("<", "&lt;") in text
    assert not re.search(r"(?:src|href)=[\"']?https?:", text)
    held = json.loads(re.search(r'id="frozen">(.*?)</script>', text, re.DOTALL)[1])
    assert held["document"]["result"]["answer"] == result.answer
    assert set(held["languages"]) == {"en", "zh"}


def test_text_of_a_result_cannot_end_its_script() -> None:
    document = {
        "result": {"answer": "</script><script>alert(1)</script>"}, "tables": [], "notes": [], "nodes": {},
    }  # fmt: skip
    meta = {"id": "", "kind": "x", "input": {"model": "</script>"}, "versions": {"jevons": "0", "facts": "0"}}
    text = frozen_page(document, meta)
    assert "<script>alert(1)" not in text
    assert text.count("</script>") == 4


def test_rows_beyond_the_size_of_a_page_are_left_out_and_counted() -> None:
    columns = [{"name": "case", "label": "case", "unit": "", "text": True, "quoted": True}]
    rows = [[f"case {number} {'x' * 80}"] for number in range(20_000)]
    table = {"name": "rows", "title": "rows", "detail": True, "columns": columns, "rows": rows}
    result = {"answer": "a", "rows": [{"measured": number} for number in range(50_000)]}
    meta = {"id": "", "kind": "validate", "input": {}, "versions": {"jevons": "0", "facts": "0"}}
    text = frozen_page({"result": result, "tables": [table], "notes": [], "nodes": {}}, meta)
    assert len(text.encode()) < 1_200_000
    held = json.loads(re.search(r'id="frozen">(.*?)</script>', text, re.DOTALL)[1])["document"]
    shown = held["tables"][0]
    assert 1000 < len(shown["rows"]) == 20_000 - shown["left"]
    assert shown["rows"] == rows[: len(shown["rows"])]
    assert len(held["result"]["rows"]) < 50_000


def test_a_page_shows_the_command_that_gave_it_without_where_it_went(tmp_path) -> None:
    out = tmp_path / "cost.html"
    words = ["cost", "--gpu", "h20", "--language=zh", "--out", str(out)]
    subprocess.run([sys.executable, "-m", "jevons", *words], check=True, capture_output=True)
    held = json.loads(re.search(r'id="frozen">(.*?)</script>', out.read_text(encoding="utf-8"), re.DOTALL)[1])
    assert held["meta"]["command"] == "jevons cost --gpu h20"


def test_modules_name_one_another_by_the_prefix_that_the_import_map_has() -> None:
    names = {path.name for path in modules()}
    assert {"app.js", "chart.js", "echarts.js", "preact.js"} <= names
    for path in modules():
        if "vendor" in path.parts:
            continue
        for target in re.findall(r'from "([^"]+)"', path.read_text(encoding="utf-8")):
            assert target.startswith("jevons/"), (path.name, target)


def test_a_page_of_a_result_of_the_library_needs_no_input() -> None:
    assert "frozen" in result_page(jevons.cost("h20"))


@pytest.mark.slow
def test_the_folder_of_a_service_is_gone_when_it_is_told_to_end(tmp_path) -> None:
    code = "import jevons; jevons.serve(port=0, no_open=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert process.stderr is not None
    assert "http://127.0.0.1:" in process.stderr.readline()
    time.sleep(1)
    assert list(tmp_path.glob("jevons-web-*"))
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stderr.close()
    assert not list(tmp_path.glob("jevons-web-*"))


def test_a_page_is_written_in_the_language_that_is_asked(tmp_path) -> None:
    result = jevons.cost("h20")
    result.save(tmp_path / "x.html", language="zh")
    assert '<html lang="zh-CN">' in (tmp_path / "x.html").read_text(encoding="utf-8")
    with pytest.raises(jevons.InputError, match="fr: unknown; give en or zh"):
        result.to_html(language="fr")


def test_a_notebook_shows_the_page_in_a_frame_and_text_where_frames_are_cut_out() -> None:
    shown = jevons.cost("h20")._repr_html_()
    assert shown.startswith("<iframe srcdoc=")
    assert "jevons/app.js" in shown
    text = shown[shown.index("</iframe>") :]
    assert "<table>" in text
    assert "<script" not in text

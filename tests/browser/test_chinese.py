"""Every kind of result as a Chinese page in a browser: what is drawn, labelled and told is Chinese."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chinese import english
from result_kinds import MAKERS, made

OWN = ("A small cloud", "shops", "chat", "small", "large", "perf overview", "jevons compare", "boom", "bust")
"""Names in the scenario and in the measured rows of the tests, a command and its cases."""
TEXTS = """() => {
  for (const one of document.querySelectorAll("details")) one.open = true;
  for (const one of document.querySelectorAll(".tables table, .full")) one.remove();
  const quoted = (e) => e.closest("pre, code, script, style, title, [lang=en]:not(html), .chart-tools");
  const texts = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (!quoted(walk.currentNode.parentElement)) texts.add(walk.currentNode.textContent.trim());
  for (const name of ["aria-label", "title", "placeholder"])
    for (const e of document.querySelectorAll(`[${name}]`)) if (!quoted(e)) texts.add(e.getAttribute(name));
  return [...texts].filter(Boolean);
}"""


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "read"])
def test_charts_labels_and_messages_of_a_chinese_page_are_chinese(chromium: Any, tmp_path: Path, name: str) -> None:
    file = tmp_path / "x.html"
    made(name).save(file, language="zh")
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    try:
        page = context.new_page()
        page.goto(file.as_uri())
        page.locator("#answer").wait_for()
        page.wait_for_timeout(300)
        assert page.evaluate("jevonsMissingWords()") == []
        left = {text: words for text in page.evaluate(TEXTS) if (words := english(text, *OWN))}
        assert left == {}
    finally:
        context.close()

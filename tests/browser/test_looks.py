"""Main screens beside pictures kept of them: languages, widths and themes; `--refresh-golden` keeps new ones.

Pictures are compared at a quarter of their size, so that fonts, hinting and the last digit of a figure do not count.
Sentences of an answer stand on one line each, cut at its end: a figure with one digit more must not move all below it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")

KEPT = Path(__file__).parent / "looks"
LOOKS = [(1440, "en", "light"), (390, "zh", "dark"), (390, "en", "light"), (1440, "zh", "dark")]
SCREENS = {
    "start": "start", "size": "size?model=llama-3.1-8b&gpu=h100_sxm&rate=10", "choice": "choice?gpu=h20",
    "plan": "plan", "facts": "facts?q=h20",
}  # fmt: skip
ONE_LINE = """() => document.querySelectorAll(".answer :is(h1, p)").forEach(
    (one) => Object.assign(one.style, { whiteSpace: "nowrap", overflow: "hidden" }))"""
SHARE, LEVELS = 0.04, 40
"""Share of cells that may differ, and the grey levels of 256 from which a cell does."""


def small(picture: bytes) -> Image.Image:
    """Return a picture in grey at a quarter of its size."""
    whole = Image.open(io.BytesIO(picture)).convert("L")
    return whole.resize((whole.width // 4, whole.height // 4), Image.Resampling.BOX)


def unlike(one: Image.Image, other: Image.Image) -> float:
    """Return the share of cells that differ; all of them where the sizes do."""
    if one.size != other.size:
        return 1.0
    soft = [np.asarray(p.resize((p.width // 2, p.height // 2), Image.Resampling.BOX), float) for p in (one, other)]
    return float((np.abs(soft[0] - soft[1]) > LEVELS).mean())


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("width", "language", "theme"), LOOKS)
def test_a_screen_looks_as_it_did(
    window: Callable, request: pytest.FixtureRequest, tmp_path: Path, screen: str, width: int, language: str, theme: str
) -> None:
    one = window(width=width, language=language, theme=theme, reduced_motion="reduce")
    one.open(SCREENS[screen])
    page = one.done()
    if screen == "plan" and width > 500:
        page.get_by_role("slider").first.wait_for()
    page.locator(".banner:not(.own)").wait_for(state="detached")
    page.evaluate(ONE_LINE)
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.wait_for_timeout(300)
    seen = small(page.screenshot())
    kept = KEPT / f"{screen}-{width}-{language}-{theme}.png"
    if request.config.getoption("--refresh-golden"):
        KEPT.mkdir(exist_ok=True)
        seen.quantize(16).save(kept, optimize=True)
    before = Image.open(kept).convert("L")
    share = unlike(before, seen)
    if share > SHARE:
        seen.save(tmp_path / kept.name)
    assert share <= SHARE, f"{100 * share:.1f} % of {kept.name} differs; seen: {tmp_path / kept.name}"


def test_other_screens_themes_and_languages_would_be_noticed() -> None:
    kept = {path.stem: Image.open(path).convert("L") for path in KEPT.glob("*.png")}
    assert len(kept) == len(SCREENS) * len(LOOKS)
    for one, other in (
        ("start-1440-en-light", "size-1440-en-light"), ("plan-1440-en-light", "plan-1440-zh-dark"),
        ("size-390-en-light", "choice-390-en-light"), ("plan-390-en-light", "facts-390-en-light"),
    ):  # fmt: skip
        assert unlike(kept[one], kept[other]) > SHARE, (one, other)

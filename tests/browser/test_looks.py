"""Twelve screens beside pictures kept of them: languages, widths and themes; `--refresh-golden` keeps new ones.

The service's answers are kept too and given as they were, the clock stands still, and nothing moves: a picture shows
the page alone. A picture is compared at half its size. Where text is drawn as it was when the pictures were kept,
0.2 % of it may differ. Another machine has other fonts or draws them otherwise; there a picture is compared as a coarse
one, and 4 % may differ. Which of the two holds is told by a line of text drawn in each font of the page.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jevons.web.frozen import frozen_page
from jevons.web.inputs import versions
from kept_replies import Replies

Image = pytest.importorskip("PIL.Image")

KEPT = Path(__file__).parent / "looks"
LOOKS = [(1440, "en", "light"), (390, "zh", "dark"), (390, "en", "light"), (1440, "zh", "dark")]
LLAMA = "model=llama-3.1-8b&gpu=h100_sxm"
TRAIN = "%23%2Ftrain%3Fmodel%3Dllama-3.1-8b%26tokens%3D15B%26gpus%3D"
SCREENS = {
    "start": "start", "size": f"size?{LLAMA}&rate=10", "launch": f"size?{LLAMA}&rate=10",
    "source": f"size?{LLAMA}&rate=10", "refused": f"size?{LLAMA}&rate=10&tpot=0.001", "choice": "choice?gpu=h20",
    "replay": "replay?requests=1000", "train": "train?model=llama-3.1-8b&gpus=64&tokens=15B&scale_to=256",
    "plan": "plan", "compare": f"compare?a={TRAIN}64&b={TRAIN}128", "facts": "facts?q=h20", "report": "",
}  # fmt: skip
TODAY = "2026-11-30T12:00:00Z"
PROBE = """<p style="font: 16px/1.5 system-ui, sans-serif">Rag 0123,456 [7.8] 规划·预填充 ▲▼◐</p>
<p style="font: 14px/1.5 ui-monospace, monospace">--tp 8 0Ol1</p>
<svg><text y="20" font-size="12">TTFT 规划</text></svg>"""
LEVELS, SHARE, COARSE = 40, 0.002, 0.04
"""Levels of 256 from which a cell differs, and the share of cells that may, where text is drawn alike and elsewhere."""


def half(picture: bytes) -> Image.Image:
    """Return a picture at half its size."""
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    return whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BOX)


def unlike(one: Image.Image, other: Image.Image, shrink: int = 1) -> float:
    """Return the share of cells that differ in a colour; all of them where the sizes do."""
    if one.size != other.size:
        return 1.0
    size = (one.width // shrink, one.height // shrink)
    cells = [np.asarray(p.convert("RGB").resize(size, Image.Resampling.BOX), float) for p in (one, other)]
    return float((np.abs(cells[0] - cells[1]).max(axis=2) > LEVELS).mean())


@pytest.fixture(scope="session")
def drawn_alike(chromium: Any, request: pytest.FixtureRequest) -> bool:
    """Whether text is drawn here as where the pictures were kept."""
    page = chromium.new_page(viewport={"width": 400, "height": 160})
    page.set_content(PROBE)
    seen = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    page.close()
    here, file = hashlib.sha256(seen.tobytes()).hexdigest(), KEPT / "text.sha256"
    if request.config.getoption("--refresh-golden"):
        KEPT.mkdir(exist_ok=True)
        file.write_text(f"{here}\n", encoding="utf-8")
    return file.read_text(encoding="utf-8").strip() == here


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return a function that gives the report of a plan in a language, from the plan that is kept."""
    file, folder = KEPT / "replies" / "report.json.gz", tmp_path_factory.mktemp("report")
    if request.config.getoption("--refresh-golden"):
        import jevons
        from jevons.web.work import document_of
        from places import TINY

        text = json.dumps(document_of(jevons.plan(TINY, draws=12, seed=3, processes=1), whole=True), sort_keys=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    document = json.loads(gzip.decompress(file.read_bytes()))

    def written(language: str) -> Path:
        meta = {"id": "", "kind": "plan", "input": {}, "versions": {**versions(), "facts": "kept"}, "currency": "CNY"}
        page = folder / f"{language}.html"
        page.write_text(frozen_page(document, meta, language=language), encoding="utf-8")
        return page

    return written


def shown(one: Any, screen: str, width: int, report: Callable[[str], Path], language: str) -> Any:
    """Open a screen in the state that its picture shows, and return its page."""
    page = one.page
    if screen == "report":
        page.goto(report(language).as_uri())
        page.locator(".report .plot svg").first.wait_for()
        return page
    one.open(SCREENS[screen])
    one.done()
    page.locator(".banner:not(.own)").wait_for(state="detached")
    if screen == "plan" and width > 500:
        page.get_by_role("slider").first.wait_for()
    if screen == "launch":
        page.get_by_role("tab").first.scroll_into_view_if_needed()
        page.get_by_role("tab", name="Kubernetes").click()
        page.get_by_text("kind: ").first.wait_for()
    if screen == "source":
        page.locator(".answer button.num").first.click()
        page.get_by_role("dialog").get_by_role("list").first.wait_for()
    return page


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("width", "language", "theme"), LOOKS)
def test_a_screen_looks_as_it_did(
    window: Callable, request: pytest.FixtureRequest, tmp_path: Path, drawn_alike: bool, report: Callable[[str], Path],
    screen: str, width: int, language: str, theme: str,
) -> None:  # fmt: skip
    keep = request.config.getoption("--refresh-golden")
    one = window(width=width, language=language, theme=theme, reduced_motion="reduce")
    first = (width, language, theme) == LOOKS[0]  # asks the service anew; the others show the same answers
    file = KEPT / "replies" / f"{screen}.json.gz"
    replies = None if screen == "report" else Replies(file, keep=keep and first)
    if replies is not None:
        replies.serve(one.page.context)
    one.page.clock.set_fixed_time(TODAY)
    page = shown(one, screen, width, report, language)
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    seen = half(page.screenshot(animations="disabled", caret="hide"))
    if replies is not None:
        assert replies.unknown == [], "the page asks what is not kept; look at it, then keep it with --refresh-golden"
        if replies.keep:
            replies.write()
    kept = KEPT / f"{screen}-{width}-{language}-{theme}.png"
    if keep:
        seen.quantize(256).save(kept, optimize=True)
    share = unlike(Image.open(kept), seen, shrink=1 if drawn_alike else 4)
    most = SHARE if drawn_alike else COARSE
    if share > most:
        seen.save(tmp_path / kept.name)
    assert share <= most, f"{100 * share:.2f} % of {kept.name} differs; seen: {tmp_path / kept.name}"


def test_a_word_more_a_button_less_and_another_theme_would_be_noticed() -> None:
    kept = {path.stem: Image.open(path).convert("RGB") for path in KEPT.glob("*.png")}
    assert len(kept) == len(SCREENS) * len(LOOKS)
    for name, picture in kept.items():
        width = 720 if "-1440-" in name else 195
        patch = picture.crop((0, 0, width // 8, 12))
        changed = picture.copy()
        changed.paste(Image.new("RGB", patch.size, (255, 0, 255)), (width // 3, picture.height // 2))
        assert unlike(picture, changed) > SHARE, name
    for one, other in (
        ("start-1440-en-light", "size-1440-en-light"), ("plan-1440-en-light", "plan-1440-zh-dark"),
        ("size-390-en-light", "choice-390-en-light"), ("plan-390-en-light", "facts-390-en-light"),
    ):  # fmt: skip
        assert unlike(kept[one], kept[other], shrink=4) > COARSE, (one, other)

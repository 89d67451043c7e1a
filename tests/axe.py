"""What axe finds wrong for people who read a page with other means than eyes and mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).parent / "browser" / "axe" / "axe.min.js"


def serious_to_axe(page: Any) -> list[tuple[str, str, str]]:
    """Return rule, element and summary of what axe calls serious or critical on an open page.

    Its source is handed over by the browser's debugger, which the page's own policy on scripts leaves in force.
    """
    page.evaluate(_SOURCE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        (v["id"], v["nodes"][0]["html"][:160], v["nodes"][0].get("failureSummary", "")[:200])
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]

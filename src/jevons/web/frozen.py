"""The page's shell, and the page frozen with one result: the same modules inlined, opened from a file, offline."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

STATIC = Path(__file__).with_name("static")
_PREFIX = "jevons/"
_MOST_FLEETS = 60


@functools.cache
def rates() -> dict[str, Any]:
    """Return the exchange rates on file [CNY], with their dates; the page converts shown money by them."""
    from jevons.errors import FactError
    from jevons.facts import default_facts

    known: dict[str, Any] = {"CNY": {"cny": 1.0, "from": None, "fact": None}}
    for currency in ("USD", "EUR"):
        name = f"fx.cny_per_{currency.lower()}"
        try:
            rate = default_facts().get(name)
        except FactError:
            continue
        known[currency] = {"cny": rate.number, "from": str(rate.start), "fact": name}
    return known


@functools.cache
def catalogue_text(language: str) -> str:
    """Return the words of a language as JSON text."""
    return (STATIC / "i18n" / f"{language}.json").read_text(encoding="utf-8")


def modules() -> list[Path]:
    """Return the page's own modules and the vendored ones."""
    return sorted(STATIC.glob("**/*.js"))


def name_of(path: Path) -> str:
    """Return the name by which modules import one another."""
    return _PREFIX + path.relative_to(STATIC).as_posix()


@functools.cache
def _import_map() -> str:
    return json.dumps({"imports": {_PREFIX: "/static/"}}, separators=(",", ":"))


def shell() -> str:
    """Return the document that loads the page."""
    return (
        (STATIC / "index.html")
        .read_text(encoding="utf-8")
        .replace("<!--importmap-->", f'<script type="importmap">{_import_map()}</script>')
    )


def shell_hashes() -> str:
    """Return the hashes of the shell's inline scripts for its content security policy."""
    digest = base64.b64encode(hashlib.sha256(_import_map().encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _script_text(value: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


_LOADER = """
(async () => {
  const packed = JSON.parse(document.getElementById("modules").textContent);
  const imports = {};
  await Promise.all(Object.entries(packed).map(async ([name, text]) => {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const source = await new Response(stream).text();
    imports[name] = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
  }));
  const map = document.createElement("script");
  map.type = "importmap";
  map.textContent = JSON.stringify({imports});
  document.head.append(map);
  const start = document.createElement("script");
  start.type = "module";
  start.textContent = 'import "jevons/app.js";';
  document.body.append(start);
})();
"""


def frozen_page(document: Mapping[str, Any], meta: Mapping[str, Any], *, language: str = "en") -> str:
    """Return a page that shows one result without a service: the answer and tables as text, then the page over it.

    Parameters
    ----------
    document : mapping
        Result, tables, notes and explained figures of a run.
    meta : mapping
        What identifies the run.
    language : str
        ``en`` or ``zh``; the reader may switch.
    """
    packed = {
        name_of(path): base64.b64encode(gzip.compress(path.read_bytes(), 9, mtime=0)).decode() for path in modules()
    }
    languages = {code: json.loads(catalogue_text(code)) for code in ("en", "zh")}
    frozen = {
        "document": _lean(document),
        "meta": dict(meta),
        "language": language,
        "languages": languages,
        "rates": rates(),
    }
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    answer = str(document["result"].get("answer", ""))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>jevons {html.escape(str(meta['kind']))}</title><style>{style}</style></head><body>"
        f'<div id="app"><main class="plain"><h1>{html.escape(answer)}</h1>{_plain_tables(document)}</main></div>'
        f'<script type="application/json" id="frozen">{_script_text(frozen)}</script>'
        f'<script type="application/json" id="modules">{_script_text(packed)}</script>'
        f"<script>{_LOADER}</script></body></html>\n"
    )


def _lean(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without the long lists that no chart shows."""
    result = dict(document["result"])
    for name in ("entries", "infeasible", "left_out"):
        if isinstance(result.get(name), list):
            result[name] = result[name][:_MOST_FLEETS]
    return {**document, "result": result}


def _plain_tables(document: Mapping[str, Any]) -> str:
    from jevons.web.downloads import shown

    parts = []
    for one in document["tables"]:
        if one["detail"]:
            continue
        heads = "".join(
            f"<th>{html.escape(c['label'])}{' [' + html.escape(c['unit']) + ']' if c['unit'] else ''}</th>"
            for c in one["columns"]
        )
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape(shown(cell, c))}</td>" for cell, c in zip(row, one["columns"], strict=True))
            + "</tr>"
            for row in one["rows"][:_MOST_FLEETS]
        )
        caption = f"<caption>{html.escape(one['title'])}</caption>"
        parts.append(
            f'<div class="scroll"><table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        )
    return "".join(parts)


def result_page(result: Any, *, kind: str = "", given: Mapping[str, Any] | None = None) -> str:
    """Return the page of a result of the library, as ``--out x.html`` writes it."""
    from jevons.schema import plain
    from jevons.web.inputs import versions
    from jevons.web.work import document_of

    meta = {
        "id": "", "kind": kind or result.kind, "input": plain(dict(given or {})), "state": "done",
        "versions": versions(), "seed": 0,
    }  # fmt: skip
    return frozen_page(document_of(result), meta)

"""The page's shell, and the page frozen with one result: the same modules inlined, opened from a file, offline."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import html
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jevons.facts.per_facts import per_facts
from jevons.web.wording import LANGUAGES, catalogue, catalogue_text, check_language, scales, term, terms, text_of

__all__ = [
    "STATIC", "catalogue_text", "frozen_page", "modules", "notebook", "rates", "result_page", "shell", "shell_hashes",
]  # fmt: skip

STATIC = Path(__file__).with_name("static")
_PREFIX = "jevons/"
_MOST_FLEETS = 60
_MOST_BYTES = 200_000
"""Of the rows of a table, and of those of a result, in a page, which as a whole has at most 1.2 MB."""


@per_facts()
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
  const unpack = text => {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const imports = {};
  const nodes = document.getElementById("nodes");
  if (nodes) window.jevonsNodes = JSON.parse(await unpack(nodes.textContent));
  await Promise.all(Object.entries(packed).map(async ([name, text]) => {
    imports[name] = URL.createObjectURL(new Blob([await unpack(text)], {type: "text/javascript"}));
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


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


@functools.cache
def _packed_modules() -> str:
    return _script_text({name_of(path): _packed(path.read_bytes()) for path in modules()})


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

    Raises
    ------
    InputError
        If the language is another.
    """
    from jevons.deploy import target_titles

    check_language(language)
    frozen = {
        "document": {**_lean(document), "nodes": {}},
        "meta": dict(meta),
        "language": language,
        "languages": {code: catalogue(code) for code in LANGUAGES},
        "terms": terms(),
        "rates": rates(),
        "scales": scales(),
        "targets": target_titles(),
    }
    nodes = _packed(json.dumps(document["nodes"], ensure_ascii=False, separators=(",", ":")).encode())
    style = (STATIC / "style.css").read_text(encoding="utf-8")
    title = str(document["result"].get("scenario") or meta["kind"])
    return (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>jevons · {html.escape(title)}</title><style>{style}</style></head><body>"
        f'<div id="app"><main class="plain">{_plain(document, language)}</main></div>'
        f'<script type="application/json" id="frozen">{_script_text(frozen)}</script>'
        f'<script type="text/plain" id="nodes">{nodes}</script>'
        f'<script type="application/json" id="modules">{_packed_modules()}</script>'
        f"<script>{_LOADER}</script></body></html>\n"
    )


def _plain(document: Mapping[str, Any], language: str) -> str:
    """Return what is read where no scripts run: the answer, what was found, and the tables."""
    findings = document.get("findings")
    if not findings:
        spoken = (document.get("said") or {}).get(language) or document["result"].get("answer", "")
        answer = html.escape(str(spoken))
        changes = "".join(f"<li>{html.escape(text)}</li>" for text in document.get("change", {}).get(language, ()))
        head = html.escape(catalogue(language)["report.change"])
        below = f"<h2>{head}</h2><ul>{changes}</ul>" if changes else ""
        return f'<p class="brand">jevons</p><h1>{answer}</h1>{below}{_plain_tables(document, language)}'
    first, pays, jevons = (text_of(sentence, language) for sentence in findings["answer"])
    join, stop = ("；", "。") if language == "zh" else ("; ", ".")
    jevons = jevons if language == "zh" else jevons[0].lower() + jevons[1:]
    parts = [
        '<p class="brand">jevons</p>',
        f"<h1>{html.escape(text_of(findings['question'], language))}</h1>",
        f"<p>{html.escape(f'{first} {pays}{join}{jevons}{stop}')}</p>",
    ]
    for section in findings["sections"]:
        parts.append(f"<h2>{html.escape(text_of(section['heading'], language))}</h2>")
        parts += [f"<p>{html.escape(text_of(text, language))}</p>" for text in section["text"]]
    return "".join(parts) + _plain_tables(document, language)


def _fitting(rows: Sequence[Any], most_bytes: int) -> list[Any]:
    """Return the first rows that are at most so many bytes of JSON."""
    sizes = itertools.accumulate(len(json.dumps(row, ensure_ascii=False, default=str)) for row in rows)
    return [row for row, size in zip(rows, sizes, strict=True) if size <= most_bytes]


def _lean(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without the long lists that no chart shows; tables of many rows say how many they leave out."""
    result = dict(document["result"])
    if isinstance(result.get("rows"), list):
        result["rows"] = _fitting(result["rows"], _MOST_BYTES)
    tables = []
    for table in document["tables"]:
        rows = _fitting(table["rows"], _MOST_BYTES)
        tables.append({**table, "rows": rows, "left": table.get("left", 0) + len(table["rows"]) - len(rows)})
    for name in ("entries", "infeasible", "left_out"):
        if isinstance(result.get(name), list):
            result[name] = result[name][:_MOST_FLEETS]
    return {**document, "result": result, "tables": tables}


def _plain_tables(document: Mapping[str, Any], language: str) -> str:
    from jevons.web.downloads import shown

    parts = []
    for table in document["tables"]:
        if table["detail"]:
            continue
        units = [f" [{html.escape(term(c['unit'], language))}]" if c["unit"] else "" for c in table["columns"]]
        sides = ["" if c["text"] else ' class="right"' for c in table["columns"]]
        heads = "".join(
            f"<th{side}>{html.escape(term(c['label'], language))}{unit}</th>"
            for c, unit, side in zip(table["columns"], units, sides, strict=True)
        )
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td{side}>{html.escape(shown(cell, c) if c['quoted'] else term(shown(cell, c), language))}</td>"
                for cell, c, side in zip(row, table["columns"], sides, strict=True)
            )
            + "</tr>"
            for row in table["rows"][:_MOST_FLEETS]
        )
        caption = f"<caption>{html.escape(term(table['title'], language))}</caption>"
        parts.append(
            f'<div class="scroll"><table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        )
    return "".join(parts)


def result_page(
    result: Any, *, kind: str = "", given: Mapping[str, Any] | None = None, language: str = "en", whole: bool = True
) -> str:
    """Return the page of a result: *whole* as ``--out x.html`` writes it, or without what takes seconds."""
    check_language(language)
    from jevons.schema import plain
    from jevons.web.inputs import versions
    from jevons.web.work import document_of

    scenario = getattr(result, "scenario", None)
    meta = {
        "id": "", "kind": kind or result.kind, "input": plain(dict(given or {})), "state": "done",
        "versions": versions(), "seed": getattr(result, "seed", 0) or 0,
        "currency": str(getattr(result, "currency", "") or getattr(scenario, "currency", "")),
        "share": getattr(getattr(scenario, "firm", None), "share", ""), "command": result.command_line,
    }  # fmt: skip
    return frozen_page(document_of(result, whole=whole), meta, language=language)


def notebook(result: Any) -> str:
    """Return the page of a result in a frame of its own, for a notebook."""
    page = html.escape(result_page(result, whole=False), quote=True)
    return (
        f'<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads allow-popups" '
        f'title="{html.escape(result.answer[:200], quote=True)}" width="100%" height="640" style="border:0"></iframe>'
    )

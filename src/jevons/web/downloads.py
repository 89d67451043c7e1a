"""A run as files: its JSON, tables as CSV and Markdown, the question as YAML and Python, the page with its data."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from jevons.errors import InputError, did_you_mean

ENDINGS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
    "yaml": "application/yaml; charset=utf-8",
    "py": "text/x-python; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}


def as_json(document: Mapping[str, Any]) -> str:
    """Return the function's JSON, as the command line prints it."""
    from jevons.schema import json_text

    return json_text(document["result"])


def as_csv(document: Mapping[str, Any], name: str = "") -> str:
    """Return a table of raw numbers: the first where none is named.

    Raises
    ------
    InputError
        If the run has no such table.
    """
    from jevons.files import safe_cell

    tables = {table["name"]: table for table in document["tables"]}
    if not tables:
        message = "table: this run has no tables; download its .json"
        raise InputError(message)
    if name and name not in tables:
        message = f"table {name[:60]}: unknown.{did_you_mean(name, tables)} Known: {', '.join(tables)}."
        raise InputError(message)
    chosen = tables[name or next(iter(tables))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column["name"] for column in chosen["columns"]])
    writer.writerows(
        ["" if c is None else safe_cell(c) if isinstance(c, str) else c for c in row] for row in chosen["rows"]
    )
    return out.getvalue()


def shown(cell: Any, column: Mapping[str, Any]) -> str:
    """Return a cell as people read it, and as a terminal shows it."""
    from jevons.results import Column

    if isinstance(cell, float) and not math.isfinite(cell):
        return "–"
    form = {name: column[name] for name in ("scale", "digits", "form")}
    return Column(column["name"], column["label"], column["unit"], **form).shown(cell)


def as_markdown(document: Mapping[str, Any]) -> str:
    """Return the answer and the tables as Markdown."""
    lines = [str(document["result"].get("answer", "")), ""]
    for table in document["tables"]:
        if table["detail"]:
            continue
        heads = [f"{c['label']} [{c['unit']}]" if c["unit"] else c["label"] for c in table["columns"]]
        lines += [f"**{table['title']}**", "", f"| {' | '.join(heads)} |"]
        lines.append("|" + "|".join("---" if c["text"] else "---:" for c in table["columns"]) + "|")
        for row in table["rows"]:
            cells = [shown(cell, c).replace("|", "\\|") for cell, c in zip(row, table["columns"], strict=True)]
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join([*lines, *document["notes"]])


def as_yaml(meta: Mapping[str, Any]) -> str:
    """Return the question as YAML, with what its answer rests on."""
    from ruamel.yaml import YAML

    out = io.StringIO()
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(
        {"kind": meta["kind"], "input": json.loads(json.dumps(meta["input"])), "versions": dict(meta["versions"])}, out
    )
    return out.getvalue()


def as_python(meta: Mapping[str, Any]) -> str:
    """Return the question as a Python program."""
    kind, given = meta["kind"], dict(meta["input"])
    lines: list[str] = []
    own = given.pop("facts", None)
    head = ["import jevons", ""]
    if kind == "plan":
        name, changes = given.pop("scenario", ""), given.pop("set", None)
        lines.append(f'scenario = jevons.load("scenarios/{name}.yaml")')
        if changes:
            lines.append(f"scenario = scenario.with_values({changes!r})")
        given.setdefault("draws", 0)
        rest = "".join(f", {key}={value!r}" for key, value in given.items())
        lines.append(f"result = jevons.plan(scenario{rest})")
    elif kind == "compare":
        for side in ("a", "b"):
            question = given[side]
            rest = ", ".join(f"{key}={value!r}" for key, value in question["input"].items())
            lines.append(f"{side} = jevons.{question['kind']}({rest})")
        lines.append("result = b")
    else:
        if "trace" in given:
            head.insert(0, "# the trace was uploaded to the page; write the path of its file")
        body = "".join(f"    {key}={value!r},\n" for key, value in given.items())
        lines.append(f"result = jevons.{kind}(\n{body})")
    if own:
        asked_lines = [f"    {line}" for part in lines for line in part.splitlines()]
        lines = [f"with jevons.facts.changed({own!r}):", *asked_lines]
    return "\n".join([*head, *lines, "print(result.answer)", ""])


_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date of a packed file, so that the same files give the same bytes."""


def as_zip(files: Sequence[Mapping[str, str]], folder: str) -> bytes:
    """Return files, each ``{name, text}``, packed into a folder; scripts may be run where they are unpacked."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            entry = zipfile.ZipInfo(f"{folder}/{file['name']}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if file["name"].endswith(".sh") else 0o644) << 16
            packed.writestr(entry, file["text"])
    return out.getvalue()

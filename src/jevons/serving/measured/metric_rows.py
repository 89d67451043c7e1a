"""Tables of AIPerf and genai-perf, a row for each metric and a column for each statistic, as their JSON has them."""

from __future__ import annotations

import re
from typing import Any

from jevons.files import csv_lines
from jevons.serving.measured.types import finite

_TITLE = re.compile(r"(?P<name>[^()]+?)\s*(?:\((?P<unit>[^()]*)\))?\s*$")


def is_metric_rows(text: str) -> bool:
    """Return whether a text is such a table.

    Examples
    --------
    >>> is_metric_rows("Metric,avg,min,max,p99"), is_metric_rows("ttft,tpot")
    (True, False)
    """
    return bool(re.match(r"\s*\"?Metric\"?\s*,\s*\"?(?:avg|mean|Value|sum|min)\b", text))


def metric_record(text: str, file: str = "table") -> dict[str, Any]:
    r"""Return the record that the JSON of the same run would be: statistics and unit of each metric by its name.

    Examples
    --------
    >>> metric_record('Metric,avg,p99\nTime to First Token (ms),"1,290.5",2000\n')["time_to_first_token"]["avg"]
    1290.5
    """
    record: dict[str, Any] = {}
    titles: list[str] = []
    for _, row in csv_lines(file, text):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if cells[0] == "Metric":
            titles = ["avg" if title == "Value" else title for title in cells[1:]]
            continue
        title = _TITLE.match(cells[0])
        if title is None or not titles:
            continue
        name = re.sub(r"[^a-z0-9]+", "_", title["name"].lower()).strip("_")
        values = {key: finite(cell.replace(",", "")) for key, cell in zip(titles, cells[1:], strict=False) if cell}
        record[name] = {"unit": title["unit"] or "", **values}
    return record

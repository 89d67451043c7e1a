"""Writes a scenario for a new firm: what is its own, with its region behind it."""

from __future__ import annotations

import datetime as dt
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jevons.errors import Fault, InputError
from jevons.facts import get
from jevons.files import target_problem, writing
from jevons.files.write import shown_name
from jevons.hardware import accelerator
from jevons.results import Cell, Column, Result, Table, table
from jevons.schema import parse_yaml
from jevons.study.scenario.load import load
from jevons.study.scenario.market import SegmentSpec
from jevons.study.scenario.region import region_currency, region_devices, region_sections
from jevons.study.scenario.scenario import Scenario
from jevons.units import CURRENCIES, with_code
from jevons.words import Sentence

_FLAGS = {
    "firm": "'Neo'", "budget": "'2 bn USD'", "revenue": "'200 mn USD'", "net_cash": "'-1 bn USD'", "shares": "'300 mn'",
    "share_price": "'30 USD'",
}  # fmt: skip
"""Figures that a firm must state, and an example of each."""
_AS_MATURE = "judgement: that of a mature cloud of the region, `finance.terminal_margin`"
_MONEY = frozenset({"budget", "revenue", "net_cash", "share_price"})


@dataclass(frozen=True, kw_only=True, repr=False)
class NewResult(Result):
    """What `jevons.new` returns.

    Parameters
    ----------
    scenario : Scenario
        As read back from the file.
    file : str
        Where it was written.
    """

    kind: ClassVar[str] = "new"
    scenario: Scenario
    file: str

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """Where the scenario is, what stands behind it, and what to run."""
        values = {
            "file": self.file, "firm": self.scenario.firm.name, "currency": self.scenario.currency,
            "others": f"{len(self.scenario.amounts()) - len(self._own())}", "region": self.scenario.region,
        }  # fmt: skip
        return (Sentence("new.holds", values),)

    @property
    def note_parts(self) -> tuple[Sentence, ...]:
        """What is assumed of the sale of calls, where the region has callers."""
        segments = self.scenario.market.segments.items()
        sold = [name for name, one in segments if not one.rents and not one.internal and one.share.value > 0]
        if not sold:
            return ()
        part = get("assumption.calls_revenue_frac").number
        return (Sentence("new.calls", {"part": f"{100 * part:.0f}", "path": f"market.segments.{sold[0]}.share"}),)

    def _own(self) -> dict[str, Any]:
        text = Path(self.file).read_text(encoding="utf-8")
        return dict(_leaves(parse_yaml(text, self.file).root, ""))

    def _tables(self) -> Iterator[Table]:
        rows: list[tuple[Cell, ...]] = [
            (path, "as the region has it" if value is None else str(value)) for path, value in self._own().items()
        ]
        yield table("own", "What the file states of its own", (Column("path", "path"), Column("value", "value")), rows)

    def _document(self) -> dict[str, Any]:
        """Return where the file is and what it states."""
        return {
            "answer": self.answer, "file": self.file, "region": self.scenario.region,
            "own": {path: str(value) for path, value in self._own().items()},
        }  # fmt: skip


def _leaves(section: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(section, Mapping):
        for name, item in section.items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    else:
        yield path, section


def write_new(
    path: Path,
    figures: Mapping[str, str | None],
    *,
    region: str,
    currency: str | None,
    as_of: dt.date | None,
    quarters: int,
    installed: Sequence[str],
    overwrite: bool,
) -> NewResult:
    """Write a scenario of a new firm, and read it back.

    Parameters
    ----------
    path : Path
        File to write, ``.yaml``.
    figures : mapping of str to str
        ``firm``, ``budget``, ``revenue``, ``net_cash``, ``shares`` and ``share_price`` as text with units.
    region, currency : str
        Region; and the currency, where None that of the amounts, and where they name none that of the region.
    as_of : date, optional
        Date of the information; today by default.
    quarters : int
        Quarters of the plan, from the one after that date on.
    installed : sequence of str
        ``DEVICE=NUMBER`` each.
    overwrite : bool
        Whether a file that is there is replaced.

    Raises
    ------
    InputError
        If a figure is missing or none, or the file is there.
    """
    if path.suffix.lower() not in {".yaml", ".yml"}:
        message = f"{path}: the ending must be .yaml"
        raise InputError(message)
    problem = target_problem(path, force=True)
    if problem:
        raise InputError(Fault(message=problem, file=shown_name(path)))
    if path.exists() and not overwrite:
        message = f"{path}: is there already; give another name, or --overwrite"
        raise InputError(message)
    missing = [name for name in _FLAGS if not (figures.get(name) or "").strip()]
    if missing:
        shown = ", ".join(f"--{name.replace('_', '-')} (such as {_FLAGS[name]})" for name in missing)
        message = f"{len(missing)} {'figures are' if len(missing) > 1 else 'figure is'} missing: {shown}"
        if {"shares", "share_price"} & set(missing):
            message += (
                "; an unlisted firm gives any number of shares, and the price that its last valuation makes of it"
            )
        raise InputError(message)
    coded = {name: with_code(str(value)) if name in _MONEY else str(value) for name, value in figures.items()}
    currency = currency or _currency_of(coded) or region_currency(region)
    text = _text(coded, region, currency, as_of or dt.date.today(), quarters, installed)  # noqa: DTZ011 - a calendar day
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "scenario.yaml"
        draft.write_text(text, encoding="utf-8")
        try:
            text += _own_shares(load(draft))
            draft.write_text(text, encoding="utf-8")
            scenario = load(draft)
        except InputError as error:
            message = str(error).replace(str(draft), str(path))
            raise InputError(message) from None
    with writing(path, force=True) as stream:
        stream.write(text)
    return NewResult(scenario=scenario, file=str(path))


def _currency_of(figures: Mapping[str, str]) -> str:
    """Return the currency of the firm's accounts by its amounts; empty where they name none.

    The share may trade in another one, so that its price does not count.
    """
    named: dict[str, str] = {}
    for name in sorted(_MONEY - {"share_price"}):
        code = next((word for word in re.findall(r"[A-Z]{3}", figures[name]) if word in CURRENCIES), "")
        if code:
            named.setdefault(code, name)
    if len(named) > 1:
        shown = ", ".join(f"--{name.replace('_', '-')} {figures[name]}" for name in named.values())
        message = f"{shown}: amounts in {len(named)} currencies; say with --currency which one the scenario is in"
        raise InputError(message)
    return next(iter(named), "")


def _own_shares(scenario: Scenario) -> str:
    """Return the firm's share of each segment as text: the region's, cut so that calls bring no more than half of AI.

    What calls bring at the start is adopters times calls times tokens at list price; rented uses open at the rest of
    AI revenue whatever their share is.
    """
    calls, lines = 0.0, []
    for segment in scenario.market.segments.values():
        if not segment.rents and not segment.internal:
            calls += _spent_per_quarter_cur(scenario, segment) * segment.share.value
    ai = scenario.market.ai_revenue_share.value * scenario.finance.base_revenue.value
    factor = min(get("assumption.calls_revenue_frac").number * ai / calls, 1.0) if calls > 0 else 1.0
    for name, segment in scenario.market.segments.items():
        if segment.rents or segment.internal:
            lines.append(f"    {name}:")
        else:
            lines.append(f"    {name}: {{share: {segment.share.value * factor:.3g}}}")
    head = "# Shares at which calls bring half of AI revenue at the start; state the firm's own where they are known."
    return "\n".join([head, "market:", "  segments:", *lines, ""])


def _spent_per_quarter_cur(scenario: Scenario, segment: SegmentSpec) -> float:
    """Return what all callers of a segment spend in a quarter at list prices [currency]."""
    price, cached = scenario.serving.models[segment.model].price, segment.cached.value
    asked = segment.input_tokens.value
    call = asked * (1 - cached) * price.input.value + asked * cached * price.cached.value
    call += segment.output_tokens.value * price.output.value
    users = segment.adopters.value * segment.adopted.value
    return users * segment.calls.value * call / 1e6 * 365.25 / 4


def _text(
    figures: Mapping[str, str],
    region: str,
    currency: str,
    as_of: dt.date,
    quarters: int,
    installed: Sequence[str],
) -> str:
    """Return the file: ten figures with a word on each, and how to say more."""
    quarter = (as_of.month + 2) // 3
    start = f"{as_of.year + quarter // 4}-Q{quarter % 4 + 1}"
    devices = _devices(region, as_of, installed)
    site = next(iter(region_sections(region)["hardware"]["sites"]))
    drawn_mw = sum(count * accelerator(name).server_w for name, count in devices) / 1e6
    power = get("assumption.site_headroom").number * drawn_mw
    lines = "\n".join(f"    {name}: {{installed: {count:g}}}" if count else f"    {name}:" for name, count in devices)
    spend = figures["budget"]
    return f"""\
# A scenario of {_quoted(figures["firm"])}. What it leaves out is its region's;
# `jevons plan FILE --dry-run` lists every value.
# A figure is a number with a unit, a fact ({{fact: ID}}), or {{low: , mode: , high: , source: }}.
name: {_quoted(f"{figures['firm']}, {spend} over {quarters} quarters")}
as_of: {as_of}
currency: {currency}
region: {region}
firm: {{name: {_quoted(figures["firm"])}}}
start: {start}
quarters: {quarters}
hardware:
  sites:
    {site}: {{power: {power:.4g} MW}}
  # Accelerators that stand and can be bought; `supply: NUMBER` says how many in the first quarter.
  devices:
{lines}
expansion:
  budget: {spend}
  budget_quarters: {quarters}
  budget_first: {_part(spend, quarters)}
finance:
  # What AI earns above the usual margin goes in part into staff, research and discounts.
  reinvested: {{fact: assumption.reinvested_frac}}
  base_margin: {_usual_margin(region)}
  base_revenue: {figures["revenue"]}
  net_cash: {figures["net_cash"]}
  shares: {figures["shares"]} shares
  share_price: {figures["share_price"]}
"""


def _usual_margin(region: str) -> str:
    """Return the region's margin of a mature cloud as the usual one, as text."""
    mature = region_sections(region)["finance"]["terminal_margin"]
    ends = ", ".join(f"{end}: {mature[end]}" for end in ("low", "mode", "high"))
    return f"{{{ends}, source: {_quoted(_AS_MATURE)}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _part(budget: str, quarters: int) -> str:
    """Return an even quarter of the budget, in the budget's own unit."""
    match = re.fullmatch(r"\s*\+?([\d.,_]+)\s*(.*)", budget)
    if match is None:
        return budget
    return f"{float(re.sub('[,_]', '', match[1])) / quarters:.6g} {match[2]}"


def _devices(region: str, as_of: dt.date, installed: Sequence[str]) -> list[tuple[str, float]]:
    """Return the devices that stand, with their numbers, and those of the region that can be bought."""
    shared = region_devices(region, as_of)
    stated: dict[str, float] = {}
    for entry in installed:
        name, equals, count = entry.partition("=")
        try:
            number = float(count.replace(",", "").replace("_", ""))
        except ValueError:
            number = -1.0
        if not equals or not 0 <= number < 1e9:
            message = f"--installed {entry}: write it as DEVICE=NUMBER, such as h100_sxm=20000"
            raise InputError(message)
        device = accelerator(name.strip()).id
        if device not in shared:
            message = (
                f"--installed {entry}: region `{region}` prices {', '.join(shared)} on {as_of}; add others in the file"
            )
            raise InputError(message)
        if device in stated:
            message = f"--installed {entry}: {device} is given twice; give one number"
            raise InputError(message)
        stated[device] = number
    return [(name, stated.get(name, 0.0)) for name in shared]

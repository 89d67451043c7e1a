"""Nothing in a scenario leans on what was published after its date."""

import calendar
import datetime as dt
import re

import pytest

from jevons.study import load
from places import ROOT

MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}
NUMBERED = re.compile(r"\b(20\d\d)-(0[1-9]|1[0-2])(?:-(\d\d))?\b")
NAMED = re.compile(rf"\b({'|'.join(MONTHS)})(?: of)? (20\d\d)\b")
FISCAL = re.compile(
    r"\b(?:fiscal |FY)(20\d\d)\b(?! by the date)"
)  # Alibaba's year, to 31 March: told about six weeks later


def months_named(text):
    yield from ((int(year), int(month)) for year, month, _ in NUMBERED.findall(text))
    yield from ((int(year), MONTHS[name]) for name, year in NAMED.findall(text))
    yield from ((int(year), 5) for year in FISCAL.findall(text))


def test_months_are_read_in_all_their_forms():
    text = "published 2025-12-31, in March of 2025 and May 2024; fiscal 2025; 2,025 cards"
    assert sorted(set(months_named(text))) == [(2024, 5), (2025, 3), (2025, 5), (2025, 12)]


NAMES = ("alibaba-380bn", "alibaba-2026", "bytedance-160bn", "cluster-100k", "coreweave", "meta",
         "microsoft-openai", "nebius", "tencent")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_judgement_names_a_later_source(name):
    scenario = load(ROOT / "scenarios" / f"{name}.yaml")
    last = (scenario.as_of.year, scenario.as_of.month)
    late = {
        path: amount.source
        for path, amount in scenario.amounts().items()
        if amount.grade == "judgement" and any(month > last for month in months_named(amount.source))
    }
    assert late == {}


def test_facts_of_the_main_scenario_were_public_at_its_date():
    scenario = load(ROOT / "scenarios" / "alibaba-380bn.yaml")
    assert scenario.as_of == dt.date(2025, 2, 24)
    facts = {a.origin for a in scenario.amounts().values() if a.origin not in {"given", "default"}}
    assert len(facts) > 100

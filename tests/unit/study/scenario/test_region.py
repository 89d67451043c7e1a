"""A region states once what the scenarios of its firms share."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from tests.places import ROOT

from jevons.schema import parse_yaml
from jevons.study.scenario.region import region_sections

SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def repeated(own: Mapping[str, Any], shared: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths of figures that a scenario and its region state alike."""
    for key, value in own.items():
        if key not in shared:
            continue
        here = f"{path}.{key}".strip(".")
        if value == shared[key]:
            yield here
        elif isinstance(value, Mapping) and isinstance(shared[key], Mapping) and not {"fact", "mode"} & set(value):
            yield from repeated(value, shared[key], here)


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_no_shipped_scenario_repeats_what_its_region_states(file):
    scenario = parse_yaml(file.read_text(encoding="utf-8"), file.name).root
    assert list(repeated(scenario, region_sections(scenario["region"]))) == []

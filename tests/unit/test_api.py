"""`import jevons` is fast and gives the public names on first use."""

import subprocess
import sys

import pytest

import jevons


@pytest.mark.parametrize("name", jevons.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(jevons, name) is not None
    assert name in dir(jevons)


def test_unknown_names_raise_as_python_expects():
    with pytest.raises(AttributeError, match="no attribute `nope`"):
        jevons.nope  # noqa: B018


def test_importing_the_package_loads_nothing_else():
    code = "import sys, jevons; print(sorted(m for m in sys.modules if m.startswith('jevons')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['jevons']"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jevons.size("llama-3.1-8b", qps=3), "size() has no argument `qps`. Did you mean `rate`?"),
        (lambda: jevons.simulate("llama-3.1-8b", input_tokens=9), "Did you mean `isl`?"),
        (lambda: jevons.train("llama-2-70b", batch_size=9), "Did you mean `batch`?"),
        (lambda: jevons.size("llama-3.1-8b", dtype="fp8"), "Did you mean `precision`?"),
        (lambda: jevons.operators.gemm("h100", 1, 2, 3), "by place it takes m, n, k; all others are named"),
        (jevons.operators.attention, "missing a required argument: 'batch'"),
    ],
)
def test_arguments_in_other_tools_words_are_answered_with_the_name_here(call, message):
    with pytest.raises(jevons.InputError) as error:
        call()
    assert message in str(error.value)
    assert isinstance(error.value, TypeError)


def test_several_files_may_be_given_as_a_list():
    with pytest.raises(jevons.InputError, match="none.csv"):
        jevons.validate(["none.csv"])


def test_entries_of_the_json_object_are_attributes_of_a_result():
    hour = jevons.cost("h20")
    assert hour.to_json()["energy_kwh_per_h"] == hour.energy_kwh_per_h
    assert "energy_kwh_per_h" in dir(hour)
    with pytest.raises(AttributeError, match=r"no attribute `to_dict`. Use `.to_json\(\)`"):
        hour.to_dict  # noqa: B018 - reading it is the test
    with pytest.raises(AttributeError, match="Did you mean `per_hour`"):
        hour.per_hor  # noqa: B018


def test_a_part_lists_what_is_on_file_when_it_is_called():
    assert jevons.models().answer == jevons.models.list().answer
    assert jevons.facts().answer == jevons.facts.list().answer


def test_tables_are_found_by_name_and_by_place():
    hour = jevons.cost("h20")
    assert hour.tables[0] == hour.tables["hour"]


def test_unknown_names_of_the_package_are_answered_with_near_ones():
    with pytest.raises(AttributeError, match="Did you mean `accelerator`"):
        jevons.accelerators  # noqa: B018


def test_a_scenario_and_its_sections_are_shown_in_few_lines():
    scenario = jevons.load("scenarios/cluster-100k.yaml")
    assert len(repr(scenario).splitlines()) <= 15
    assert "as_of: 2025-02-24" in repr(scenario)
    assert len(repr(scenario.finance)) < 160
    assert len(repr(jevons.size("llama-3.1-8b", static=True).best)) < 160

import pytest

import jevons
from jevons.errors import InputError
from jevons.study.scenario.shelf import shipped_file, shipped_scenarios
from places import MAIN


def test_a_shipped_scenario_is_read_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert jevons.load("alibaba-380bn").name == jevons.load(MAIN).name
    assert shipped_file("alibaba-380bn").samefile(MAIN)
    assert {path.stem for path in MAIN.parent.glob("*.yaml")} == set(shipped_scenarios())


def test_a_file_of_that_name_in_the_folder_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("tencent").write_text("name: [", encoding="utf-8")
    with pytest.raises(InputError, match=r"tencent:2"):
        jevons.load("tencent")


def test_a_near_name_is_offered_and_else_all(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no such file.*`alibaba-380bn`"):
        jevons.load("alibba-380bn")
    with pytest.raises(InputError, match=r"Those that ship: .*tencent"):
        jevons.load("nonsense")

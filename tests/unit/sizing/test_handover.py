"""`jevons size` hands over what people run: commands in JSON, a folder of files with --emit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons
from jevons.errors import InputError
from jevons.sizing.handover import checkpoint_of
from jevons.sizing.result import SizeResult


@pytest.fixture(scope="module")
def sized() -> SizeResult:
    return jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=30, ttft=1.0, static=True, engine="vllm@0.14", seed=3)


def test_every_fleet_has_its_launch_commands(sized: SizeResult) -> None:
    record = json.loads(json.dumps(sized.to_json()))
    for fleet in (record["best"], *record["pareto"], *record["entries"]):
        assert set(fleet["launch"]) == set(fleet["launch_warnings"]) == {"vllm", "sglang", "trtllm"}
        lines = [line for line in fleet["launch"]["vllm"] if line.startswith("vllm serve meta-llama/Llama-3.1-8B-Ins")]
        assert f"--tensor-parallel-size {fleet['layout']['tp']}" in lines[-1]
        assert len(lines) >= 1 + (fleet["prefill_layout"] is not None)
    assert record["best"]["name"] == "A"


def test_files_follow_the_stated_release(sized: SizeResult) -> None:
    for name, text in sized.deployments("vllm").items():
        assert ", vLLM 0.14.1." in text or "router" in name
    assert "vllm/vllm-openai:v0.14.1" in sized.deployments("k8s")["k8s/fleet.yaml"]


def test_a_folder_holds_a_folder_for_each_fleet_shown(sized: SizeResult, tmp_path: Path) -> None:
    sized.emit(tmp_path / "out")
    shown = min(8, len(sized.entries))
    assert len([p for p in (tmp_path / "out").iterdir() if p.is_dir()]) == shown
    readme = (tmp_path / "out" / "A" / "README.md").read_text()
    assert f"{sized.best.accelerators} accelerators in all" in readme
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_text("")
    with pytest.raises(InputError, match="not of jevons"):
        sized.emit(tmp_path / "mine")


def test_the_id_that_was_asked_for_is_served() -> None:
    assert checkpoint_of("llama-3.1-8b", "NousResearch/Meta-Llama-3.1-8B") == "NousResearch/Meta-Llama-3.1-8B"
    assert checkpoint_of("llama-3.1-8b", "llama-3.1-8b") == "meta-llama/Llama-3.1-8B-Instruct"
    assert checkpoint_of("my-model", "configs/my.json") == "my-model"
    assert checkpoint_of("llama-3.1-8b", "4 x tp1 carries 30 req/s") == "meta-llama/Llama-3.1-8B-Instruct"

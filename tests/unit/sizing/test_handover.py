"""`jevons size` hands over what people run: commands in JSON, a folder of files with --emit."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

import jevons
from draws import some
from jevons.errors import InputError
from jevons.sizing.handover import checkpoint_of
from jevons.sizing.result import SizeResult


@pytest.fixture(scope="module")
def sized() -> SizeResult:
    return jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=30, ttft=1.0, static=True, engine="vllm@0.14")


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


@pytest.mark.parametrize("name", some(['$(touch x)`touch y`"', "a\nrm -rf x", "'; x #", "-x", "{x: &a}", "中文"]))
def test_a_name_from_a_file_is_no_code_in_what_is_handed_over(tmp_path: Path, name: str) -> None:
    shipped = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 1024, "intermediate_size": 2816,
        "num_hidden_layers": 12, "num_attention_heads": 16, "num_key_value_heads": 8, "vocab_size": 32000,
        "max_position_embeddings": 8192, "torch_dtype": "bfloat16",
    }  # fmt: skip
    (tmp_path / name).mkdir()
    (tmp_path / name / "config.json").write_text(json.dumps(shipped))
    sized = jevons.size(str(tmp_path / name / "config.json"), gpu="h100_sxm", static=True, isl=500, osl=100)
    model = sized.best.deployment.model.name
    assert "\n" not in model
    plain = checkpoint_of(model)
    assert re.fullmatch(r"[A-Za-z0-9._/:@+][A-Za-z0-9._/:@+-]*", plain)
    script = sized.deployments("vllm")["vllm/serve.sh"]
    assert f'MODEL="${{MODEL:-{plain}}}"' in script
    for line in sized.to_json()["best"]["launch"]["vllm"]:
        assert plain in shlex.split(line)
    sized.emit(tmp_path / "out")
    unsafe = ("$(touch", "`touch", "rm -rf", "'; x", "&a")
    for path in (tmp_path / "out").rglob("*.*"):
        if path.suffix in {".sh", ".yaml"}:
            lines = [line for line in path.read_text().split("\n") if not line.startswith("#")]
            assert not any(text in line for text in unsafe for line in lines), path


def test_a_fleet_of_many_instances_is_pointed_to_discovery() -> None:
    sized = jevons.size("llama-3.1-8b", gpu="h100_sxm", rate=3e5, static=True, isl=500, osl=100)
    assert sized.best.replicas > 256
    record = sized.to_json()["best"]
    assert not any("router" in line for line in record["launch"]["vllm"])
    assert any("service discovery" in warning for warning in record["launch_warnings"]["vllm"])
    assert "--service-discovery" in sized.deployments("k8s")["k8s/fleet.yaml"]


def test_the_id_that_was_asked_for_is_served() -> None:
    assert checkpoint_of("llama-3.1-8b", "NousResearch/Meta-Llama-3.1-8B") == "NousResearch/Meta-Llama-3.1-8B"
    assert checkpoint_of("llama-3.1-8b", "llama-3.1-8b") == "meta-llama/Llama-3.1-8B-Instruct"
    assert checkpoint_of("my-model", "configs/my.json") == "my-model"
    assert checkpoint_of("llama-3.1-8b", "4 x tp1 carries 30 req/s") == "meta-llama/Llama-3.1-8B-Instruct"

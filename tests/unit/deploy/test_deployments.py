"""What is handed over runs what was sized: options of the release, valid YAML, and as many accelerators."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from tests.unit.deploy.schemas import COMPOSE, COMPOSE_SERVICE, faults, manifest_faults

from jevons import models
from jevons.deploy import TARGETS, Handover, Pool, Traffic, deployments, launch_lines, write_files
from jevons.deploy.bench import aiperf, vllm_bench
from jevons.deploy.bundle import every_file
from jevons.deploy.flags import programs, release_of, releases
from jevons.deploy.types import ENGINES
from jevons.deploy.write import folder_problem
from jevons.errors import InputError
from jevons.hardware import accelerator
from jevons.serving import Deployment, Layout, engine
from jevons.sizing.handover import checkpoint_of

TRAFFIC = Traffic(isl=2000, osl=500, rate_req_per_s=10.0, requests=600, cv=1.5, isl_cv=0.3)


VERSIONS = [one.version for name in ("vllm", "sglang") for one in releases(name)]


def _deployment(model: str, gpu: str, layout: Layout, name: str, **more: Any) -> Deployment:
    precision = more.pop("precision", "native")
    return Deployment(
        model=models.load(model), accelerator=accelerator(gpu), layout=layout, precision=precision,
        kv_precision=more.pop("kv_precision", "bf16"), engine=engine(name), **more,
    )  # fmt: skip


def _handover(*pools: Pool, name: str = "vllm", **more: Any) -> Handover:
    return Handover(
        name="fleet-a", answer="It carries the load.", checkpoint="org/Model", pools=pools, traffic=TRAFFIC,
        engine=name, factors={one: engine(one) for one in ENGINES}, **more,
    )  # fmt: skip


def _fleets(name: str) -> dict[str, Handover]:
    wide = Layout(tp=1, ep=16, dp=16, dp_attention=True)
    prompts = Layout(tp=1, ep=8, dp=8, dp_attention=True)
    dense = _deployment("llama-3.1-8b", "h100_sxm", Layout(tp=2), name, precision="fp8", kv_precision="fp8")
    return {
        "dense": _handover(Pool(deployment=dense, replicas=5, max_model_len=8192), name=name),
        "one": _handover(Pool(deployment=dense, replicas=1), name=name),
        "spans": _handover(
            Pool(deployment=_deployment("llama-3.1-405b", "h100_sxm", Layout(tp=8, pp=2), name), replicas=2), name=name
        ),
        "expert": _handover(
            Pool(deployment=_deployment("deepseek-v3", "h200_sxm", wide, name, draft_tokens=1), replicas=2), name=name
        ),
        "pools": _handover(
            Pool(deployment=_deployment("deepseek-v3", "h200_sxm", prompts, name), replicas=3, role="prefill"),
            Pool(deployment=_deployment("deepseek-v3", "h200_sxm", wide, name), replicas=1, role="decode"),
            name=name,
        ),
        "ranks": _handover(
            Pool(deployment=_deployment("qwen3-30b-a3b", "h100_sxm", Layout(tp=2, dp=2), name), replicas=3), name=name
        ),
    }


CASES = [(name, fleet) for name in ENGINES for fleet in _fleets("vllm")]


def _documents(text: str) -> list[Any]:
    return [one for one in YAML(typ="safe").load_all(text) if one]


def _options(line: str) -> list[str]:
    return [word for word in shlex.split(line) if word.startswith("--")]


@pytest.mark.parametrize(("name", "fleet"), CASES)
def test_commands_use_options_of_their_release_alone(name: str, fleet: str) -> None:
    handed = _fleets(name)[fleet]
    for target in ENGINES:
        lines = launch_lines(handed, target)
        assert lines
        for line in lines:
            program = target
            if "router" in line.split(" --", maxsplit=1)[0] or "disaggregated" in line:
                program = f"{target}_router"
            if program == "trtllm_router":
                continue
            release = release_of(program)[0]
            known = release.options | {"ntasks-per-node", "mpi=pmix"}
            assert not [o for o in _options(line) if o.removeprefix("--") not in known], line


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_follow_an_older_release(version: str) -> None:
    name = "sglang" if version.startswith("0.5") else "vllm"
    for handed in _fleets(name).values():
        handed_then = dataclasses.replace(handed, release=version)
        release = release_of(name, version)[0]
        assert release.version == version
        for line in launch_lines(handed_then, name):
            if "router" not in line.split(" --", maxsplit=1)[0]:
                assert all(release.has(option) for option in _options(line)), line


def test_attention_ranks_of_sglang_are_spelled_as_its_release_spells_them() -> None:
    handed = _fleets("sglang")["expert"]
    newest = launch_lines(handed, "sglang")[0]
    older = launch_lines(dataclasses.replace(handed, release="0.5.9"), "sglang")[0]
    assert "--attn-dp-size 16" in newest
    assert "--enable-dp-attention" not in newest
    assert "--dp-size 16 --enable-dp-attention" in older


def test_a_release_that_is_not_on_file_is_said() -> None:
    handed = dataclasses.replace(_fleets("vllm")["one"], release="0.12.0")
    text = deployments(handed, "vllm")["vllm/serve.sh"]
    assert "0.12.0 was asked for and is not on file" in text


@pytest.mark.parametrize(("name", "fleet"), CASES)
def test_accelerators_add_up_in_every_target(name: str, fleet: str) -> None:
    handed = _fleets(name)[fleet]
    counted = {"compose": _composed, "k8s": _on_kubernetes, "dynamo": _on_dynamo, "llmd": _on_kubernetes}
    for target, count in counted.items():
        try:
            files = deployments(handed, target)
        except InputError as error:
            assert str(error).startswith(f"{target}: ")  # noqa: PT017
            continue
        assert count(files) == handed.accelerators, target


def _composed(files: dict[str, str]) -> int:
    total = 0
    for file, text in files.items():
        if not file.endswith(".compose.yaml"):
            continue
        (content,) = _documents(text)
        assert not faults(content, COMPOSE)
        used = 0
        for service in content["services"].values():
            assert not faults(service, COMPOSE_SERVICE)
            if "deploy" in service:
                used += len(service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"])
        assert used == content["x-jevons"]["accelerators"]
        total += used * content["x-jevons"]["servers"]
    return total


def _gpus(pod: dict[str, Any]) -> int:
    limits = [c.get("resources", {}).get("limits", {}) for c in pod["containers"]]
    return sum(int(one.get("nvidia.com/gpu", 0)) for one in limits)


def _on_kubernetes(files: dict[str, str]) -> int:
    total = 0
    for text in (t for f, t in files.items() if f in {"k8s/fleet.yaml", "llmd/modelservers.yaml"}):
        for document in _documents(text):
            assert not manifest_faults(document)
            spec = document.get("spec", {})
            if document["kind"] == "Deployment":
                total += spec["replicas"] * _gpus(spec["template"]["spec"])
            elif document["kind"] == "LeaderWorkerSet":
                group = spec["leaderWorkerTemplate"]
                leader, worker = _gpus(group["leaderTemplate"]["spec"]), _gpus(group["workerTemplate"]["spec"])
                total += spec["replicas"] * (leader + (group["size"] - 1) * worker)
    return total


def _on_dynamo(files: dict[str, str]) -> int:
    total = 0
    for document in _documents(files["dynamo/deployment.yaml"]):
        assert not manifest_faults(document)
        for one in document.get("spec", {}).get("components", ()):
            nodes = one.get("multinode", {}).get("nodeCount", 1)
            total += one["replicas"] * nodes * _gpus(one["podTemplate"]["spec"])
    return total


@pytest.mark.parametrize("name", ENGINES)
def test_workers_of_dynamo_take_options_of_its_release_and_engine(name: str) -> None:
    own = {"vllm": "dynamo_vllm", "trtllm": "dynamo_trtllm"}
    for fleet in _fleets(name).values():
        documents = _documents(deployments(fleet, "dynamo")["dynamo/deployment.yaml"])
        for one in documents[-1]["spec"]["components"][1:]:
            container = one["podTemplate"]["spec"]["containers"][0]
            known = set(release_of(own[name])[0].options) if name in own else set()
            known |= set() if name == "trtllm" else release_of(name)[0].options
            assert not [a for a in container["args"] if a.startswith("--") and a[2:] not in known]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(("name", "fleet"), CASES)
def test_scripts_parse(name: str, fleet: str) -> None:
    for file, text in every_file(_fleets(name)[fleet]).items():
        if file.endswith(".sh"):
            done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
            assert done.returncode == 0, (file, done.stderr)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_a_script_gives_each_instance_its_own_devices_and_port(tmp_path: Path) -> None:
    (tmp_path / "vllm").write_text('#!/bin/sh\necho "$CUDA_VISIBLE_DEVICES $*"\n')
    (tmp_path / "vllm").chmod(0o755)
    script = tmp_path / "serve.sh"
    script.write_text(deployments(_fleets("vllm")["dense"], "vllm")["vllm/serve.sh"])
    done = subprocess.run(
        ["bash", str(script), "4"], text=True, capture_output=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    lines = sorted(done.stdout.splitlines())
    assert [line.split(" ")[0] for line in lines] == ["0,1", "2,3", "4,5", "6,7"]
    assert [line.split("--port ")[1].split(" ")[0] for line in lines] == ["8000", "8001", "8002", "8003"]
    assert all("serve org/Model" in line and "--max-model-len 8192" in line for line in lines)


def test_what_an_engine_cannot_express_is_said() -> None:
    narrow = Layout(tp=4, ep=8, dp=4, dp_attention=True)
    handed = _handover(Pool(deployment=_deployment("deepseek-v3", "h200_sxm", narrow, "vllm"), replicas=1))
    assert (
        "vLLM's expert-parallel size is TP x DP: the command runs ep16" in deployments(handed, "vllm")["vllm/serve.sh"]
    )
    assert "--ep-size 8" in deployments(handed, "sglang")["sglang/serve.sh"]
    assert "attention ranks are single devices" in deployments(handed, "trtllm")["trtllm/serve.sh"]


def test_weights_in_another_precision_are_quantised_or_named() -> None:
    for precision, option, warning in (("fp8", True, False), ("int4", False, True), ("bf16", False, False)):
        one = _deployment("llama-3.1-8b", "h100_sxm", Layout(), "vllm", precision=precision)
        text = deployments(_handover(Pool(deployment=one, replicas=1)), "vllm")["vllm/serve.sh"]
        assert ("--quantization fp8" in text) is option
        assert ("set MODEL to a checkpoint in" in text) is warning


def test_a_server_overlaps_two_batches_where_its_exchanges_were_sized_hidden() -> None:
    wide = _fleets("sglang")["expert"]
    exposed = engine("sglang").replace(ep_overlap_frac=0.0, decode_ep_overlap_frac=0.0)
    told, untold = wide, dataclasses.replace(wide, factors={**wide.factors, "sglang": exposed})
    lines = [launch_lines(handed, "sglang")[0] for handed in (told, untold, _fleets("sglang")["dense"])]
    assert ["--enable-two-batch-overlap" in line for line in lines] == [True, False, False]


def test_vllm_overlaps_two_batches_where_they_were_sized_so() -> None:
    wide = _fleets("vllm")["expert"]
    hidden = engine("vllm").replace(ep_overlap_frac=0.85, decode_ep_overlap_frac=0.85)
    told = dataclasses.replace(wide, factors={**wide.factors, "vllm": hidden})
    lines = [launch_lines(handed, "vllm")[0] for handed in (told, wide)]
    assert ["--enable-dbo" in line for line in lines] == [True, False]


def test_limits_of_sglang_are_of_all_attention_ranks() -> None:
    line = launch_lines(_fleets("sglang")["expert"], "sglang")[0]
    factors = engine("sglang")
    assert f"--max-running-requests {16 * factors.batching.max_batch}" in line
    assert f"--chunked-prefill-size {16 * factors.batching.step_tokens}" in line


def test_load_tests_repeat_the_load_with_options_of_their_releases() -> None:
    handed = _fleets("vllm")["dense"]
    for program, made in (("vllm_bench", vllm_bench(handed)), ("aiperf", aiperf(handed))):
        words = made.words()
        known = release_of(program)[0]
        assert not [w for w in words if w.startswith("--") and not known.has(w)], program
    words = vllm_bench(handed).words()
    at = dict(itertools.pairwise(words))
    assert (at["--random-input-len"], at["--random-output-len"], at["--request-rate"]) == ("2000", "500", "10")
    assert float(at["--burstiness"]) == pytest.approx(1 / 1.5**2, rel=1e-2)
    closed = dataclasses.replace(handed, traffic=Traffic(isl=10, osl=20, users=32))
    assert "--max-concurrency" in vllm_bench(closed).words()


def test_the_table_of_options_is_dated_and_sourced() -> None:
    for program in programs():
        for one in releases(program):
            assert one.read >= "2026-01-01"
            assert one.source
            assert one.options


def test_an_unknown_target_and_accelerators_without_a_recipe_are_refused() -> None:
    with pytest.raises(InputError, match=r"target kubernets: unknown.*k8s"):
        deployments(_fleets("vllm")["one"], "kubernets")
    tpu = _handover(Pool(deployment=_deployment("llama-3.1-8b", "tpu_v6e", Layout(), "vllm"), replicas=1))
    with pytest.raises(InputError, match="compose: accelerators of Google have no compose recipe"):
        deployments(tpu, "compose")
    assert "google.com/tpu" in deployments(tpu, "k8s")["k8s/fleet.yaml"]
    assert set(TARGETS) >= {"vllm", "k8s", "llmd"}


@pytest.mark.parametrize(
    ("name", "words"),
    [("x" * 300, "has 300 bytes, and file systems take 255"), ("a\x00b", "NUL"), ("none/deep", "create it first"),
     ("dangling", "is a link to a folder that does not exist"), ("notes", "is a file")],
)  # fmt: skip
def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "notes").write_text("x")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert words in folder_problem(tmp_path / name)


def test_a_folder_is_written_whole_and_only_where_it_is_ours(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_files(folder, {"a.sh": "echo\n", "deep/b.yaml": "x: 1\n"})
    assert (folder / "a.sh").stat().st_mode & 0o111
    write_files(folder, {"c.txt": "c\n"})
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == [".jevons-emit.json", "c.txt"]
    other = tmp_path / "theirs"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="files that are not of jevons"):
        write_files(other, {"a.sh": "echo\n"})
    assert [p.name for p in other.iterdir()] == ["notes.txt"]
    write_files(other, {"a.sh": "echo\n"}, force=True)
    assert (other / "notes.txt").read_text() == "mine"
    with pytest.raises(InputError, match="is a file"):
        write_files(other / "notes.txt", {"a.sh": ""})
    with pytest.raises(InputError, match="does not exist"):
        write_files(tmp_path / "no" / "such", {"a.sh": ""})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "theirs"]


def test_files_that_were_changed_since_or_lie_behind_a_link_stay(tmp_path: Path) -> None:
    folder, away = tmp_path / "out", tmp_path / "away"
    files = {"a.sh": "echo\n", "deep/b.yaml": "x: 1\n"}
    write_files(folder, files)
    write_files(folder, files)
    (folder / "a.sh").write_text("mine")
    with pytest.raises(InputError, match=r"a\.sh was changed since"):
        write_files(folder, files)
    write_files(folder, {"c.txt": "c\n"})
    assert (folder / "a.sh").read_text() == "mine"
    assert not (folder / "deep").exists()
    with pytest.raises(InputError, match=r"a\.sh is not of jevons"):
        write_files(folder, files)
    write_files(folder, files, force=True)
    away.mkdir()
    (away / "b.yaml").write_text("x: 1\n")
    (folder / "deep" / "b.yaml").unlink()
    (folder / "deep").rmdir()
    (folder / "deep").symlink_to(away)
    with pytest.raises(InputError, match="reached through a link"):
        write_files(folder, files, force=True)
    write_files(folder, {"c.txt": "c\n"})
    assert (away / "b.yaml").read_text() == "x: 1\n"


@pytest.mark.parametrize(
    "files",
    ['["notes.txt"]', '{"../notes.txt": 1}', '{"/etc/hosts": ""}', "[[", '{"notes.txt": 5}', "null", "[" * 100_000],
)
def test_a_mark_that_somebody_else_wrote_removes_nothing(tmp_path: Path, files: str) -> None:
    (tmp_path / "out").mkdir()
    for folder in (tmp_path, tmp_path / "out"):
        (folder / "notes.txt").write_text("mine")
    (tmp_path / "out" / ".jevons-emit.json").write_text(f'{{"files": {files}}}')
    with contextlib.suppress(InputError):
        write_files(tmp_path / "out", {"a.sh": "echo\n"})
    assert (tmp_path / "out" / "notes.txt").read_text() == (tmp_path / "notes.txt").read_text() == "mine"


def test_every_shipped_model_that_is_served_has_an_id_of_the_hub() -> None:
    trained_alone = ("gpt-1", "gpt-3", "gpt-5", "gpt-7", "mpt-")
    bare = [name for name in models.names() if "/" not in checkpoint_of(name)]
    assert not [name for name in bare if not name.startswith(trained_alone)]
    assert checkpoint_of("qwen3-235b-a22b-fp8") == "Qwen/Qwen3-235B-A22B-FP8"
    assert checkpoint_of("llama-3.1-405b-fp8") == "meta-llama/Llama-3.1-405B-Instruct-FP8"


def test_weights_outlive_a_container_and_a_server_says_whether_it_answers() -> None:
    handed = _fleets("vllm")["spans"]
    for document in _documents(deployments(handed, "k8s")["k8s/fleet.yaml"]):
        if document["kind"] != "LeaderWorkerSet":
            continue
        for part in ("leaderTemplate", "workerTemplate"):
            pod = document["spec"]["leaderWorkerTemplate"][part]["spec"]
            mounted = {one["name"]: one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
            assert {"name": "HF_HOME", "value": mounted["weights"]} in pod["containers"][0]["env"]
            assert {one["name"] for one in pod["volumes"]} == set(mounted)
    files = {file: _documents(text)[0] for file, text in deployments(handed, "compose").items() if "rank" in file}
    checked = [any("healthcheck" in one for one in content["services"].values()) for content in files.values()]
    assert sorted(checked) == [False, True]


@pytest.mark.parametrize(
    ("model", "head"),
    [("llama-3.3-70b", "yuhuili/EAGLE3-LLaMA3.3-Instruct-70B"), ("qwen2.5-7b", "ID-OF-AN-EAGLE-3-HEAD"),
     ("glm-4.5", ""), ("qwen3-next-80b-a3b", "")],
)  # fmt: skip
def test_a_model_drafts_with_its_own_layers_or_with_a_head_that_is_named(model: str, head: str) -> None:
    own = _deployment(model, "h200_sxm", Layout(tp=4), "vllm", draft_tokens=3)
    handed = _handover(Pool(deployment=own, replicas=1))
    files = {name: deployments(handed, name) for name in ENGINES}
    texts = [files["vllm"]["vllm/serve.sh"], files["sglang"]["sglang/serve.sh"]]
    texts.append(files["trtllm"]["trtllm/serve.config.yaml"])
    for text in texts:
        assert (head in text) if head else ("EAGLE3" not in text.upper().replace("-", ""))
    assert ("mtp" in texts[0]) == (not head)
    assert ("put the id of an EAGLE-3 head" in texts[0]) == head.startswith("ID-")

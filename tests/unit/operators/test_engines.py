"""Engines are data: one YAML entry adds an engine, or a release of one."""

import pytest

from jevons.errors import InputError
from jevons.facts import load_facts
from jevons.facts.read import _DATA
from jevons.operators.engines import (
    Place,
    engine_and_release,
    engine_id,
    engine_in,
    engine_names,
    engine_number,
    kernel_engines,
)
from jevons.serving import engine

NEW = """
facts:
  engine.mindie.name:
    unit: text
    about: what its makers call it
    values: [{from: 2024-06-30, value: MindIE, grade: derived, formula: as on its pages, parents: []}]
  engine.mindie.like:
    unit: text
    about: engine whose figures it takes where it states none
    values: [{from: 2024-06-30, value: vllm, grade: derived, formula: same design, parents: []}]
  engine.mindie.max_batch:
    unit: count
    about: most requests one attention rank runs at once
    values: [{from: 2024-06-30, value: 200, low: 100, high: 300, grade: judgement, reason: its default}]
  engine.vllm.since_0_99.step_overhead_s:
    unit: ms
    about: host time per engine step that the device waits for
    values: [{from: 2026-12-31, value: 0.1, low: 0.05, high: 0.2, grade: judgement, reason: a release to come}]
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    file = tmp_path_factory.mktemp("facts") / "new.yaml"
    file.write_text(NEW, "utf-8")
    return load_facts([_DATA, file])


@pytest.mark.slow
def test_an_engine_is_added_by_three_facts_and_takes_the_others_from_one_it_is_like(facts):
    mindie, vllm = engine("MindIE", facts), engine("vllm@0.14", facts)
    assert "mindie" in engine_names(facts)
    assert (mindie.name, mindie.batching.max_batch) == ("mindie", 200)
    assert mindie.batching.reserve_frac == vllm.batching.reserve_frac
    assert engine_in("MindIE 1.0.RC3", facts) == "mindie"


@pytest.mark.slow
def test_a_release_is_added_by_one_fact_and_holds_from_it_on(facts):
    assert engine("vllm", facts).host.step_overhead_s == pytest.approx(1e-4)
    assert engine("vllm@0.99.1", facts).host.step_overhead_s == pytest.approx(1e-4)
    assert engine("vllm@0.98", facts).host.step_overhead_s == engine("vllm").host.step_overhead_s


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vLLM", "vllm"),
        ("TensorRT-LLM", "trtllm"),
        ("tensorrt_llm", "trtllm"),
        ("SGLang", "sglang"),
        ("trt", "trtllm"),
        ("ollama", "eager"),
        ("nvidia nim", "trtllm"),
        ("sgl", "sglang"),
    ],
)
def test_names_are_understood_as_people_write_them(name, expected):
    assert engine_id(name) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("TensorRT 10.14, CUDA 13.1, vLLM", "vllm"), ("SGLang + Mooncake", "sglang"), ("llama.cpp", "eager"),
        ("", "generic"), ("NIM", "trtllm"), ("Mango LLMBoost AI Enterprise Platform, ROCm 6", "vllm"),
    ],
)  # fmt: skip
def test_labels_of_tables_name_the_top_of_a_stack(label, expected):
    assert engine_in(label) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [("vlm", "Did you mean `vllm`"), ("vllm@new", "is no release"), ("", "unknown engine"), ("vllm@", "is no release")],
)
def test_unknown_engines_and_releases_are_refused_with_a_remedy(name, message):
    with pytest.raises(InputError, match=message):
        engine_and_release(name)


@pytest.mark.parametrize(
    ("engine_name", "device", "memory_gib", "expected"),
    [
        ("vllm", "h100_sxm", 80, 8192), ("vllm", "a100_sxm", 80, 2048), ("vllm", "l40s", 48, 2048),
        ("sglang", "l4", 24, 2048), ("sglang", "l40s", 48, 4096), ("sglang", "h100_sxm", 80, 8192),
        ("sglang", "b200_sxm", 180, 16384),
    ],
)  # fmt: skip
def test_limits_of_servers_depend_on_the_device(engine_name, device, memory_gib, expected):
    place = Place(device=device, memory_bytes=memory_gib * 2**30)
    assert engine_number(engine_name, "server_step_tokens", place) == expected


def test_each_engine_runs_kernels_that_were_measured_or_the_average():
    assert kernel_engines() == ["generic", "sglang", "trtllm", "vllm"]


def test_a_step_is_composed_ahead_in_releases_that_do():
    assert not engine("vllm@0.13").batching.composes_ahead
    assert engine("vllm@0.14").batching.composes_ahead
    assert not engine("trtllm@0.19").batching.composes_ahead
    assert engine("trtllm").batching.composes_ahead


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("vllm==0.11.0", ("vllm", (0, 11, 0))), ("vLLM v0.8.5", ("vllm", (0, 8, 5))),
        ("SGLang-0.4.6.post5", ("sglang", (0, 4, 6))),
        ("vllm/vllm-openai:v0.11.0", ("vllm", (0, 11, 0))), ("lmsysorg/sglang:v0.5.3", ("sglang", (0, 5, 3))),
        ("TRT LLM 0.20", ("trtllm", (0, 20))), ("llama.cpp", ("eager", None)),
    ],
)  # fmt: skip
def test_a_release_is_read_as_packages_and_images_write_it(written, expected):
    assert engine_and_release(written) == expected


def test_an_unknown_engine_is_answered_with_the_one_that_stands_for_others():
    with pytest.raises(InputError, match="generic stands for any other"):
        engine_id("TGI")

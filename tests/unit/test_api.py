"""`import jevons` is fast and gives the public names on first use."""

import copy
import dataclasses
import subprocess
import sys

import pytest

import jevons
from jevons.errors import InputError


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
        (
            lambda: jevons.operators.gemm("h100", 1, 2, 3),
            "by place it takes m, n, k; all others are named, such as gpu=",
        ),
        (
            lambda: jevons.cost("qwen3-32b", gpu="h20"),
            "`gpu` is given by place, 'qwen3-32b', and by name, 'h20'; by place ",
        ),
        (jevons.operators.attention, "missing a required argument: 'batch'"),
    ],
)
def test_arguments_in_other_tools_words_are_answered_with_the_name_here(call, message):
    with pytest.raises(jevons.InputError) as error:
        call()
    assert message in str(error.value)
    assert isinstance(error.value, TypeError)


def test_a_word_in_place_of_a_scenario_is_told_what_a_scenario_is():
    with pytest.raises(jevons.InputError, match="no such file.* A scenario is a YAML file; `jevons new` writes"):
        jevons.value("alibaba")


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


def test_a_list_is_a_sequence_of_things_found_by_name_and_place():
    known = jevons.models()
    assert len(known) == len(list(known)) > 30
    assert known["qwen3-32b"].parameters == known["qwen3-32b"].parameters_total
    assert "qwen3-32b" in known
    assert known[0] in known
    assert jevons.models["Qwen/Qwen3-32B"] == known["qwen3-32b"]
    assert jevons.facts["h20.price_cny"].value == jevons.facts.get("h20.price_cny").value
    assert jevons.engines().vllm == jevons.engines()["vllm"]
    assert {one.name.split("-")[0] for one in jevons.models("gemma")} == {"gemma"}
    with pytest.raises(LookupError, match="Did you mean `qwen3-32b`"):
        known["qwen3-32c"]
    with pytest.raises(LookupError, match="there are"):
        known[1000]


def test_a_device_and_a_model_are_taken_where_their_names_are():
    device, model = jevons.accelerator("h20"), jevons.model("llama-3.1-8b")
    assert jevons.cost(device).per_hour == jevons.cost("h20").per_hour
    assert jevons.memory(model, gpu=device).to_json() == jevons.memory("llama-3.1-8b", gpu="h20").to_json()
    with pytest.raises(jevons.InputError, match="differs from the one on file"):
        jevons.cost(dataclasses.replace(device, hbm_bytes=1e9))
    with pytest.raises(jevons.InputError, match="differs from the one on file"):
        jevons.memory(dataclasses.replace(model, vocab=7))


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        (lambda: jevons.model("qwen3-32b").params, "Use `.parameters_total`"),
        (lambda: jevons.accelerator("h20").memory, "Use `.hbm_bytes`"),
        (lambda: jevons.device("h20").bandwidth, "Use `.hbm_bytes_per_s`"),
        (lambda: jevons.cost("h20").tables["hour"].to_pandas, r"Use `.to_frame\(\).to_pandas\(\)`"),
        (lambda: jevons.gpus, "Did you mean `devices`"),
        (lambda: jevons.montecarlo, "Did you mean `study.montecarlo`"),
        (lambda: jevons.operators.matmul, "Did you mean `gemm`"),
        (lambda: jevons.load("scenarios/cluster-100k.yaml").budget, "Use `.expansion.budget`"),
        (lambda: jevons.memory("llama-3.1-8b").fit, "Did you mean `fits`"),
    ],
)
def test_words_of_other_libraries_are_answered_with_the_attribute_here(read, meant):
    with pytest.raises(AttributeError, match=meant):
        read()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jevons.accelerator(100), "gpu=100: must be text"),
        (jevons.accelerator, "gpu: is missing"),
        (jevons.model, "missing a required argument: 'model'"),
        (lambda: jevons.load(3), "give the path of a scenario"),
        (jevons.load, "missing a required argument: 'path'"),
        (jevons.facts.get, "missing a required argument: 'fact_id'"),
        (lambda: jevons.facts.get("h20.price_cny", as_of="2025-02-24"), "Did you mean `on`"),
        (jevons.study, "is a part, not a function; it has"),
        (lambda: jevons.cost("h20").save(3), "must be a path"),
        (lambda: jevons.cost("h20").tables[None], "no table `None`"),
        (lambda: jevons.load("scenarios/cluster-100k.yaml").with_values("x"), "give a dictionary"),
        (lambda: jevons.load("scenarios/cluster-100k.yaml")["expansion.budgt"], "Did you mean `budget`"),
        (lambda: jevons.operators.gemm(1, 1, 1, precision="fp7"), "Known: .* and [0-9]+ more"),
    ],
)
def test_wrong_calls_are_answered_as_wrong_input(call, message):
    with pytest.raises(jevons.InputError, match=message):
        call()


def test_op_is_operators_as_at_the_command_line():
    assert jevons.op.gemm is jevons.operators.gemm


def test_arrival_rates_may_be_a_list():
    swept = jevons.simulate("llama-3.1-8b", sweep_rates=[1, 2.5], requests=40)
    assert swept.answer == jevons.simulate("llama-3.1-8b", sweep_rates="1,2.5", requests=40).answer


def test_parts_of_an_answer_are_attributes():
    ran = jevons.simulate("llama-3.1-8b", rate=4, requests=40)
    assert ran.ttft_s.p99 == ran["ttft_s"]["p99"] == ran.to_json()["ttft_s"]["p99"]
    with pytest.raises(AttributeError, match="Did you mean `ttft_s.p99`"):
        ran.ttft_p99_s  # noqa: B018 - reading it is the test


def test_a_result_is_copied_whole_after_it_was_read():
    hour = jevons.cost("h20")
    assert hour["per_hour"] == hour.per_hour
    assert copy.deepcopy(hour).to_json() == hour.to_json()
    assert "_entries" not in vars(copy.copy(hour))


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


@pytest.mark.parametrize("way", ["same", "link", "hard link", "edited since"])
def test_a_result_is_not_saved_over_a_file_that_it_was_made_from(tmp_path, way):
    history = tmp_path / "h.csv"
    history.write_text(text := "date,tokens_per_day,price,users\n2024-05,1e9,2,1\n2025-05,3e9,1,2\n2026-05,9e9,0.5,3\n")
    grown = jevons.study.growth(history)
    target = history if way in {"same", "edited since"} else tmp_path / "other.csv"
    if way == "link":
        target.symlink_to(history)
    elif way == "hard link":
        target.hardlink_to(history)
    elif way == "edited since":
        new = tmp_path / "new"
        new.write_text(text)
        new.replace(history)
    with pytest.raises(InputError, match=r"the result was made from this file, as `file`; name another; .*force=True"):
        grown.save(target)
    assert history.read_text() == text
    grown.save(tmp_path / "grown.csv")
    grown.save(tmp_path / "grown.csv")
    grown.save(target, force=True)
    assert target.read_text() != text


def test_a_file_that_another_file_names_is_an_input_too(tmp_path):
    trace, load = tmp_path / "t.csv", tmp_path / "load.yaml"
    trace.write_text(text := "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,3\n1.5,20,4\n")
    load.write_text("requests: 20\nrate: 1\nclasses:\n  - {name: chat, lengths_from: t.csv}\n")
    run = jevons.simulate("qwen3-0.6b", load=load)
    with pytest.raises(InputError, match=r"t\.csv: the result was made from this file; name another"):
        run.save(trace)
    assert trace.read_text() == text

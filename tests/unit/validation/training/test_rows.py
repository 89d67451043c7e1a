"""Reading measured training rows and predicting them."""

import csv

import pytest

from jevons.errors import InputError
from jevons.validation import validate
from jevons.validation.rows import kind_of
from jevons.validation.training.cases import read_training_case, row_device, row_model
from jevons.validation.training.rows import metric_of, predicted_step, prepare_case, row_metric

ROW = {
    "source_title": "x", "framework": "NeMo/Megatron-Core", "model": "Llama3 8B", "gpu": "DGX-H100", "n_gpus": "16",
    "seq_len": "8192", "global_batch": "128", "micro_batch": "1", "tp": "2", "pp": "1", "cp": "1", "recompute": "none",
    "precision": "bf16", "step_time_s": "6.0",
}  # fmt: skip


def case(**changes):
    return read_training_case(ROW | changes)


def test_a_full_row_has_one_layout_and_nothing_is_assumed():
    found = case()
    assert found.assumed == ()
    layouts = {c[0] for c in prepare_case(found).candidates}
    assert {(x.tp, x.pp, x.dp, x.micro_batch, x.recompute) for x in layouts} == {(2, 1, 8, 1, "none")}


def test_what_is_not_printed_is_searched_and_named():
    found = case(micro_batch="", recompute="", pp="4")
    assert set(found.assumed) == {"micro_batch", "recompute", "vpp"}
    prepared = prepare_case(found)
    assert len({c[0] for c in prepared.candidates}) > 5
    best = predicted_step(prepared)
    assert best.step_time_s == min(
        predicted_step(prepare_case(case(micro_batch=str(m), recompute=r, pp="4"))).step_time_s
        for m in (1, 2, 4) for r in ("none", "selective", "full")
    )  # fmt: skip


def test_measured_cells_do_not_move_a_prediction():
    assert read_training_case(ROW) == case(step_time_s="1.0", tokens_per_s_per_gpu="9", tflops_per_gpu="3")


def test_throughput_and_step_time_are_the_same_answer():
    found = case()
    step = predicted_step(prepare_case(found))
    rate = metric_of("tokens_per_s_per_gpu", ROW, found.job, step)
    assert rate * step.step_time_s * 16 == pytest.approx(128 * 8192)
    assert row_metric(ROW) == ("step_time_s", 6.0)
    assert row_metric({"step_time_s": "", "tokens_per_s_per_gpu": "-"}) is None


def test_devices_take_the_network_and_memory_that_rows_state():
    omni = row_device({"gpu": "A100-80GB SXM (Jean Zay, 4x Omni-Path 100Gbps per node)"})
    assert omni.scaleout.bytes_per_s == pytest.approx(6.25e9)
    capped, full = row_device({"gpu": "H100-96GB HBM2e 500W (Grand Teton)"}), row_device({"gpu": "H100"})
    assert capped.hbm_bytes == 96e9
    assert capped.hbm_bytes_per_s < 0.8 * full.hbm_bytes_per_s


def test_a_row_below_its_devices_power_limit_says_so():
    capped = case(gpu="H100-96GB HBM2e 500W (Grand Teton)")
    assert capped.job.power_frac == pytest.approx(500 / 700)
    assert case(gpu="SR680aV3-8xH200_SXM_141GB_700W").job.power_frac == case().job.power_frac == 1.0


def test_graphs_of_the_whole_pass_came_to_blackwell_alone():
    release = {"date_or_version": "26.06 NeMo Container", "model": "Qwen3_30B_a3B"}
    assert case(**release, gpu="DGX-GB200").job.software.graphed
    assert not case(**release, gpu="DGX-H100").job.software.graphed
    assert case(model="Qwen3_30B_a3B (tokendrop)").job.software.graphed


def test_torchtitan_without_a_compiler_runs_norms_step_by_step():
    plain = case(framework="torchtitan (FSDP2)", notes="Table 1; FSDP")
    compiled = case(framework="torchtitan (FSDP2)", notes="Table 1; FSDP + torch.compile")
    assert (plain.job.software.eager_norms, compiled.job.software.eager_norms) == (True, False)
    assert not case(framework="composer (llm-foundry)").job.software.eager_norms


def test_containers_before_kernels_for_hopper_run_those_for_ampere():
    assert case(date_or_version="NeMo24.03.01.framework (2025-05-09)").job.software.ampere_attention
    assert not case(date_or_version="NeMo 24.07 (2024-09-09)").job.software.ampere_attention
    assert not case(date_or_version="v25.05").job.software.ampere_attention


def test_maxtext_on_tpus_shares_weights_over_all_devices_in_one_pass():
    recipe = {"framework": "MaxText", "gpu": "TPU v6e", "n_gpus": "64", "global_batch": "256"} | dict.fromkeys(
        ("tp", "pp", "cp", "micro_batch", "recompute"), ""
    )
    dense = case(**recipe)
    assert dense.fixed() == {"tp": 1, "pp": 1, "vpp": 1, "cp": 1, "ep": 1, "zero": 3, "micro_batch": 4}
    assert dense.recompute == "alternate"
    assert "recompute of MaxText's recipes, which keep what attention projects" in dense.assumed
    assert case(**recipe, model="Mixtral 8x7B").recompute == ""
    assert "zero" not in case(**recipe | {"gpu": "DGX-H100"}).fixed()


OLDER = {
    "framework": "Megatron-DeepSpeed", "model": "GPT-style 1024x24", "gpu": "A100-80GB SXM", "n_layers": "24",
    "hidden": "1024", "n_heads": "16", "vocab": "51200", "seq_len": "1024", "n_gpus": "8", "tp": "2", "pp": "4",
    "recompute": "full", "precision": "fp16",
}  # fmt: skip


def test_recomputation_that_a_table_does_not_hold_is_not_printed():
    told = "full recomputation are from the simulator's default configuration and paper, not from the table"
    assert (case(**OLDER).recompute, case(**OLDER, notes=told).recompute) == ("full", "")
    assert {c[0].recompute for c in prepare_case(case(**OLDER, notes=told)).candidates} == {"none", "selective", "full"}


def test_older_software_splits_layers_evenly_whatever_the_head_takes():
    stages = {c[0].stage_layers for c in prepare_case(case(**OLDER)).candidates}
    assert stages == {(6, 6, 6, 6)}
    newer = OLDER | {"gpu": "DGX-H100", "framework": "Megatron-LM", "precision": "bf16"}
    assert {c[0].stage_layers for c in prepare_case(case(**newer)).candidates} == {()}


def test_models_come_by_name_or_from_their_columns():
    assert row_model({"model": "Qwen3_30B_a3B (tokendrop)"}).name == "qwen3-30b-a3b"
    built = row_model({"model": "GPT-18.4B", "n_layers": "40", "hidden": "6144", "n_heads": "48", "params_b": "18.4"})
    assert built.parameters_total == pytest.approx(18.4e9, rel=0.03)
    assert row_model({"model": "Grok 1 314b", "n_layers": "4"}).n_layers == 4
    assert row_model({"model": "Grok 1 314b"}).parameters_total == pytest.approx(314e9, rel=0.02)
    with pytest.raises(InputError, match="its shape is not printed"):
        row_model({"model": "Wonder-7B"})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpu": "Abacus"}, "unknown accelerator"),
        ({"n_gpus": ""}, "no number of devices"),
        ({"seq_len": ""}, "no sequence length"),
        ({"global_batch": "-"}, "no global batch"),
        ({"precision": "fp3"}, "unknown precision `fp3`"),
    ],
)
def test_what_a_row_lacks_is_named(changes, message):
    with pytest.raises(InputError, match=message):
        case(**changes)


def test_files_are_recognised_and_every_row_is_answered_or_has_a_reason(tmp_path):
    path = tmp_path / "mine.csv"
    rows = [ROW, ROW | {"gpu": "Abacus"}, ROW | {"step_time_s": ""}, ROW | {"step_time_s": "0.001"}]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(ROW))
        writer.writeheader()
        writer.writerows(rows)
    assert kind_of(list(ROW)) == "training"
    good, unknown, unmeasured, absurd = validate(path).entries
    assert abs(good.error) < 0.3
    assert "unknown accelerator" in unknown.reason
    assert "no step time or rate" in unmeasured.reason
    assert absurd.predicted == good.predicted  # however far from what is printed

import contextlib
from dataclasses import replace

import pytest

from jevons import models, training
from jevons.errors import InfeasibleError, InputError, InputNote
from jevons.hardware import cluster
from jevons.training.step import micro_batch
from jevons.training.types import PARTS


def job(model="llama-3.1-8b", device="h100_sxm", devices=64, seq_len=8192, global_batch=128, precision="bf16", **more):
    return training.TrainingJob(
        model=models.load(model),
        cluster=cluster(device, devices),
        seq_len=seq_len,
        global_batch=global_batch,
        precision=precision,
        **more,
    )


LAYOUT = training.TrainingLayout(tp=2, dp=32)


def test_parts_add_up_and_utilisation_follows():
    step = training.step(job(), LAYOUT)
    assert tuple(step.parts) == PARTS
    assert sum(step.parts.values()) == pytest.approx(step.step_time_s)
    flop_per_s = step.model_flop / step.step_time_s / 64
    assert step.flop_per_s_per_device == pytest.approx(flop_per_s)
    assert step.mfu_frac == pytest.approx(flop_per_s / job().cluster.accelerator.peak_flop_per_s["bf16"])
    assert 0.2 < step.mfu_frac < 0.7


def test_useful_work_is_about_six_flop_per_parameter_and_token():
    step = training.step(job(seq_len=2048, global_batch=512), LAYOUT)
    assert step.model_flop / (6.0 * job().model.parameters_total * 2048 * 512) == pytest.approx(1.0, abs=0.05)


def test_states_take_sixteen_to_eighteen_bytes_per_parameter_until_they_are_shared():
    # Weights 2, gradients 4, Adam with master weights 12 bytes; Rajbhandari et al. count 16 with 2-byte gradients.
    whole = job(devices=8, global_batch=8)
    alone = training.memory_bytes(whole, training.TrainingLayout(dp=8, zero=0))
    states = alone["weights"] + alone["gradients"] + alone["optimizer"]
    assert states == pytest.approx(18.0 * whole.model.parameters_total, rel=2e-3)
    shared = training.memory_bytes(whole, training.TrainingLayout(dp=8, zero=1))
    assert shared["optimizer"] == pytest.approx(alone["optimizer"] / 8)
    assert shared["gradients"] == alone["gradients"]
    assert training.memory_bytes(whole, training.TrainingLayout(dp=8, zero=2))["gradients"] < shared["gradients"]


def test_activations_of_a_gpt_layer_are_near_the_published_34_bytes():
    # Korthikanti et al.: 34 bytes x sequence x batch x hidden per layer with the attention matrix recomputed; masks of
    # dropout (3 bytes) are not modelled, which leaves 31; flash attention keeps its own inputs and output alike.
    gpt = job("gpt-3-175b", devices=1024, seq_len=2048, global_batch=128)
    layout = training.TrainingLayout(tp=8, pp=1, dp=128, zero=3, recompute="none")
    lost_frac = training.training_factors().memory.fragmentation_frac
    kept = training.memory_bytes(gpt, layout)["activations"] / (1.0 + lost_frac)
    logits = 2048 * gpt.model.vocab / 8 * 6
    per_layer = (kept - logits) / gpt.model.n_layers / (2048 * gpt.model.hidden / 8)
    assert per_layer == pytest.approx(31.0, rel=0.15)


def test_full_recomputation_trades_memory_for_a_third_more_work():
    kept, again = (training.step(job(), replace(LAYOUT, recompute=mode)) for mode in ("none", "full"))
    assert again.memory_bytes["activations"] < 0.3 * kept.memory_bytes["activations"]
    assert 1.15 < again.step_time_s / kept.step_time_s < 1.4
    assert again.hfu_frac == pytest.approx(again.mfu_frac * 4 / 3)


def test_interleaving_and_zero_bubble_shrink_the_bubble():
    plain = training.TrainingLayout(pp=8, dp=8)
    bubble = {
        name: training.step(job(), layout).parts["pp_bubble"]
        for name, layout in (
            ("plain", plain),
            ("interleaved", replace(plain, vpp=4)),
            ("zero", replace(plain, zero_bubble=True)),
        )
    }
    assert bubble["interleaved"] < bubble["plain"]
    assert bubble["zero"] < bubble["plain"]


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"dp": 16}, r"takes 32 devices; the cluster has 64. Use dp = 32"),
        ({"tp": 5}, r"takes 160 devices"),
        ({"dp": 32, "recompute": "some"}, r"recompute = `some`: must be one of none, selective, alternate, full"),
        ({"dp": 32, "zero": 4}, r"zero = 4: must be 0, 1, 2 or 3"),
        ({"dp": 32, "micro_batch": 8}, r"dp \* micro_batch = 256 does not divide the 128 sequences"),
        ({"dp": 32, "ep": 2}, r"ep = 2: llama-3.1-8b has no experts. Use ep = 1"),
        ({"dp": 32, "vpp": 2}, r"vpp = 2 without a pipeline"),
        ({"tp": 1, "pp": 8, "dp": 8, "vpp": 3}, r"vpp = 3 does not divide 32 layers over pp = 8. Use vpp = 2"),
        ({"tp": 1, "pp": 64, "dp": 1}, r"has 32 layers. Use pp \* vpp <= 32"),
    ],
)
def test_layouts_that_do_not_divide_name_the_nearest_that_does(layout, message):
    with pytest.raises(InputError, match=message):
        training.step(job(), replace(LAYOUT, **layout))


def test_long_sequences_are_trained_with_a_warning_and_lacking_precisions_are_refused():
    longer = pytest.warns(InputNote, match=r"llama-3.1-8b is made for at most 131,072 tokens; sequences of 262,144")
    with longer, pytest.raises(InfeasibleError):
        training.step(job(seq_len=262_144), LAYOUT)
    with pytest.warns(InputNote, match=r"stretched rotations"), contextlib.suppress(InfeasibleError):
        training.search(job(seq_len=262_144))
    with pytest.raises(InputError, match=r"does not multiply in"):
        training.step(job(device="a100_sxm", precision="fp8"), LAYOUT)


def test_what_does_not_fit_names_the_largest_part_and_a_remedy():
    with pytest.raises(InfeasibleError, match=r"needs \d+\.\d GB per device \(gradients \d+.*Use tp = 4"):
        training.step(job("llama-3.1-70b"), LAYOUT)


def test_run_takes_tokens_over_rate():
    whole = job(tokens=1e12)
    step = training.step(whole, LAYOUT)
    run = training.run_estimate(whole, step, price_per_accelerator_h=2.0, goodput_frac=0.9)
    assert run.days == pytest.approx(1e12 / step.tokens_per_s / 0.9 / 86_400)
    assert run.accelerator_h == pytest.approx(run.days * 24 * 64)
    assert run.cost == pytest.approx(2.0 * run.accelerator_h)
    with pytest.raises(InputError, match="a run needs more than 0"):
        training.run_estimate(job(), step)
    with pytest.raises(InputError, match="goodput_frac = 0.0"):
        training.run_estimate(whole, step, goodput_frac=0.0)


def test_search_finds_nothing_faster_than_its_best_and_agrees_with_step():
    whole = job(devices=16, global_batch=64)
    found = training.search(whole, best=100)
    times = [step.step_time_s for step in found.best]
    assert times == sorted(times)
    assert training.step(whole, found.best[0].layout).step_time_s == pytest.approx(times[0])
    assert training.step(whole, training.TrainingLayout(tp=2, dp=8, recompute="full")).step_time_s >= times[0]


def test_search_without_an_answer_says_what_to_change():
    with pytest.raises(InfeasibleError, match=r"no layout of llama-3.1-405b .* on 8 h100_sxm divides and fits"):
        training.search(job("llama-3.1-405b", devices=8))


def test_older_software_waits_for_its_host_at_small_layers():
    small = job(model="llama-3.2-1b", device="a100_sxm", devices=8, seq_len=1024, global_batch=64)
    layout = training.TrainingLayout(tp=8, micro_batch=1)
    software = (training.TrainingSoftware(overlap=overlap) for overlap in (False, True))
    older, newer = (training.step(replace(small, software=kind), layout).step_time_s for kind in software)
    passes = 64 * small.model.n_layers * 2.0
    assert older >= passes * training.training_factors().host.older_layer_overhead_s
    assert older > 1.5 * newer


def test_training_attention_on_tpus_is_not_the_kernel_of_inference():
    long = job(device="tpu_v6e", devices=64, seq_len=32768, global_batch=64)
    layout = training.TrainingLayout(tp=8, dp=8)
    factors = training.training_factors()
    slow = replace(long, factors=factors.replace(tpu_attention_gain=1.0))
    assert training.step(long, layout).step_time_s < 0.9 * training.step(slow, layout).step_time_s


def test_a_lower_power_limit_slows_products_less_than_it_saves_power():
    full, capped = (training.step(job(power_frac=frac), LAYOUT).step_time_s for frac in (1.0, 0.7))
    assert 1.05 * full < capped < full / 0.7


def test_norms_of_many_kernels_take_longer():
    software = (training.TrainingSoftware(eager=True, eager_norms=norms) for norms in (False, True))
    fused, stepwise = (training.step(job(software=kind), LAYOUT).step_time_s for kind in software)
    assert 1.05 * fused < stepwise < 1.5 * fused


def test_weights_gathered_ahead_hide_apart_from_gradients():
    shared = training.TrainingLayout(tp=1, dp=64, zero=3)
    factors = training.training_factors()
    for layout, moves, stays in (
        (shared, "gather_overlap_frac", "dp_overlap_frac"), (LAYOUT, "dp_overlap_frac", "gather_overlap_frac")
    ):  # fmt: skip
        times = [
            training.step(job(factors=factors.replace(**{moves: own, stays: other})), layout).parts["dp_exposed"]
            for own, other in ((0.1, 0.5), (0.9, 0.5), (0.1, 0.9))
        ]
        assert times[0] > times[1]
        assert times[0] == times[2]


def test_a_loss_of_many_kernels_reads_and_writes_the_logits_more_often():
    wide = job(seq_len=4096)
    fused, stepwise = (
        micro_batch(replace(wide, software=training.TrainingSoftware(overlap=overlap)), LAYOUT).head_s
        for overlap in (True, False)
    )
    traffic = training.training_factors().traffic
    logits = 4096 * wide.model.vocab / 2
    moved_s = logits * (traffic.older_loss_bytes - traffic.loss_bytes) / wide.cluster.accelerator.hbm_bytes_per_s
    assert 0.9 * moved_s < stepwise - fused < 1.5 * moved_s


def test_hosts_of_older_software_pace_each_other():
    older = training.TrainingSoftware(overlap=False)
    small = job(model="llama-3.2-1b", device="a100_sxm", devices=8, seq_len=1024, global_batch=64, software=older)
    alike, paced = (
        training.step(
            replace(small, factors=training.training_factors().replace(older_rank_s=rank_s)),
            training.TrainingLayout(tp=8),
        ).parts["overhead"]
        for rank_s in (0.0, 1e-4)
    )
    passes = 64 * small.model.n_layers * 2.0
    assert paced - alike == pytest.approx(passes * 7 * 1e-4, rel=0.1)


def test_mixtures_on_tpus_wait_for_no_host_and_their_clock_holds():
    mixture = job("mixtral-8x7b", device="tpu_v6e", devices=64, global_batch=64)
    layout = training.TrainingLayout(dp=64, zero=3, recompute="full")
    factors = training.training_factors()
    plain, waiting = (
        training.step(replace(mixture, factors=factors.replace(expert_sync_s=wait_s)), layout).step_time_s
        for wait_s in (0.0, 4e-3)
    )
    assert plain == waiting
    assert training.step(replace(mixture, factors=factors.replace(sustained_frac=0.7)), layout).step_time_s == plain


def test_windowed_attention_on_tpus_computes_whole_blocks():
    windowed = job("gemma-3-12b", device="tpu_v6e", devices=64, seq_len=16_384, global_batch=64)
    layout = training.TrainingLayout(dp=64, zero=3, recompute="full")
    factors = training.training_factors()
    fine, coarse, whole = (
        micro_batch(replace(windowed, factors=factors.replace(tpu_attention_block=block)), layout).attention_s
        for block in (128, 2048, 16_384)
    )
    assert fine < coarse < whole

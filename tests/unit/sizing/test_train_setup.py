"""What trainers set: adapters, optimizers, frameworks, samples; memory and speed that others measured; refusals."""

import pytest

import jevons
from jevons import models
from jevons.errors import InfeasibleError, InputError
from jevons.training import FROZEN, MOMENT_BYTES, Lora

GIB = 2**30


def tuned(model="llama-2-7b", gpu="a100_40gb", **given):
    settings = {"method": "qlora", "lora_rank": 8, "micro_batch": 1, "accumulation": 4, "recompute": "full"} | given
    return jevons.train(model, gpu=gpu, tokens="10M", **settings).best


def held_gib(step):
    return sum(step.memory_bytes.values()) / GIB


# LLaMA-Factory's wiki, "Performance comparison": Llama 2 7B on one A100 40GB, FlashAttention-2, rank 8 on all
# layers, weights in 4 bits, tokens per second and memory by length. Nothing is fitted to it.
@pytest.mark.parametrize(
    ("length", "measured_gib", "measured_tok_per_s"), [(1024, 6, 2295), (2048, 7, 2741), (4096, 9, 2926)]
)
def test_qlora_of_7b_on_an_a100(length, measured_gib, measured_tok_per_s):
    step = tuned(seq_len=length)
    assert held_gib(step) == pytest.approx(measured_gib, abs=0.7)
    assert step.tokens_per_s == pytest.approx(measured_tok_per_s, rel=0.2)


# Unsloth's documentation, longest sequences of Llama 3.1 8B with the HF Trainer and FlashAttention-2: rank 32, 4 bits.
@pytest.mark.parametrize(("gib", "length"), [(12, 932), (16, 2551), (24, 5789), (40, 12264), (80, 28454)])
def test_longest_sequence_of_8b_fills_the_card(gib, length):
    step = tuned("llama-3.1-8b", "h200", lora_rank=32, seq_len=length)
    assert 0.99 < held_gib(step) / gib < 1.15


def test_adapters_of_rank_16_on_all_layers_of_8b_have_41_943_040_parameters():
    assert Lora(rank=16).parameters(models.load("llama-3.1-8b")) == 41_943_040  # as PEFT prints


def test_a_qlora_on_one_consumer_card_answers_by_default():
    run = jevons.train("llama-3.1-8b", gpu="rtx_4090", method="qlora", samples="10k", seq_len=1024)
    assert run.job.cluster.devices == 1
    assert not run.tight
    assert run.answer.startswith("llama-3.1-8b by QLoRA of rank 16")
    assert "10,000 samples of 1,024 tokens take" in run.answer
    with pytest.raises(InfeasibleError, match=r"needs \d\d\.\d GB per device \(weights .* of 25\.8 GB"):
        jevons.train("llama-3.1-70b", gpu="rtx_4090", method="qlora")


def test_optimizer_states_take_the_bytes_that_their_formats_say():
    def states(**given):
        return jevons.train(
            "llama-3.1-8b", gpus=8, zero=1, tp=1, pp=1, micro_batch=1, batch=64, **given
        ).best.memory_bytes

    whole = states(offload="activations")["optimizer"]
    for name, moments in MOMENT_BYTES.items():
        kept = states(optimizer=name, offload="activations")["optimizer"]
        assert kept == pytest.approx(whole * (4.0 + moments) / 12.0)
    assert states(master_weights="none", offload="activations")["optimizer"] == pytest.approx(whole * 4.0 / 12.0)
    assert states(offload="both")["optimizer"] == 0.0


def test_gradients_in_16_bits_take_half_and_fsdp_keeps_no_second_copy():
    def kept(**given):
        memory = jevons.train(
            "llama-3.1-8b", gpus=8, micro_batch=1, batch=8, recompute="full", **given
        ).best.memory_bytes
        return memory["gradients"], memory["weights"] + memory["optimizer"]

    wide, narrow = (kept(zero=3, gradient_dtype=dtype)[0] for dtype in ("fp32", "bf16"))
    assert narrow == pytest.approx(wide / 2.0)
    assert kept(fsdp="full_shard")[1] == pytest.approx(kept(zero=3)[1] * 12.0 / 14.0)


def test_an_update_in_the_backward_pass_keeps_the_gradients_of_a_layer_alone():
    def peak(dtype, **given):
        run = jevons.train(
            "llama-3.1-8b",
            gpu="a100_80gb",
            gpus=1,
            batch=2,
            micro_batch=2,
            recompute="full",
            framework="fsdp",
            master_weights="none",
            optimizer="paged_adamw_8bit",
            gradient_dtype=dtype,
            **given,
        )
        return run.best.memory_bytes

    kept, without = peak("bf16"), peak("none")
    assert kept["gradients"] == pytest.approx(16.06e9, rel=0.01)  # 2 bytes for each of 8.03 billion weights
    assert without["gradients"] == 0.0
    assert without["temporary"] - kept["temporary"] == pytest.approx(2 * 128256 * 4096, rel=0.01)  # of an embedding
    with pytest.raises(InputError, match="accumulation=4: nothing is summed with gradient_dtype none"):
        jevons.train("llama-3.1-8b", gpus=1, micro_batch=1, accumulation=4, gradient_dtype="none")
    with pytest.raises(InfeasibleError, match="none divides. The fastest that does: zero1 selective mbs8"):
        jevons.train("llama-3.2-1b", gpus=1, batch=8, micro_batch=2, gradient_dtype="none")


def test_parameters_with_the_host_fit_what_does_not_otherwise():
    with pytest.raises(InfeasibleError):
        jevons.train("qwen2.5-32b", gpu="a800", gpus=8, zero=3, seq_len=1024, batch=8, recompute="full")
    away = jevons.train(
        "qwen2.5-32b",
        gpu="a800",
        gpus=8,
        zero=3,
        seq_len=1024,
        batch=8,
        recompute="full",
        offload="optimizer,parameters",
    )
    assert away.to_json()["host_memory_bytes"] > 60e9
    assert away.margin_frac > 0.3
    with pytest.raises(InfeasibleError, match="memory of their hosts"):
        jevons.train("qwen2.5-32b", gpu="a800", gpus=8, zero=3, batch=8, offload="optimizer,parameters", host_memory=10)


def test_zero_2_of_7b_is_refused_on_eight_v100_of_32_gb():
    with pytest.raises(InfeasibleError, match=r"needs 37\.\d GB per device"):  # LLaMA-Factory 260
        jevons.train("llama-2-7b", gpu="v100", gpus=8, zero=2, seq_len=1024, batch=8, recompute="full")


def test_packed_documents_attend_within_themselves_only():
    long, packed = (
        jevons.train("llama-3.1-8b", gpus=8, seq_len=32_768, batch=8, tp=8, micro_batch=1, **given)
        for given in ({}, {"packing": True, "sample_len": 1024})
    )
    assert packed.best.step_time_s < 0.8 * long.best.step_time_s
    assert packed.best.memory_bytes == long.best.memory_bytes


REFUSED = [
    ({"lora_target": "mlp"}, "lora_target=mlp: has no effect without adapters"),
    ({"method": "qlora", "base_precision": "bf16"}, "qlora has weights in 4 bits"),
    ({"method": "lora", "gradient_dtype": "bf16"}, "adapters' gradients are in fp32"),
    ({"method": "lora", "offload": "optimizer"}, "adapters' states are small"),
    ({"packing": True}, "has no effect without sample_len"),
    ({"sample_len": 8192}, "is longer than seq_len 4096"),
    ({"samples": "10k", "tokens": "1B"}, "omit one of the two"),
    ({"epochs": 3}, "has no effect without samples"),
    ({"samples": "many"}, "samples=many: write a number above 0"),
    ({"accumulation": 4}, "has no effect without micro_batch"),
    ({"fsdp": "full_shard", "zero": 1}, "fsdp full_shard is stage 3"),
    ({"offload": "parameters"}, None),
    ({"offload": "parameters", "zero": 1}, "parameters are offloaded with zero = 3 only"),
    ({"offload": "disk"}, "must be none, both, or any of"),
    ({"host_memory": 64}, "has no effect without offload"),
    ({"ep": 8}, "llama-3.1-8b has no routed experts"),
    ({"overlap_experts": True}, "llama-3.1-8b has no routed experts"),
    ({"mtp": True}, "has no layers that predict further tokens"),
    ({"optimizer": "adm"}, "unknown. Did you mean"),
    ({"recompute": "some"}, "recompute=some: unknown"),
    ({"run": "deepseek-v3", "gpus": 8}, "run says 2048 \\(as published\\)"),
    ({"gpus": 1, "tp": 2}, "there is one accelerator"),
    ({"zero_bubble": True, "pp": 1}, "has no effect with pp 1"),
    ({"pod": 4}, "pod=4: has no effect without oversubscription"),
    ({"oversubscription": 2}, "oversubscription=2: has no effect on 8 h100_sxm"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_settings_without_effect_or_sense_are_refused(given, message):
    arguments = {"gpus": 8} | given
    model = None if "run" in given else "llama-3.1-8b"
    if message is None:
        assert jevons.train(model, **arguments).best.layout.zero == 3
        return
    with pytest.raises(InputError, match=message):
        jevons.train(model, **arguments)


def test_formats_of_frozen_weights_are_those_that_models_know():
    for name in FROZEN:
        assert 0.5 < Lora(frozen=name).frozen_bytes <= 2.0


def test_a_layout_that_fills_the_memory_is_named_but_not_recommended():
    run = jevons.train("llama-3.1-405b", gpus=16_384, seq_len=8192, cp=1)
    assert run.margin_frac > 0.1
    assert not run.tight
    assert run.faster is not None
    assert f"{run.faster.layout} takes" in run.answer
    assert "tight" in run.answer
    assert run.to_json()["faster"] == str(run.faster.layout)


def test_long_sequences_are_split_as_published_runs_of_megatron_do():
    run = jevons.train("llama-3.1-405b", gpus=16_384, seq_len=8192)
    assert run.best.layout.cp == 2
    assert run.margin_frac > 0.1


def test_zero_2_alone_finds_a_layout_with_pipeline_stages_where_deepspeed_has_none():
    run = jevons.train("llama-3.1-405b", gpus=4096, zero=2)
    assert run.best.layout.zero == 2
    assert run.best.layout.pp > 1
    with pytest.raises(InfeasibleError, match="none divides"):
        jevons.train("llama-3.1-405b", gpus=4096, zero=2, framework="deepspeed")


def test_a_batch_that_is_not_given_is_one_that_the_devices_share_evenly():
    assert jevons.train("llama-3.1-70b", gpus=72).job.global_batch == 1026
    assert jevons.train("llama-3.1-70b", gpus=64).job.global_batch == 1024

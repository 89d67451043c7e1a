"""Totals against what publishers print on model cards and in technical reports."""

import json
import re
from dataclasses import replace

import pytest

from jevons import models
from jevons.errors import InputError
from places import TABLES

# name: (total in 10^9, source)
PUBLISHED = {
    "mistral-large-123b": (122.61, "weights index"), "codestral-22b": (22.25, "weights index"),
    "command-r-35b": (34.98, "weights index"), "command-r-plus-104b": (103.81, "weights index"),
    "command-r-08-2024-32b": (32.3, "weights index"), "tinyllama-1.1b": (1.1, "model card"),
    "smollm2-1.7b": (1.71, "weights index"), "phi-3-medium-14b": (13.96, "weights index"),
    "phi-3.5-mini-3.8b": (3.82, "model card"), "phi-3.5-moe-42b": (41.87, "weights index"),
    "qwen1.5-72b": (72.29, "weights index"), "glm-4-9b": (9.4, "weights index"),
    "internlm2.5-20b": (19.86, "weights index"), "falcon3-10b": (10.31, "weights index"),
    "gpt-j-6b": (6.05, "model card"), "bloom-7b1": (7.07, "model card"),
    "llama-2-7b": (6.738, "model card"), "llama-2-13b": (13.016, "model card"), "llama-2-70b": (68.98, "model card"),
    "llama-3.1-8b": (8.03, "model card"), "llama-3.1-70b": (70.6, "model card"),
    "llama-3.1-405b": (406.0, "model card"),
    "llama-3.2-1b": (1.23, "model card"), "llama-3.2-3b": (3.21, "model card"),
    "llama-4-maverick-17b-128e": (400.0, "model card, 400 B; vision left out"),
    "mistral-7b": (7.24, "model card"), "mixtral-8x7b": (46.7, "model card"), "mixtral-8x22b": (140.6, "model card"),
    "qwen2.5-0.5b": (0.494, "model card"), "qwen2.5-1.5b": (1.54, "model card"), "qwen2.5-3b": (3.09, "model card"),
    "qwen2.5-7b": (7.62, "model card"), "qwen2.5-14b": (14.77, "model card"), "qwen2.5-32b": (32.76, "model card"),
    "qwen2.5-72b": (72.7, "model card"), "qwen2-57b-a14b": (57.4, "model card"),
    "qwen3-0.6b": (0.596, "weights index"), "qwen3-8b": (8.19, "model card"), "qwen3-14b": (14.77, "model card"),
    "qwen3-32b": (32.76, "model card"), "qwen3-30b-a3b": (30.53, "model card"),
    "qwen3-235b-a22b": (235.09, "model card"), "qwen3-coder-480b-a35b": (480.15, "model card"),
    "qwen3-next-80b-a3b": (79.67, "weights less the MTP layer"),
    "deepseek-v2": (235.74, "weights index"), "deepseek-v2-lite": (15.71, "weights index"),
    "deepseek-v3": (671.0, "technical report"), "deepseek-r1": (671.0, "technical report"),
    "gpt-oss-20b": (20.91, "model card"), "gpt-oss-120b": (116.83, "model card"),
    "gemma-2-9b": (9.24, "weights index"), "gemma-2-27b": (27.23, "weights index"), "phi-4": (14.66, "weights index"),
    "kimi-k2": (1026.4, "weights index; the report rounds to 1.04 T"), "bloom-176b": (176.25, "technical report"),
    "gpt-3-175b": (174.6, "Megatron-LM, 96 layers of 12288"), "mpt-7b": (6.65, "model card"),
    "mpt-30b": (29.96, "model card"),
    "deepseek-v4-flash": (284.0, "model card"), "kimi-linear-48b-a3b": (49.1227, "counted tensors"),
    "minimax-m1-80k": (456.0, "model card"), "ernie-4.5-21b-a3b": (21.8, "model card"),
    "glm-4.7-flash": (29.943, "counted tensors less the MTP layer and its embeddings"),
    "nemotron-nano-9b-v2": (8.89, "model card"), "seed-oss-36b": (36.15, "model card"),
    "gemma-7b": (8.54, "weights index"), "gemma-2b": (2.51, "weights index"), "gemma-2-2b": (2.61, "weights index"),
    "granite-3.1-8b": (8.17, "weights index"), "granite-3.1-2b": (2.53, "weights index"),
    "codellama-13b": (13.02, "weights index"), "codellama-34b": (33.74, "weights index"),
    "phi-3-mini-4k": (3.82, "weights index"), "phi-4-mini": (3.84, "weights index"),
    "mistral-nemo": (12.25, "weights index"), "mistral-small-24b": (23.57, "weights index"),
    "qwen1.5-moe-a2.7b": (14.32, "weights index"), "smollm3-3b": (3.08, "weights index"),
    "kimi-dev-72b": (72.71, "weights index"), "deepseek-coder-33b": (33.34, "weights index"),
    "glm-4.5-air": (106.85, "weights less the MTP layer; the report rounds to 106 B"),
    "apertus-70b": (70.6, "weights index"), "apertus-8b": (8.05, "weights index"), "arctic-480b": (480, "model card"),
    "baichuan2-13b": (13.9, "weights index"), "baichuan2-7b": (7.51, "weights index"),
    "chatglm3-6b": (6.24, "weights index"), "command-a-111b": (111.06, "weights index"),
    "command-r7b": (8.03, "weights index"), "dbrx": (131.6, "weights index"),
    "deepseek-llm-67b": (67.4, "weights index"), "deepseek-llm-7b": (6.91, "weights index"),
    "deepseek-moe-16b": (16.4, "weights index"), "devstral-2-123b": (125, "weights index"),
    "ernie-4.5-300b-a47b": (300, "model card"), "exaone-4.0-32b": (32, "weights index"),
    "falcon-40b": (41.3, "weights index"), "falcon-7b": (6.92, "weights index"),
    "falcon-h1-34b": (33.6, "weights index"), "gpt-neox-20b": (20.55, "weights index"),
    "granite-4.0-h-small": (32.2, "weights index"), "grok-2": (269.5, "weights index"),
    "hunyuan-a13b": (80.4, "weights index"), "internlm2.5-7b": (7.74, "weights index"),
    "internlm3-8b": (8.8, "weights index"), "jamba-large-1.6": (398.6, "weights index"),
    "jamba-mini-1.6": (51.6, "weights index"), "k-exaone-236b-a23b": (236, "model card"),
    "lfm2-8b-a1b": (8.3, "weights index"), "ling-1t": (1000, "model card"), "ling-flash-2.0": (103, "weights index"),
    "llama-3.2-11b-vision": (9.78, "weights index"), "longcat-flash-560b": (560, "model card"),
    "ministral-3-3b": (3.43, "weights index"), "ministral-3-8b": (8.49, "weights index"),
    "mistral-large-3-675b": (673, "model card, without vision"), "olmo-2-32b": (32.23, "weights index"),
    "olmoe-1b-7b": (6.92, "weights index"), "opt-13b": (12.85, "weights index"),
    "opt-30b": (29.97, "weights index"), "opt-6.7b": (6.66, "weights index"), "opt-66b": (65.7, "weights index"),
    "pixtral-12b": (12.25, "weights index"), "qwen1.5-110b": (111.2, "weights index"),
    "qwen1.5-32b": (32.5, "weights index"), "qwen2.5-vl-32b": (32.76, "language part"),
    "qwen2.5-vl-3b": (3.09, "language part"), "qwen2.5-vl-72b": (72.71, "language part"),
    "solar-open-100b": (102.6, "weights index"), "starcoder2-15b": (15.96, "weights index"),
    "step-3-321b": (316, "model card, language part"), "yi-1.5-9b": (8.83, "weights index"),
    "yi-6b": (6.06, "weights index"),
}  # fmt: skip

ACTIVE = {
    "deepseek-v3": 37.0, "qwen3-235b-a22b": 22.0, "kimi-k2": 32.0, "gpt-oss-120b": 5.1, "gpt-oss-20b": 3.6,
    "ernie-4.5-300b-a47b": 47.0, "granite-4.0-h-small": 9.0, "hunyuan-a13b": 13.0, "jamba-large-1.6": 94.0,
    "dbrx": 36.0, "k-exaone-236b-a23b": 23.0, "step-3-321b": 38.0, "longcat-flash-560b": 27.0,
    "mixtral-8x7b": 12.9, "glm-4.5": 32.0, "deepseek-v4-pro": 49.0, "deepseek-v4-flash": 13.0, "kimi-k3": 104.0,
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_total_parameters_match_the_published_ones(name):
    published, source = PUBLISHED[name]
    assert models.load(name).parameters_total / 1e9 == pytest.approx(published, rel=0.005), source


@pytest.mark.parametrize("name", ACTIVE)
def test_active_parameters_match_the_published_rounding(name):
    assert models.load(name).parameters_active / 1e9 == pytest.approx(ACTIVE[name], rel=0.03)


def test_glm_4_5_is_below_its_rounded_total_by_its_mtp_layer():
    """The publisher's 355 B counts the multi-token-prediction layer, which totals here leave out."""
    spec = models.load("glm-4.5")
    layer = max(models.expert_parameters(g.feed_forward, spec.hidden) * g.feed_forward.experts for g in spec.layers)
    assert spec.parameters_total < 355e9 < spec.parameters_total + 2 * layer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("deepseek-v3", (512 + 64) * 61 * 2),
        ("llama-3.1-70b", 2 * 8 * 128 * 80 * 2),
        ("llama-3.1-8b", 131_072),
        ("qwen2.5-7b", 2 * 4 * 128 * 28 * 2),
        ("gpt-oss-120b", 2 * 8 * 64 * 18 * 2),
        ("mixtral-8x7b", 131_072),
    ],
)
def test_cache_per_token(name, expected):
    spec = models.load(name)
    assert spec.kv_bytes_per_token("bf16") == expected
    assert spec.kv_bytes_per_token("fp8") == expected / 2


def test_windows_are_a_state_and_not_a_growing_cache():
    spec = models.load("gpt-oss-120b")
    assert spec.state_bytes_per_sequence() == 18 * 128 * 2 * 8 * 64 * 2


def test_work_per_token_is_twice_the_active_matrices():
    spec = models.load("llama-3.1-8b")
    assert spec.flop_per_token() == pytest.approx(2 * spec.parameters_active, rel=1e-3)
    attention = 4 * 32 * 128 * 32
    assert spec.flop_per_token(1000) - spec.flop_per_token() == pytest.approx(attention * 1000)


def test_work_of_a_mixture_counts_the_experts_taken():
    spec = models.load("mixtral-8x7b")
    assert spec.flop_per_token() == pytest.approx(2 * spec.parameters_active, rel=1e-3)


def test_shipped_precision_is_read_from_the_file():
    assert models.load("deepseek-r1").weight_precision.experts == "fp8_block"
    assert models.load("gpt-oss-120b").weight_precision.experts == "mxfp4"
    assert models.load("gpt-oss-120b").weight_bytes() == pytest.approx(65.2e9, rel=0.01)
    assert models.load("llama-3.1-70b").weight_bytes() == pytest.approx(141.1e9, rel=0.001)
    assert models.load("llama-3.1-70b").weight_bytes("fp8") == pytest.approx(72.7e9, rel=0.01)


@pytest.mark.parametrize(
    ("spelling", "name", "hint"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama-3.1-8b", None),
        ("meta-llama/Meta-Llama-3.1-70B-Instruct-FP8", "llama-3.1-70b", "fp8"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "qwen2.5-72b", "int4"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1", None),
        ("nvidia/DeepSeek-R1-NVFP4", "deepseek-r1", "nvfp4"),
        ("Llama2-70B", "llama-2-70b", None),
        ("Qwen/Qwen3-30B-A3B-FP8", "qwen3-30b-a3b", "fp8"),
        ("baidu/ERNIE-4.5-21B-A3B-PT", "ernie-4.5-21b-a3b", None),
        ("nvidia/NVIDIA-Nemotron-Nano-9B-v2", "nemotron-nano-9b-v2", None),
        ("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5", "llama-3.3-nemotron-super-49b", None),
        ("Llama 3.1 8B Instruct", "llama-3.1-8b", None),
        ("llama3.1:8b", "llama-3.1-8b", None),
        ("Llama 4 Maverick", "llama-4-maverick-17b-128e", None),
        ("deepseek-ai/DeepSeek-V3.2-Exp", "deepseek-v3.2", None),
        ("nvidia/DeepSeek-R1-0528-NVFP4-v2", "deepseek-r1", "nvfp4"),
        ("unsloth/Meta-Llama-3.1-8B-bnb-4bit", "llama-3.1-8b", "int4"),
        ("qwen2.5-72b-instruct-gptq-int8", "qwen2.5-72b", "int8"),
        ("RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w8a8", "llama-3.1-8b", "int8"),
        ("amd/DeepSeek-R1-0528-MXFP4-Preview", "deepseek-r1", "mxfp4"),
        ("amd/gpt-oss-120b-w-mxfp4-a-fp8", "gpt-oss-120b", "mxfp4"),
        ("rednote-hilab/dots.llm1.inst", "dots.llm1", None),
        ("stepfun-ai/Step-3.5-Flash", "step-3.7-flash", None),
        ("xai-org/grok-2", "grok-2", None),
        ("facebook/opt-66b", "opt-66b", None),
        ("mistralai/Ministral-3-8B-Reasoning-2512", "ministral-3-8b-reasoning", None),
        ("mistralai/Mistral-Large-3-675B-Instruct-2512-NVFP4", "mistral-large-3-675b", "nvfp4"),
        ("Snowflake/snowflake-arctic-instruct", "arctic-480b", None),
    ],
)
def test_names_are_recognised_in_their_spellings(spelling, name, hint):
    found = models.resolve(spelling)
    assert (found.spec_name, found.precision_hint) == (name, hint)


@pytest.mark.parametrize(
    ("name", "dense", "experts"),
    [
        ("Qwen3-32B-AWQ", "int4", "int4"), ("Qwen3-30B-A3B-FP8", "fp8_block", "fp8_block"),
        ("qwen3-32b", "bf16", "bf16"),
        ("nvidia/DeepSeek-R1-FP4", "nvfp4", "nvfp4"), ("gpt-oss-120b-fp8", "bf16", "mxfp4"),
    ],
)  # fmt: skip
def test_a_precision_in_a_name_is_that_of_the_weights(name, dense, experts):
    weights = models.load(name).weight_precision
    assert (weights.dense, weights.experts) == (dense, experts)


def test_4_bit_checkpoints_of_deepseek_r1_hold_the_output_projection_of_attention_too():
    r1, other = (models.quantised(models.load(name), "fp4") for name in ("deepseek-r1", "glm-4.5"))
    stored = r1.weight_precision
    assert (stored.attention, stored.outputs, other.weight_precision.outputs) == ("bf16", "nvfp4", "bf16")
    wider = replace(r1, weight_precision=replace(stored, outputs="bf16"))
    saved_bytes = wider.weight_bytes() - r1.weight_bytes()
    assert saved_bytes == pytest.approx(61 * 16384 * 7168 * (16 - 4.5) / 8, rel=0.01)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TheBloke/Llama-2-7B-GGUF", "its type as --precision, such as q4_k_m"),
        ("kimi", "may be `kimi-dev-72b` or `kimi-k2`"), ("", "unknown model"), ("x" * 500, "unknown model `xxx"),
    ],
)  # fmt: skip
def test_names_of_no_one_model_are_refused_with_what_to_give(name, told):
    with pytest.raises(InputError, match=told):
        models.load(name)


def test_unknown_names_offer_near_ones():
    with pytest.raises(InputError, match="Did you mean `llama-3.1-8b`"):
        models.load("llama-3.1-9b")


NEMOTRON = {
    "model_type": "nemotron_h", "hidden_size": 2688, "vocab_size": 131072,
    "hybrid_override_pattern": "ME" * 23 + "*" * 6,
    "mamba_num_heads": 64, "mamba_head_dim": 64, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4,
    "use_conv_bias": True, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
    "n_routed_experts": 128, "num_experts_per_tok": 6, "moe_intermediate_size": 1856,
    "moe_shared_expert_intermediate_size": 3712,
}  # fmt: skip


def test_state_space_hybrids_are_read_by_their_pattern():
    """Nemotron 3 Nano: 31.6 B in all and 3.2 B active without embeddings, as its report prints."""
    spec = models.spec_of(NEMOTRON, "nano")
    assert spec.parameters_total / 1e9 == pytest.approx(31.6, rel=0.005)
    assert spec.parameters_active / 1e9 == pytest.approx(3.2, rel=0.03)
    assert spec.kv_bytes_per_token() == 6 * 2 * 2 * 128 * 2
    assert spec.state_bytes_per_sequence() == 23 * 64 * 64 * 128 * 4


def test_patterns_of_unknown_letters_are_refused():
    with pytest.raises(InputError, match="hybrid_override_pattern"):
        models.spec_of(NEMOTRON | {"hybrid_override_pattern": "MXM"}, "nano")


GOOD = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "intermediate_size": 128, "vocab_size": 100,
}  # fmt: skip


def write(tmp_path, content):
    path = tmp_path / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_users_own_file_is_read(tmp_path):
    spec = models.load(str(write(tmp_path, GOOD)), name="mine")
    assert spec.name == "mine"
    assert spec.parameters_total == 2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64) + 2 * 100 * 64 + 64


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "config.json:1:2: is not JSON"),
        ("[]", "must be a JSON object"),
        (GOOD | {"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "this is an encoder: only decoders"),
        (GOOD | {"hidden_size": -1}, "hidden_size: -1: must lie between"),
        (GOOD | {"hidden_size": "wide"}, "must be a whole number"),
        (GOOD | {"num_attention_heads": 5}, "does not divide hidden_size"),
        (GOOD | {"num_key_value_heads": 3}, "does not divide num_attention_heads"),
        ({k: v for k, v in GOOD.items() if k != "vocab_size"}, "vocab_size: is missing"),
        (GOOD | {"num_hidden_layers": 10**9}, "must lie between"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path, content, part):
    with pytest.raises(InputError, match=part):
        models.load(str(write(tmp_path, content)))


def test_all_faults_are_reported_together(tmp_path):
    bad = GOOD | {"hidden_size": -1, "vocab_size": 2.5}
    with pytest.raises(InputError) as caught:
        models.load(str(write(tmp_path, bad)))
    assert len(caught.value.faults) >= 2


def test_huge_files_are_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(" " * 11_000_000)
    with pytest.raises(InputError, match="at most"):
        models.load(str(path))


SHARED = TABLES / "model_configs"


# Total and active parameters [10^9] as publishers state them, for names that print no size.
STATED = {
    "MiniMax-M2": (230, 10), "MiMo-V2-Flash": (309, 15), "DeepSeek-R1": (671, 37), "DeepSeek-V3": (671, 37),
    "Mixtral-8x22B": (141, 39), "Mixtral-8x7B": (46.7, 12.9), "Kimi-K2": (1026, 32), "GLM-5": (744, 40),
    "gpt-oss-120b": (116.8, 5.1), "gpt-oss-20b": (20.9, 3.6),
    "DeepSeek-V4-Flash": (284, 13), "DeepSeek-V4-Pro": (1573, 49), "Kimi-K3": (2780, 104),
    "MiniMax-M1": (456, 45.9), "dots.llm1": (142, 14), "Phi-mini-MoE": (7.6, 2.4), "GLM-4.7-Flash": (29.9, 3.6),
}  # fmt: skip


def stated_sizes(name):
    """Return total and active parameters that a file's name or its publisher states; None where none is known."""
    both = re.search(r"-(\d+(?:\.\d+)?)B-A(\d+(?:\.\d+)?)B", name)
    if both:
        return float(both[1]), float(both[2])
    known = next((sizes for prefix, sizes in STATED.items() if name.split("__")[1].startswith(prefix)), None)
    if known is not None:
        return known
    one = re.search(r"-(\d+(?:\.\d+)?)B(?=-|\.json)", name)
    return (float(one[1]), None) if one else None


@pytest.mark.skipif(not SHARED.is_dir(), reason="publishers' full files are not in this checkout")
def test_publishers_files_match_the_size_in_their_name():
    for path in sorted(SHARED.glob("*.json")):
        spec = models.load(str(path))
        sizes = stated_sizes(path.name)
        if sizes is None or "-VL-" in path.name:
            continue
        total, active = spec.parameters_total / 1e9, spec.parameters_active / 1e9
        if sizes[1] is None:  # Llama 4 prints its active parameters alone
            assert sizes[0] in (pytest.approx(total, rel=0.1), pytest.approx(active, rel=0.1)), path.name
            continue
        assert total == pytest.approx(sizes[0], rel=0.1), path.name
        assert active == pytest.approx(sizes[1], rel=0.2), path.name  # Qwen3-Next states 3 of 3.6 with embeddings


def test_the_parts_of_the_library_are_short_and_searchable():
    import jevons

    assert repr(jevons.model("qwen3-32b")) == (
        "<qwen3-32b: 32.8 bn parameters, 32 bn active, KV 262,144 bytes/token, context 40,960 tokens>"
    )
    assert any(fact.id == "h20.price_cny" for fact in jevons.facts.search("h20 price"))


def test_a_config_that_changed_is_read_again(tmp_path):
    import jevons

    path, shipped = tmp_path / "config.json", json.loads((models.library._CONFIGS / "qwen3-0.6b.json").read_text())
    sizes = []
    for layers in (4, 8):
        path.write_text(json.dumps({**shipped, "num_hidden_layers": layers}))
        sizes += [models.load(str(path)).n_layers, models.load(str(tmp_path)).n_layers]
        jevons.memory(str(tmp_path), gpu="h20")
    assert sizes == [4, 4, 8, 8]

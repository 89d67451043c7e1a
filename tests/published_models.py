"""Configurations by the keys of their publishers' files with what they state, and dialects of quantisation."""

from __future__ import annotations

from typing import Any

HEADS = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size", "vocab_size",
)  # fmt: skip


def plain(kind: str, *sizes: int, **extra: Any) -> dict[str, Any]:
    """Return a config of width, depth, heads, cached heads, inner width and vocabulary."""
    return {"model_type": kind, **dict(zip(HEADS, sizes, strict=True)), **extra}


# name: (config, total and active parameters [10^9] as stated, cached bytes a token in 16 bits)
STATED: dict[str, tuple[dict[str, Any], float, float | None, float]] = {
    "Jamba-v0.1": (
        plain("jamba", 4096, 32, 32, 8, 14336, 65536, attn_layer_period=8, attn_layer_offset=4, expert_layer_period=2,
              expert_layer_offset=1, num_experts=16, num_experts_per_tok=2, mamba_d_state=16, mamba_d_conv=4,
              mamba_expand=2, mamba_dt_rank=256),
        51.6, 12.1, 4 * 2 * 8 * 128 * 2,
    ),
    "LongCat-Flash-Lite": (
        {"model_type": "longcat_flash_ngram", "hidden_size": 3072, "num_layers": 14, "num_attention_heads": 32,
         "ffn_hidden_size": 6144, "expert_ffn_hidden_size": 1024, "vocab_size": 131072, "kv_lora_rank": 512,
         "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
         "n_routed_experts": 256, "moe_topk": 12, "zero_expert_num": 128, "ngram_vocab_size_ratio": 78,
         "emb_neighbor_num": 4, "emb_split_num": 4},
        68.5, 3.7, 28 * 576 * 2,  # 2.9 to 4.5 active
    ),
    "OLMo-Hybrid-7B": (
        plain("olmo_hybrid", 3840, 32, 30, 30, 11008, 100352,
              layer_types=[*["linear_attention"] * 3, "full_attention"] * 8, linear_num_key_heads=30,
              linear_num_value_heads=30, linear_key_head_dim=96, linear_value_head_dim=192, linear_conv_kernel_dim=4),
        7.43, None, 8 * 2 * 30 * 128 * 2,
    ),
    "Nemotron-H-8B": (
        plain("nemotron_h", 4096, 52, 32, 8, 21504, 131072, head_dim=128, mamba_num_heads=128, mamba_head_dim=64,
              hybrid_override_pattern="M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-", n_groups=8,
              ssm_state_size=128, conv_kernel=4, expand=2),
        8.10, None, 4 * 2 * 8 * 128 * 2,
    ),
    "Mamba-2.8B": (
        {"model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64, "intermediate_size": 5120,
         "state_size": 16, "conv_kernel": 4, "expand": 2, "time_step_rank": 160, "vocab_size": 50280},
        2.77, None, 0,
    ),
    "Falcon-H1-34B": (
        plain("falcon_h1", 5120, 72, 20, 4, 21504, 261120, head_dim=128, mamba_d_ssm=4096, mamba_n_heads=32,
              mamba_d_head=128, mamba_n_groups=2, mamba_d_state=256, mamba_d_conv=4),
        33.6, None, 72 * 2 * 4 * 128 * 2,
    ),
    "Granite-4.0-H-Small": (
        plain("granitemoehybrid", 4096, 40, 32, 8, 768, 100352, tie_word_embeddings=True, mamba_n_heads=128,
              layer_types=(["mamba"] * 5 + ["attention"] + ["mamba"] * 4) * 4, mamba_d_head=64, mamba_d_state=128,
              mamba_n_groups=1, num_local_experts=72, num_experts_per_tok=10, shared_intermediate_size=1536),
        32.2, 9.0, 4 * 2 * 8 * 128 * 2,
    ),
    "Hunyuan-A13B": (
        plain("hunyuan_v1_moe", 4096, 32, 32, 8, 3072, 128167, head_dim=128, moe_intermediate_size=[3072] * 32,
              num_experts=64, moe_topk=[8] * 32, num_shared_expert=[1] * 32, tie_word_embeddings=True),
        80.4, 13.0, 32 * 2 * 8 * 128 * 2,
    ),
    "Ling-1T": (
        plain("bailing_moe_v2", 8192, 80, 64, 8, 18432, 157184, head_dim=128, moe_intermediate_size=2048,
              num_experts=256, num_experts_per_tok=8, num_shared_experts=1, first_k_dense_replace=4),
        1000, 50, 80 * 2 * 8 * 128 * 2,
    ),
    "EXAONE-4.0-32B": (
        plain("exaone4", 5120, 64, 40, 8, 27392, 102400, head_dim=128, sliding_window=4096,
              sliding_window_pattern="LLLG"),
        32.0, None, 16 * 2 * 8 * 128 * 2,
    ),
    "K-EXAONE-236B-A23B": (
        plain("exaone_moe", 6144, 48, 64, 8, 18432, 153600, head_dim=128, moe_intermediate_size=2048, num_experts=128,
              num_experts_per_tok=8, num_shared_experts=1, first_k_dense_replace=1, sliding_window=128,
              sliding_window_pattern="LLLG"),
        236, 23, 12 * 2 * 8 * 128 * 2,
    ),
    "InternLM3-8B": (
        plain("internlm3", 4096, 48, 32, 2, 10240, 128512, head_dim=128), 8.80, None, 48 * 2 * 2 * 128 * 2,
    ),
    "Qwen2.5-VL-7B": (
        plain("qwen2_5_vl", 3584, 28, 28, 4, 18944, 152064, use_sliding_window=False, sliding_window=32768,
              vision_config={"hidden_size": 1280, "depth": 32, "model_type": "qwen2_5_vl"}),
        7.62, None, 28 * 2 * 4 * 128 * 2,
    ),
    "Phi-3.5-MoE": (
        plain("phimoe", 4096, 32, 32, 8, 6400, 32064, num_local_experts=16, num_experts_per_tok=2), 41.9, 6.6,
        32 * 2 * 8 * 128 * 2,
    ),
    "OLMoE-1B-7B": (
        plain("olmoe", 2048, 16, 16, 16, 1024, 50304, num_experts=64, num_experts_per_tok=8), 6.92, 1.3,
        16 * 2 * 16 * 128 * 2,
    ),
    "LongCat-Flash": (
        {"model_type": "longcat_flash", "hidden_size": 6144, "num_layers": 28, "num_attention_heads": 64,
         "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
         "ffn_hidden_size": 12288, "expert_ffn_hidden_size": 2048, "n_routed_experts": 512, "zero_expert_num": 256,
         "moe_topk": 12, "vocab_size": 131072},
        560, 27, 56 * 576 * 2,
    ),
    "DBRX": (
        {"model_type": "dbrx", "d_model": 6144, "n_layers": 40, "n_heads": 48, "vocab_size": 100352,
         "attn_config": {"kv_n_heads": 8},
         "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}},
        132, 36, 40 * 2 * 8 * 128 * 2,
    ),
    "Step-3": (
        {"model_type": "step3_vl", "text_config": {
            "model_type": "step3_text", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 64,
            "num_attention_groups": 1, "head_dim": 256, "share_q_dim": 2048, "intermediate_size": 18432,
            "moe_intermediate_size": 5120, "moe_num_experts": 48, "moe_top_k": 3, "share_expert_dim": 5120,
            "vocab_size": 128815, "moe_layers_enum": ",".join(map(str, range(4, 60)))}},
        316, 38, 61 * 2 * 256 * 2,
    ),
    "Step-3.5-Flash": (
        {"model_type": "step3p5", "hidden_size": 4096, "intermediate_size": 11264, "num_hidden_layers": 45,
         "num_attention_heads": 64, "num_attention_groups": 8, "head_dim": 128, "vocab_size": 128896,
         "moe_layers_enum": ",".join(map(str, range(3, 45))), "moe_num_experts": 288, "moe_top_k": 8,
         "moe_intermediate_size": 1280, "share_expert_dim": 1280, "sliding_window": 512,
         "layer_types": ["full_attention", *["sliding_attention"] * 3] * 12, "use_head_wise_attn_gate": True,
         "attention_other_setting": {"attention_type": "sliding_attention", "num_attention_heads": 96,
                                     "num_attention_groups": 8, "head_dim": 128}},
        196, 11, 12 * 2 * 8 * 128 * 2,
    ),
    "Nemotron-Nano-9B-v2": (
        {"model_type": "nemotron_h", "hidden_size": 4480, "vocab_size": 131072, "num_attention_heads": 40,
         "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-",
         "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 15680, "mamba_num_heads": 128,
         "mamba_head_dim": 80, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4, "use_conv_bias": True},
        8.89, None, 4 * 2 * 8 * 128 * 2,
    ),
    "Gemma-4-E4B": (
        plain("gemma4_text", 2560, 42, 8, 2, 10240, 262144, head_dim=256, global_head_dim=512, sliding_window=512,
              layer_types=(["sliding_attention"] * 5 + ["full_attention"]) * 7, hidden_size_per_layer_input=256,
              vocab_size_per_layer_input=262144, num_kv_shared_layers=18, tie_word_embeddings=True),
        7.5, 4.5, 4 * 2 * 2 * 512 * 2,
    ),
    "Gemma-4-E2B": (
        plain("gemma4_text", 1536, 35, 8, 1, 6144, 262144, head_dim=256, global_head_dim=512, sliding_window=512,
              layer_types=(["sliding_attention"] * 4 + ["full_attention"]) * 7, hidden_size_per_layer_input=256,
              vocab_size_per_layer_input=262144, num_kv_shared_layers=20, use_double_wide_mlp=True,
              tie_word_embeddings=True),
        4.65, 2.3, 3 * 2 * 512 * 2,
    ),
    "Gemma-3-4B": (
        {"model_type": "gemma3", "text_config": {
            "hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text", "num_hidden_layers": 34,
            "sliding_window": 1024}},
        3.88, None, 5 * 2 * 4 * 256 * 2,
    ),
    "Gemma-3n-E4B": (
        plain("gemma3n_text", 2048, 35, 8, 2, 16384, 262400, head_dim=256, sliding_window=512,
              layer_types=(["sliding_attention"] * 4 + ["full_attention"]) * 7, hidden_size_per_layer_input=256,
              vocab_size_per_layer_input=262144, num_kv_shared_layers=15) | {"intermediate_size": [16384] * 35},
        6.87, 4.5, 4 * 2 * 2 * 256 * 2,
    ),
    "Pixtral-12B": (
        {"model_type": "llava", "text_config": {
            "hidden_size": 5120, "head_dim": 128, "intermediate_size": 14336, "model_type": "mistral",
            "num_hidden_layers": 40, "num_key_value_heads": 8, "sliding_window": None, "vocab_size": 131072}},
        12.25, None, 40 * 2 * 8 * 128 * 2,
    ),
    "Llama-3.2-11B-Vision": (
        {"model_type": "mllama", "text_config": plain(
            "mllama_text_model", 4096, 40, 32, 8, 14336, 128256,
            cross_attention_layers=[3, 8, 13, 18, 23, 28, 33, 38])},
        9.78, None, 32 * 2 * 8 * 128 * 2,
    ),
    "DeepSeek-MoE-16B": (
        plain("deepseek", 2048, 28, 16, 16, 10944, 102400, moe_intermediate_size=1408, n_routed_experts=64,
              n_shared_experts=2, num_experts_per_tok=6, first_k_dense_replace=1, moe_layer_freq=1),
        16.4, 2.8, 28 * 2 * 16 * 128 * 2,
    ),
    "Ling-3-like hybrid": (
        plain("bailing_hybrid", 1536, 24, 16, 16, 4608, 157184, head_dim=128, layer_group_size=4, no_kda_lora=True,
              short_conv_kernel_size=4, kda_lower_bound=-5, kv_lora_rank=512, q_lora_rank=None, qk_nope_head_dim=128,
              qk_rope_head_dim=64, v_head_dim=128, num_experts=128, num_experts_per_tok=8, num_shared_experts=1,
              moe_intermediate_size=512, first_k_dense_replace=1),
        7.95, None, 6 * 576 * 2,
    ),
    "Command A": (
        plain("cohere2", 12288, 64, 96, 8, 36864, 256000, sliding_window=4096, sliding_window_pattern=4), 111, None,
        16 * 2 * 8 * 128 * 2,
    ),
    "Falcon-7B": (
        {"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71,
         "num_kv_heads": 71, "multi_query": True, "new_decoder_architecture": False, "vocab_size": 65024},
        6.92, None, 32 * 2 * 64 * 2,
    ),
    "ChatGLM3-6B": (
        {"model_type": "chatglm", "hidden_size": 4096, "num_layers": 28, "num_attention_heads": 32,
         "multi_query_attention": True, "multi_query_group_num": 2, "kv_channels": 128, "ffn_hidden_size": 13696,
         "padded_vocab_size": 65024, "add_qkv_bias": True},
        6.24, None, 28 * 2 * 2 * 128 * 2,
    ),
    "MiniMax-Text-01": (
        plain("minimax_text_01", 6144, 80, 64, 8, 9216, 200064, head_dim=128, num_local_experts=32,
              num_experts_per_tok=2, attn_type_list=([0] * 7 + [1]) * 10),
        456, 45.9, 10 * 2 * 8 * 128 * 2,
    ),
    "LFM2-8B-A1B": (
        plain("lfm2_moe", 2048, 24, 32, 8, 7168, 65536, conv_L_cache=3, moe_intermediate_size=1792, num_experts=32,
              num_experts_per_tok=4, num_dense_layers=2, tie_word_embeddings=True,
              layer_types=["full_attention" if i in {2, 6, 10, 14, 18, 21} else "conv" for i in range(24)]),
        8.3, 1.5, 6 * 2 * 8 * 64 * 2,
    ),
    "Trinity-like afmoe": (
        plain("afmoe", 2048, 32, 32, 4, 6144, 200192, head_dim=128, moe_intermediate_size=1024, num_experts=128,
              num_experts_per_tok=8, num_shared_experts=1, num_dense_layers=2, global_attn_every_n_layers=4,
              sliding_window=2048),
        26, 3, 8 * 2 * 4 * 128 * 2,
    ),
}  # fmt: skip


def small(kind: str, *groups: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """Return a config of four layers with the keys of some groups."""
    return plain(kind, 256, 4, 8, 8, 512, 1000) | {key: value for one in (*groups, extra) for key, value in one.items()}


_ROUTED = {"n_routed_experts": 8, "num_experts_per_tok": 2}
_SHARED = {"moe_intermediate_size": 128, "n_shared_experts": 1, "num_shared_experts": 1, "hc_mult": 2}
_LATENT = {"kv_lora_rank": 64, "qk_nope_head_dim": 32, "v_head_dim": 32}
_INDEXED = {"index_n_heads": 4, "index_head_dim": 32}
_SPARSE = {"mlp_layer_types": ["dense", "sparse", "sparse", "sparse"]}
_NARROW = {"num_attention_heads": 4, "num_key_value_heads": 4, "kv_lora_rank": 128}
_SLIDING = "sliding_attention"

COUNTED: dict[str, tuple[dict[str, Any], int]] = {
    "kimi_linear": (
        small("kimi_linear", _SHARED, _LATENT, _SPARSE, num_experts=8, num_experts_per_token=2, qk_rope_head_dim=16,
              linear_num_heads=4, linear_head_dim=32, layer_types=["linear_attention"] * 3 + ["full_attention"]),
        4_260_140,
    ),
    "hy_v4": (
        small("hy_v4", _SHARED, _ROUTED, _LATENT, _INDEXED, _SPARSE, q_lora_rank=96, qk_rope_head_dim=16,
              layer_types=["indexed_attention"] * 4, indexer_types=["full", "shared"] * 2),
        4_612_179,
    ),
    "dots3_note_text": (
        small("dots3_note_text", _SHARED, _ROUTED, _LATENT, _INDEXED, _SPARSE, q_lora_rank=96, qk_rope_head_dim=16,
              head_dim=48, shared_experts_intermediate_size=128, layer_types=["indexed_attention"] + [_SLIDING] * 3,
              per_layer_config={"1": _NARROW, "2": _NARROW, "3": _NARROW}),
        4_211_904,
    ),
    "mimo_v2_flash": (
        small("mimo_v2_flash", _ROUTED, _SPARSE, head_dim=48, v_head_dim=32, moe_intermediate_size=128,
              layer_types=["full_attention"] + [_SLIDING] * 3),
        5_075_224,
    ),
    "minimax_m3_vl_text": (
        small("minimax_m3_vl_text", _SPARSE, num_local_experts=8, num_experts_per_tok=2, dense_intermediate_size=700,
              shared_intermediate_size=128, head_dim=32, index_n_heads=2, index_head_dim=32,
              layer_types=["full_attention"] + ["minimax_m3_sparse"] * 3),
        11_912_896,
    ),
    "gemma4_unified_text": (
        small("gemma4_unified_text", head_dim=32, layer_types=[_SLIDING] * 3 + ["full_attention"],
              per_layer_config={"3": {"head_dim": 64, "num_key_value_heads": 2}}),
        2_947_648,
    ),
    "glm5_next_text": (
        small("glm5_next_text", _SHARED, _ROUTED, _LATENT, _INDEXED, _SPARSE, q_lora_rank=96, qk_rope_head_dim=0,
              linear_num_heads=4, linear_head_dim=32, layer_types=["linear_attention"] * 3 + ["indexed_attention"]),
        4_270_116,
    ),
    "muse_glimmer_text": (
        small("muse_glimmer_text", head_dim=32, layer_types=[_SLIDING] * 3 + ["full_attention"]),
        3_399_936,
    ),
    "falcon_mamba": (
        {"model_type": "falcon_mamba", "hidden_size": 256, "num_hidden_layers": 4, "vocab_size": 1000, "state_size": 16,
         "expand": 4, "tie_word_embeddings": False, "intermediate_size": 512},
        2_264_320,
    ),
}  # fmt: skip
"""Small models by the keys that Transformers 5 writes, and what its classes count for them."""

CONFIG = {
    "model_type": "deepseek_v3", "hidden_size": 64, "num_hidden_layers": 8, "num_attention_heads": 4, "vocab_size": 100,
    "intermediate_size": 128, "moe_intermediate_size": 32, "n_routed_experts": 8, "num_experts_per_tok": 2,
    "n_shared_experts": 1, "first_k_dense_replace": 1, "q_lora_rank": 32, "kv_lora_rank": 32, "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8, "v_head_dim": 16,
}  # fmt: skip
FLOAT8 = {"num_bits": 8, "type": "float", "strategy": "channel"}
FLOAT4 = {"num_bits": 4, "type": "float", "group_size": 16}


def groups(weights: dict[str, Any] | None, targets: tuple[str, ...] = ("Linear",), **extra: Any) -> dict[str, Any]:
    """Return a section of compressed-tensors with one group."""
    group = {"weights": weights, "targets": list(targets)}
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}, **extra}


def modelopt(algorithm: str, **extra: Any) -> dict[str, Any]:
    """Return a section of ModelOpt."""
    return {"quant_method": "modelopt", "quant_algo": algorithm, **extra}


# (section, type of attention, of dense blocks, of experts, of the cache)
DIALECTS: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_use_double_quant": True},
     "nf4_double", "nf4_double", "nf4_double", "bf16"),
    ({"quant_method": "bitsandbytes", "_load_in_4bit": True}, "nf4", "nf4", "nf4", "bf16"),
    ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "int8", "int8", "int8", "bf16"),
    ({"quant_method": "fbgemm_fp8", "modules_to_not_convert": [f"model.layers.{i}.self_attn" for i in range(8)]},
     "bf16", "fp8", "fp8", "bf16"),
    ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8_block", "fp8_block", "fp8_block", "bf16"),
    ({"quant_method": "mxfp8"}, "mxfp8", "mxfp8", "mxfp8", "bf16"),
    ({"quant_method": "mxfp4"}, "bf16", "bf16", "mxfp4", "bf16"),
    ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3", "qscheme": "per_tensor"}},
      "kv_cache_quant_config": {"*k_proj": {}}}, "fp8", "fp8", "fp8", "bf16"),
    ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}},
      "exclude": ["re:.*self_attn.*", "lm_head"]}, "bf16", "mxfp4", "mxfp4", "bf16"),
    ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig", "_data": {}}}},
     "int4", "int4", "int4", "bf16"),
    ({"quant_method": "torchao", "quant_type": "float8_dynamic_activation_float8_weight"}, "fp8", "fp8", "fp8", "bf16"),
    ({"quant_method": "torchao", "quant_type": "int8_dynamic_activation_int4_weight"}, "int4", "int4", "int4", "bf16"),
    ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}}},
     "int8", "int8", "int8", "bf16"),
    ({"quant_method": "auto-round", "bits": 4, "group_size": 128, "data_type": "int"}, "int4", "int4", "int4", "bf16"),
    ({"quant_method": "auto-round", "bits": 4, "group_size": 32, "data_type": "mx_fp"},
     "mxfp4", "mxfp4", "mxfp4", "bf16"),
    ({"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}},
     "int4", "int4", "int4", "bf16"),
    ({"quant_method": "gptq", "bits": 3, "group_size": 128}, "int3", "int3", "int3", "bf16"),
    ({"quant_method": "gptq", "bits": 8, "dynamic": {"-:.*self_attn.*": {}}}, "bf16", "int8", "int8", "bf16"),
    ({"quant_method": "gptq", "bits": 4, "dynamic": {"-:.*self_attn.*": {}, "+:.*mlp.experts.*": {"bits": 8}}},
     "bf16", "int4", "int8", "bf16"),
    ({"quant_method": "auto-round", "bits": 4, "group_size": 128, "extra_config": {
        f"model.layers.{i}.self_attn.{name}": {"bits": 8} for i in range(8) for name in ("q_b_proj", "o_proj")}},
     "int8", "int4", "int4", "bf16"),
    ({"quant_method": "fp8", "weight_block_size": [32, 32], "expert_dtype": "fp4"},
     "fp8_block", "fp8_block", "mxfp4", "bf16"),
    ({"quant_method": "awq", "bits": 4, "modules_to_not_convert": ["self_attn"]}, "bf16", "int4", "int4", "bf16"),
    (groups(FLOAT8, kv_cache_scheme={"num_bits": 8, "type": "float"}), "fp8", "fp8", "fp8", "fp8"),
    (groups({"num_bits": 8, "type": "float", "strategy": "block"}), "fp8_block", "fp8_block", "fp8_block", "bf16"),
    (groups(FLOAT4, ignore=["re:.*self_attn.*"]), "bf16", "nvfp4", "nvfp4", "bf16"),
    (groups({"num_bits": 4, "type": "int", "group_size": 32},
            ignore=["re:.*self_attn.*", "re:.*mlp\\.(gate|up)_proj.*"]),
     "bf16", "bf16", "int4_g32", "bf16"),
    (groups({"num_bits": 8, "type": "int"}), "int8", "int8", "int8", "bf16"),
    (groups({"num_bits": 4, "type": "float", "group_size": 32}, format="mxfp4-pack-quantized"),
     "mxfp4", "mxfp4", "mxfp4", "bf16"),
    (groups(FLOAT4, targets=("re:.*mlp.experts.*",)), "bf16", "bf16", "nvfp4", "bf16"),
    (modelopt("FP8", kv_cache_quant_algo="FP8"), "fp8", "fp8", "fp8", "fp8"),
    (modelopt("NVFP4", exclude_modules=[f"model.layers.{i}.self_attn*" for i in range(8)], kv_cache_quant_algo="NVFP4"),
     "bf16", "nvfp4", "nvfp4", "nvfp4"),
    (modelopt("W4A8_AWQ"), "int4", "int4", "int4", "bf16"),
    (modelopt("FP8_PB_WO"), "fp8_block", "fp8_block", "fp8_block", "bf16"),
    (modelopt("MIXED_PRECISION", quantized_layers={
        "model.layers.1.self_attn.q_proj": {"quant_algo": "FP8"},
        "model.layers.1.mlp.experts.0.up_proj": {"quant_algo": "NVFP4"}}), "fp8", "bf16", "nvfp4", "bf16"),
    ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "int4", "group_size": 128}},
      "kv_cache_dtype": "int8"}, "int4", "int4", "int4", "int8"),
]  # fmt: skip

"""Memory that engines logged and trainings that fit or did not, from public reports of 2024 to 2026.

None of them was fitted to. Each test names the report; what people typed is rewritten to the options that say it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import jevons
from jevons.errors import InfeasibleError

GIB = 2**30

QWEN = (
    "vllm serve Qwen/Qwen3.5-27B-FP8 -tp 2 --gpu-memory-utilization 0.92 --kv-cache-dtype fp8_e4m3 "
    "--max-num-batched-tokens 8192 --max-num-seqs 2 --max-model-len 131072"
)
SPARKS = "vllm serve cyankiwi/MiniMax-M2.7-AWQ-4bit -tp 2 --max-model-len 196608 --gpu-memory-utilization 0.85"
EAGLE = (
    "vllm serve meta-llama/Llama-3.1-8B-Instruct --speculative-config "
    """'{"method":"eagle","model":"yuhuili/EAGLE-LLaMA3.1-Instruct-8B","num_speculative_tokens":3}'"""
)
R1 = (
    "python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1 --tp 8 --mem-fraction-static 0.82 "
    "--chunked-prefill-size 32768"
)
# Report, launch line, device, release, logged tokens of the cache, and how far a prediction may be off.
CACHES: tuple[tuple[str, str, str, str | None, int, float], ...] = (
    ("a log of vLLM 0.9.2 on one A100 40GB", "vllm serve Qwen/Qwen3-8B", "a100_40gb", "0.9.2", 136_080, 0.01),
    ("a log of vLLM 0.11 on one MI300X", "vllm serve google/gemma-3-27b-it --max-model-len 4096",
     "mi300x", "0.11", 205_696, 0.01),
    ("a log of vLLM 0.9 on two MI300X", "vllm serve Qwen/Qwen2.5-14B-Instruct -tp 2 --max-model-len 4096",
     "mi300x", "0.9.2", 1_652_080, 0.02),
    ("vllm#33263", "vllm serve Qwen/Qwen3-1.7B --max-num-seqs 1 --max-model-len 1024",
     "rtx_4090", "0.15", 175_856, 0.06),
    ("talos-argocd-proxmox#1995, a successor of this model", QWEN, "rtx_3090", "0.26", 302_921, 0.1),
    ("recipes#810", "vllm serve Qwen/Qwen3.8-27B-FP8 -tp 2 --max-model-len 262144",
     "rtx_5090", "0.26.1", 377_456, 0.03),
    ("spark-vllm-docker#396", SPARKS, "dgx_spark", "0.29", 240_816, 0.03),
    ("recipes#273", "vllm serve MiniMaxAI/MiniMax-M2.5 -tp 2", "mi300x", "0.17.1", 497_600, 0.03),
    ("sglang#18262", "sglang serve --model-path Qwen/Qwen3-30B-A3B-Instruct-2507 --mem-fraction-static 0.911",
     "mi355x", None, 2_227_073, 0.02),
    ("SGLang's guide of January 2025 on one H100",
     "sglang serve --model-path meta-llama/Llama-3.1-8B-Instruct --mem-fraction-static 0.88",
     "h100_sxm", None, 444_500, 0.01),
    ("SGLang's reference log of April 2026 on one B200", "sglang serve --model-path Qwen/Qwen3-8B",
     "b200_sxm", None, 992_896, 0.02),
    ("a log of EAGLE on one H100", EAGLE, "h100_sxm", "0.9.1", 410_128, 0.03),
    ("aisimulate#263", R1, "h200_sxm", None, 509_000, 0.02),
    ("a guide to four L40S", "vllm serve Qwen/Qwen3-Coder-30B-A3B-Instruct -tp 4 --max-model-len 32768",
     "l40s", None, 1_037_152, 0.06),
)  # fmt: skip


@pytest.mark.parametrize(("report", "line", "gpu", "release", "tokens", "off"), CACHES, ids=[one[0] for one in CACHES])
def test_caches_that_engines_logged(
    report: str, line: str, gpu: str, release: str | None, tokens: int, off: float
) -> None:
    own = jevons.memory(serve=line, gpu=gpu, **({"engine_version": release} if release else {}))
    assert own.fits, report
    assert own.kv_tokens == pytest.approx(tokens, rel=off)


def test_a_7b_leaves_631_blocks_of_64_tokens_to_tensorrt_llm(tmp_path: Path) -> None:
    """TensorRT-LLM#2268 (0.13): Qwen1.5-7B on one A100 40GB, of which 21.89 GiB are free."""
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 32, "intermediate_size": 11_008, "vocab_size": 151_936,
        "max_position_embeddings": 32_768, "tie_word_embeddings": False,
    }  # fmt: skip
    file = tmp_path / "qwen1.5-7b.json"
    file.write_text(json.dumps(config))
    own = jevons.memory(serve=f"trtllm-serve {file} --max_batch_size 64 --max_num_tokens 8192", gpu="a100_40gb")
    assert own.kv_tokens == pytest.approx(631 * 64, rel=0.03)


def test_a_27b_in_8_bits_on_four_h100_is_told_no_more_than_it_had() -> None:
    """vllm#48601 (0.25): 7.39 GiB of weights, 63.25 of cache; a second runner does not profile its sampler."""
    own = jevons.memory(serve="vllm serve Qwen/Qwen3.6-27B-FP8 -tp 4", gpu="h100_sxm", engine_version="0.25").to_json()
    assert own["weights_bytes"] / GIB == pytest.approx(7.39, rel=0.04)
    assert 0.9 < own["kv_bytes"] / GIB / 63.25 < 1.0


def test_13b_with_125696_words_does_not_fit_eight_cards_of_40_gigabytes(tmp_path: Path) -> None:
    """LlamaFactory#1158, a later comment: Baichuan2-13B, 1,536 tokens, ZeRO-3 on eight A100 40GB."""
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 5120, "num_hidden_layers": 40,
        "num_attention_heads": 40, "num_key_value_heads": 40, "intermediate_size": 13_696, "vocab_size": 125_696,
        "max_position_embeddings": 4096, "tie_word_embeddings": False,
    }  # fmt: skip
    file = tmp_path / "baichuan2-13b.json"
    file.write_text(json.dumps(config))
    with pytest.raises(InfeasibleError, match=r"needs .* GB per device"):
        jevons.train(str(file), gpu="a100_40gb", gpus=8, seq_len=1536, batch=8, micro_batch=1, zero=3)

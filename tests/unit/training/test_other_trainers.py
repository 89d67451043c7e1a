"""Python scripts, MaxText and nanotron are read into the options of `jevons.train`."""

from __future__ import annotations

from typing import Any

import pytest

from jevons.errors import InputError
from jevons.training.config import options_of, read_training

PEFT = """import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, TrainingArguments
from peft import LoraConfig
from trl import SFTTrainer
NAME = "mistralai/Mistral-7B-v0.1"
tokenizer = AutoTokenizer.from_pretrained("another/tokenizer")
model = AutoModelForCausalLM.from_pretrained(NAME, quantization_config=BitsAndBytesConfig(load_in_4bit=True))
args = TrainingArguments(output_dir="out", per_device_train_batch_size=4, gradient_accumulation_steps=2, bf16=True,
                         gradient_checkpointing=True, optim="paged_adamw_32bit", num_train_epochs=1, lr=worked_out())
trainer = SFTTrainer(model, args=args, peft_config=LoraConfig(r=64, target_modules=["q_proj", "k_proj", "v_proj",
                     "o_proj"]), max_seq_length=1024)
"""
UNSLOTH = """from unsloth import FastLanguageModel
from trl import SFTConfig, SFTTrainer
model, tokenizer = FastLanguageModel.from_pretrained(
    model_name="unsloth/Llama-3.1-8B-Instruct", max_seq_length=2048, load_in_4bit=True)
model = FastLanguageModel.get_peft_model(model, r=16, use_gradient_checkpointing="unsloth")
trainer = SFTTrainer(model=model, args=SFTConfig(per_device_train_batch_size=2, max_steps=60, optim="adamw_8bit"))
"""
NEMO = """import nemo_run as run
from nemo.collections import llm
def recipe(nodes: int = 2, gpus: int = 8):
    made = llm.llama3_8b.pretrain_recipe(name="a", num_nodes=nodes, num_gpus_per_node=gpus)
    made.trainer.strategy.tensor_model_parallel_size = 2
    made.data.global_batch_size = 128
    made.data.micro_batch_size = 1
    made.data.seq_length = 8192
    return made
"""
MAXTEXT = (
    "python3 MaxText/train.py MaxText/configs/base.yml run_name=a model_name=llama2-7b per_device_batch_size=0.5 "
    "max_target_length=4096 ici_fsdp_parallelism=16 ici_tensor_parallelism=4 dcn_data_parallelism=2 steps=10 "
    "remat_policy=minimal gradient_accumulation_steps=2"
)
NANOTRON = """model:
  dtype: bfloat16
  model_config: {hidden_size: 2048, intermediate_size: 8192, num_attention_heads: 32, num_hidden_layers: 16,
                 num_key_value_heads: 8, vocab_size: 128256, bos_token_id: 1}
parallelism: {dp: 4, pp: 1, tp: 2, pp_engine: 1f1b, tp_mode: REDUCE_SCATTER, recompute_layer: false}
optimizer: {zero_stage: 1, optimizer_factory: {name: adamW}}
tokens: {batch_accumulation_per_replica: 16, micro_batch_size: 3, sequence_length: 4096, train_steps: 100}
"""


def _options(text: str, **given: Any) -> dict[str, Any]:
    return {name: value for name, (value, _) in options_of(read_training(text), given).items()}


@pytest.mark.parametrize(
    ("text", "given", "stated"),
    [
        (PEFT, {"gpus": 1}, {"model": "mistralai/Mistral-7B-v0.1", "method": "qlora", "lora_rank": 64, "zero": 0,
                             "lora_target": "attention", "seq_len": 1024, "micro_batch": 4, "accumulation": 2,
                             "recompute": "full"}),
        (UNSLOTH, {"gpus": 1}, {"model": "unsloth/Llama-3.1-8B-Instruct", "method": "qlora", "fused_loss": True,
                                "offload": "activations", "recompute": "full", "optimizer": "adamw_8bit",
                                "tokens": f"{60 * 2048 * 2}"}),
        (NEMO, {}, {"model": "llama-3-8b", "gpus": 16, "tp": 2, "batch": 128, "micro_batch": 1, "seq_len": 8192,
                    "zero": 1, "framework": "megatron"}),
        (MAXTEXT, {}, {"model": "llama2-7b", "gpus": 128, "tp": 4, "micro_batch": 2, "accumulation": 2, "shard": 16,
                       "fsdp": "hybrid_shard", "recompute": "selective", "fused_loss": True, "seq_len": 4096}),
        (NANOTRON, {}, {"model": "llama-3.2-1b", "gpus": 8, "tp": 2, "zero": 1, "micro_batch": 3, "accumulation": 16,
                        "seq_len": 4096, "recompute": "none", "no_sequence_parallel": None}),
    ],
    ids=["PEFT", "Unsloth", "NeMo 2", "MaxText", "nanotron"],
)  # fmt: skip
def test_what_trains_a_model_is_read_as_it_is_kept(text: str, given: dict[str, Any], stated: dict[str, Any]) -> None:
    found = _options(text, **given)
    assert {name: found.get(name) for name in stated} == stated
    assert read_training(text).unknown in ([], ["lr"])


def test_sequences_of_a_device_must_be_whole_for_its_replica() -> None:
    with pytest.raises(InputError, match=r"per_device_batch_size = 0.3: gives a replica 1.2 sequences"):
        _options(MAXTEXT.replace("size=0.5", "size=0.3"))


@pytest.mark.parametrize("text", [
    "import transformers\nprint('nothing is trained')", "import transformers\ndef broken(:\n", "from nemo import x\n",
])  # fmt: skip
def test_a_script_that_states_no_training_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is of no trainer that is read"):
        _options(text, gpus=1)

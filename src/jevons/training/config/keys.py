"""Keys of trainers' files and launch lines, and the settings that they are.

A kind says what a value may be: ``count`` a whole number above 0, ``stage`` one of 0 or more, ``number`` any above 0,
``on`` a switch, ``off`` a switch whose setting is the opposite, ``word`` any text, ``words`` one or several, ``place``
where states are kept, ``file`` the path of a file whose keys count too. Keys of nested tables are joined with dots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Keys = Mapping[str, tuple[str, str]]

PROGRAMS: Mapping[str, str] = {
    "megatron": "Megatron-LM", "nemo": "NeMo", "torchtitan": "torchtitan", "torchtune": "torchtune",
    "llamafactory": "LLaMA-Factory", "axolotl": "Axolotl", "swift": "ms-swift", "megatron-swift": "Megatron-SWIFT",
    "trainer": "HF Trainer", "deepspeed": "DeepSpeed",
    "accelerate": "Accelerate", "maxtext": "MaxText", "nanotron": "nanotron",
}  # fmt: skip

_TRAINER: Keys = {
    "model_name_or_path": ("model", "word"), "per_device_train_batch_size": ("micro_batch", "count"),
    "gradient_accumulation_steps": ("accumulation", "count"), "bf16": ("bf16", "on"), "fp16": ("fp16", "on"),
    "gradient_checkpointing": ("checkpointing", "word"), "optim": ("optimizer", "word"),
    "num_train_epochs": ("epochs", "number"), "max_steps": ("steps", "count"), "deepspeed": ("deepspeed", "file"),
    "fsdp": ("fsdp", "words"), "use_liger_kernel": ("fused_loss", "on"), "packing": ("packing", "on"),
    "max_seq_length": ("seq_len", "count"), "max_length": ("seq_len", "count"),
    "model_max_length": ("seq_len", "count"), "block_size": ("seq_len", "count"), "use_peft": ("adapters", "on"),
    "lora_r": ("lora_rank", "count"),
    "lora_rank": ("lora_rank", "count"), "lora_target_modules": ("lora_target", "words"),
    "load_in_4bit": ("four_bits", "on"), "load_in_8bit": ("eight_bits", "on"),
}  # fmt: skip
_MEGATRON: Keys = {
    "tensor-model-parallel-size": ("tp", "count"), "pipeline-model-parallel-size": ("pp", "count"),
    "context-parallel-size": ("cp", "count"), "expert-model-parallel-size": ("ep", "count"),
    "expert-tensor-parallel-size": ("etp", "count"),
    "num-layers-per-virtual-pipeline-stage": ("chunk_layers", "count"),
    "num-virtual-stages-per-pipeline-rank": ("vpp", "count"), "micro-batch-size": ("micro_batch", "count"),
    "global-batch-size": ("batch", "count"), "seq-length": ("seq_len", "count"), "bf16": ("bf16", "on"),
    "fp16": ("fp16", "on"), "fp8-format": ("fp8", "word"), "fp8-hybrid": ("fp8", "word"),
    "fp8-recipe": ("fp8_recipe", "word"), "recompute-granularity": ("recompute", "word"),
    "recompute-activations": ("recompute_selective", "on"), "recompute-num-layers": ("recompute_layers", "count"),
    "recompute-method": ("recompute_method", "word"),
    "use-distributed-optimizer": ("distributed_optimizer", "on"), "sequence-parallel": ("sequence_parallel", "on"),
    "optimizer": ("optimizer", "word"), "optimizer-cpu-offload": ("offload_states", "on"),
    "train-iters": ("steps", "count"), "train-samples": ("samples", "count"), "num-layers": ("layers", "count"),
    "hidden-size": ("hidden", "count"), "ffn-hidden-size": ("inner", "count"),
    "num-attention-heads": ("heads", "count"), "num-query-groups": ("kv_heads", "count"),
    "num-experts": ("experts", "count"), "moe-router-topk": ("experts_per_token", "count"),
    "vocab-size": ("vocabulary", "count"), "tokenizer-model": ("tokenizer", "word"),
    "moe-ffn-hidden-size": ("expert_inner", "count"), "load": ("", "word"),
    "overlap-moe-expert-parallel-comm": ("overlap_experts", "on"),
    "use-torch-fsdp2": ("whole_shard", "on"), "use-megatron-fsdp": ("whole_shard", "on"),
    "data-parallel-sharding-strategy": ("sharding", "word"),
    "main-grads-dtype": ("gradient_dtype", "word"), "grad-reduce-in-bf16": ("gradients_bf16", "on"),
}  # fmt: skip
_NEMO_DEGREES: Keys = {
    "tensor_model_parallel_size": ("tp", "count"), "pipeline_model_parallel_size": ("pp", "count"),
    "virtual_pipeline_model_parallel_size": ("vpp", "count"), "context_parallel_size": ("cp", "count"),
    "expert_model_parallel_size": ("ep", "count"), "sequence_parallel": ("sequence_parallel", "on"),
}  # fmt: skip
_NEMO_BATCHES: Keys = {
    "micro_batch_size": ("micro_batch", "count"), "global_batch_size": ("batch", "count"),
    "seq_length": ("seq_len", "count"),
}  # fmt: skip
KEYS: Mapping[str, Keys] = {
    "trainer": _TRAINER,
    "llamafactory": {
        **_TRAINER, "finetuning_type": ("method", "word"), "cutoff_len": ("seq_len", "count"),
        "lora_target": ("lora_target", "words"), "quantization_bit": ("bits", "count"),
        "disable_gradient_checkpointing": ("checkpointing", "off"), "pure_bf16": ("pure_bf16", "on"),
        "enable_liger_kernel": ("fused_loss", "on"), "max_samples": ("samples", "count"),
        "stage": ("goal", "word"),
    },
    "swift": {
        **_TRAINER, "model": ("model", "word"), "train_type": ("method", "word"), "tuner_type": ("method", "word"),
        "quant_bits": ("bits", "count"), "target_modules": ("lora_target", "words"),
    },
    "axolotl": {
        "base_model": ("model", "word"), "sequence_len": ("seq_len", "count"),
        "micro_batch_size": ("micro_batch", "count"), "gradient_accumulation_steps": ("accumulation", "count"),
        "num_epochs": ("epochs", "number"), "max_steps": ("steps", "count"), "optimizer": ("optimizer", "word"),
        "adapter": ("method", "word"), "lora_r": ("lora_rank", "count"),
        "lora_target_linear": ("lora_all", "on"), "lora_target_modules": ("lora_target", "words"),
        "load_in_4bit": ("four_bits", "on"), "load_in_8bit": ("eight_bits", "on"), "bf16": ("bf16", "on"),
        "fp16": ("fp16", "on"), "gradient_checkpointing": ("checkpointing", "word"),
        "sample_packing": ("packing", "on"), "deepspeed": ("deepspeed", "file"), "fsdp": ("fsdp", "words"),
        "fsdp_version": ("fsdp_release", "count"), "tensor_parallel_size": ("tp", "count"),
        "context_parallel_size": ("cp", "count"), "sequence_parallel_degree": ("cp", "count"),
        "cut_cross_entropy": ("fused_loss", "on"), "liger_fused_linear_cross_entropy": ("fused_loss", "on"),
        "fsdp_config.fsdp_offload_params": ("offload_both", "on"), "fsdp_config.offload_params": ("offload_both", "on"),
        "fsdp_config.reshard_after_forward": ("reshard", "on"),
        "fsdp_config.fsdp_sharding_strategy": ("strategy", "word"),
        "fsdp_config.activation_checkpointing": ("checkpointing", "word"),
    },
    "deepspeed": {
        "train_batch_size": ("batch", "count"), "train_micro_batch_size_per_gpu": ("micro_batch", "count"),
        "gradient_accumulation_steps": ("accumulation", "count"), "zero_optimization.stage": ("zero", "stage"),
        "zero_optimization.offload_optimizer.device": ("offload_optimizer", "place"),
        "zero_optimization.offload_param.device": ("offload_parameters", "place"),
        "zero_optimization.cpu_offload": ("offload_optimizer", "place"), "bf16.enabled": ("bf16", "on"),
        "fp16.enabled": ("fp16", "on"), "bfloat16.enabled": ("bf16", "on"), "optimizer.type": ("optimizer", "word"),
        "data_types.grad_accum_dtype": ("gradient_dtype", "word"),
    },
    "accelerate": {
        "num_processes": ("gpus", "count"), "num_machines": ("machines", "count"),
        "deepspeed_config.zero_stage": ("zero", "stage"),
        "deepspeed_config.offload_optimizer_device": ("offload_optimizer", "place"),
        "deepspeed_config.offload_param_device": ("offload_parameters", "place"),
        "deepspeed_config.deepspeed_config_file": ("deepspeed", "file"),
        "deepspeed_config.gradient_accumulation_steps": ("accumulation", "count"),
        "fsdp_config.fsdp_sharding_strategy": ("strategy", "word"),
        "fsdp_config.fsdp_offload_params": ("offload_both", "on"),
        "fsdp_config.fsdp_reshard_after_forward": ("reshard", "on"),
        "fsdp_config.fsdp_activation_checkpointing": ("checkpointing", "on"),
        "distributed_type": ("distributed", "word"), "mixed_precision": ("mixed", "word"),
    },
    "megatron": _MEGATRON,
    "megatron-swift": {
        **_MEGATRON, "load": ("model", "word"), "model": ("model", "word"), "max-length": ("seq_len", "count"),
        "train-type": ("method", "word"), "tuner-type": ("method", "word"), "lora-rank": ("lora_rank", "count"),
        "target-modules": ("lora_target", "words"), "max-epochs": ("epochs", "number"), "packing": ("packing", "on"),
    },
    "nemo": {
        "trainer.devices": ("node_gpus", "count"), "trainer.num_nodes": ("nodes", "count"),
        "trainer.precision": ("mixed", "word"), "trainer.max_steps": ("steps", "count"),
        **{f"{table}.{key}": entry for table in ("model", "trainer.strategy") for key, entry in _NEMO_DEGREES.items()},
        **{f"{table}.{key}": entry for table in ("model", "data") for key, entry in _NEMO_BATCHES.items()},
        "model.encoder_seq_length": ("seq_len", "count"), "model.data.seq_length": ("seq_len", "count"),
        "model.activations_checkpoint_granularity": ("recompute", "word"),
        "model.activations_checkpoint_method": ("recompute_method", "word"),
        "model.activations_checkpoint_num_layers": ("recompute_layers", "count"),
        "model.fp8": ("fp8_on", "on"), "factory": ("builder", "word"),
        "model.optim.name": ("optimizer", "word"), "model.num_layers": ("layers", "count"),
        "model.hidden_size": ("hidden", "count"), "model.ffn_hidden_size": ("inner", "count"),
        "model.num_attention_heads": ("heads", "count"), "model.num_query_groups": ("kv_heads", "count"),
        "model.num_moe_experts": ("experts", "count"), "model.moe_router_topk": ("experts_per_token", "count"),
        "model.peft.peft_scheme": ("method", "word"), "model.peft.lora_tuning.adapter_dim": ("lora_rank", "count"),
        "model.megatron_amp_O2": ("", "on"), "model.precision": ("mixed", "word"), "recipe": ("builder", "word"),
    },
    "torchtitan": {
        "model.name": ("family", "word"), "model.flavor": ("flavor", "word"),
        "training.local_batch_size": ("local_batch", "count"), "training.batch_size": ("local_batch", "count"),
        "training.global_batch_size": ("batch", "count"), "training.seq_len": ("seq_len", "count"),
        "training.steps": ("steps", "count"), "training.mixed_precision_param": ("mixed", "word"),
        "training.mixed_precision_reduce": ("gradient_dtype", "word"),
        "parallelism.data_parallel_replicate_degree": ("copies", "count"),
        "parallelism.data_parallel_shard_degree": ("shard", "count"),
        "parallelism.tensor_parallel_degree": ("tp", "count"), "parallelism.pipeline_parallel_degree": ("pp", "count"),
        "parallelism.context_parallel_degree": ("cp", "count"), "parallelism.expert_parallel_degree": ("ep", "count"),
        "parallelism.expert_tensor_parallel_degree": ("etp", "count"),
        "parallelism.pipeline_parallel_microbatch_size": ("micro_batch", "count"),
        "parallelism.pipeline_parallel_schedule": ("schedule", "word"),
        "training.data_parallel_replicate_degree": ("copies", "count"),
        "training.data_parallel_shard_degree": ("shard", "count"),
        "training.data_parallel_degree": ("shard", "count"),
        "training.tensor_parallel_degree": ("tp", "count"),
        "experimental.context_parallel_degree": ("cp", "count"),
        "experimental.pipeline_parallel_degree": ("pp", "count"),
        "activation_checkpoint.mode": ("titan_recompute", "word"),
        "activation_checkpoint.selective_ac_option": ("titan_option", "word"),
        "optimizer.name": ("optimizer", "word"), "model.converters": ("converters", "words"),
        "float8.enable_float8_linear": ("fp8_on", "on"), "training.enable_cpu_offload": ("offload_both", "on"),
    },
    "maxtext": {
        "model_name": ("model", "word"), "per_device_batch_size": ("device_batch", "number"),
        "max_target_length": ("seq_len", "count"), "gradient_accumulation_steps": ("accumulation", "count"),
        "steps": ("steps", "count"), "remat_policy": ("recompute", "word"), "quantization": ("fp8", "word"),
        "opt_type": ("optimizer", "word"), "dtype": ("", "word"), "base_emb_dim": ("hidden", "count"),
        "base_mlp_dim": ("inner", "count"),
        "base_num_query_heads": ("heads", "count"), "base_num_kv_heads": ("kv_heads", "count"),
        "base_num_decoder_layers": ("layers", "count"), "vocab_size": ("vocabulary", "count"),
        **{
            f"{kind}_{axis}_parallelism": (f"{kind}_{name}", "count")
            for kind in ("ici", "dcn")
            for axis, name in (("data", "copies"), ("fsdp", "shard"), ("tensor", "tp"), ("pipeline", "pp"),
                               ("context", "cp"), ("sequence", "cp"), ("expert", "ep"))
        },
    },
    "nanotron": {
        "model.model_config.num_hidden_layers": ("layers", "count"),
        "model.model_config.hidden_size": ("hidden", "count"),
        "model.model_config.intermediate_size": ("inner", "count"),
        "model.model_config.num_attention_heads": ("heads", "count"),
        "model.model_config.num_key_value_heads": ("kv_heads", "count"),
        "model.model_config.vocab_size": ("vocabulary", "count"), "parallelism.dp": ("dp", "count"),
        "parallelism.tp": ("tp", "count"), "parallelism.pp": ("pp", "count"),
        "parallelism.context_parallel_size": ("cp", "count"), "parallelism.expert_parallel_size": ("ep", "count"),
        "parallelism.recompute_layer": ("checkpointing", "on"),
        "tokens.micro_batch_size": ("micro_batch", "count"), "tokens.sequence_length": ("seq_len", "count"),
        "tokens.batch_accumulation_per_replica": ("accumulation", "count"), "tokens.train_steps": ("steps", "count"),
        "optimizer.zero_stage": ("zero", "stage"), "optimizer.optimizer_factory.name": ("optimizer", "word"),
        "parallelism.tp_mode": ("tp_mode", "word"), "model.dtype": ("", "word"),
    },
    "torchtune": {
        "model": ("component", "word"), "model._component_": ("component", "word"),
        "model.lora_rank": ("lora_rank", "count"), "model.lora_attn_modules": ("lora_target", "words"),
        "model.apply_lora_to_mlp": ("lora_mlp", "on"), "model.quantize_base": ("four_bits", "on"),
        "tokenizer.max_seq_len": ("seq_len", "count"), "dataset.max_seq_len": ("seq_len", "count"),
        "dataset.packed": ("packing", "on"), "batch_size": ("micro_batch", "count"),
        "gradient_accumulation_steps": ("accumulation", "count"), "epochs": ("epochs", "number"),
        "max_steps_per_epoch": ("steps", "count"), "optimizer": ("optimizer", "word"),
        "optimizer._component_": ("optimizer", "word"), "optimizer_in_bwd": ("updated_at_once", "on"),
        "optimizer.use_fp32_state": ("", "on"), "loss": ("loss", "word"), "loss._component_": ("loss", "word"),
        "enable_activation_checkpointing": ("checkpointing", "on"),
        "enable_activation_offloading": ("offload_activations", "on"), "dtype": ("dtype", "word"),
        "fsdp_cpu_offload": ("offload_both", "on"), "fsdp_reshard_after_forward": ("reshard", "on"),
        "fsdp_sharding_strategy": ("strategy", "word"), "enable_fp8_training": ("fp8_on", "on"),
        "tensor_parallel_dim": ("tp", "count"), "context_parallel_dim": ("cp", "count"),
        "data_parallel_replicate_dim": ("copies", "count"), "data_parallel_shard_dim": ("shard", "count"),
    },
}  # fmt: skip
"""Settings by key; those with an empty name say nothing that a prediction asks."""

LAUNCHERS: Mapping[str, Keys] = {
    "torchrun": {
        "nproc_per_node": ("node_gpus", "count"), "nproc-per-node": ("node_gpus", "count"),
        "nnodes": ("nodes", "count"),
    },
    "deepspeed": {
        "num_gpus": ("node_gpus", "count"), "num_nodes": ("nodes", "count"), "include": ("included", "word"),
    },
    "accelerate": {
        "num_processes": ("gpus", "count"), "num_machines": ("machines", "count"), "config_file": ("launch", "file"),
        "zero_stage": ("zero", "stage"), "deepspeed_config_file": ("deepspeed", "file"),
        "offload_optimizer_device": ("offload_optimizer", "place"),
        "offload_param_device": ("offload_parameters", "place"),
        "gradient_accumulation_steps": ("accumulation", "count"),
        "fsdp_sharding_strategy": ("strategy", "word"), "fsdp_offload_params": ("offload_both", "on"),
        "use_deepspeed": ("", "on"), "use_fsdp": ("fsdp", "fsdp"), "mixed_precision": ("mixed", "word"),
    },
}  # fmt: skip
"""Flags of programs that start one process for each accelerator, before the script that they start."""

NEUTRAL_TABLES = re.compile(
    r"(?:job|metrics|profiling|checkpoint|comm|lr_scheduler|validation|fault_tolerance|scheduler|exp_manager|datasets?"
    r"|test_datasets|checkpointer|metric_logger|profiler|tokenizer|general|checkpoints|logging|data_stages|model\.(?:model_config|init_method)|special_tokens|tensorboard|wandb|hydra|model\.(?:data|tokenizer|optim\.sched|nsys_profile)|"
    r"run)\..+"
)
"""Tables of which no key changes time or memory, after the keys above are taken."""
_NEUTRAL = r"""
    _component_ accelerator adam_?(?:beta|eps)\w* add_qkv_bias add_version allgather_\w+ async_save
    (?:attention|hidden)_dropout attention_softmax_in_fp32 attn_\w+ auto_wrap_policy benchmark betas?\d?
    bias_(?:swiglu|dropout)\w* bnb_4bit_\w+ check_model\w* ckpt_\w+ clip_grad components
    compute_environment contiguous_gradients converters cpu_ram_efficient_loading
    cross_entropy_(?:loss_fusion|fusion_impl) cutoff dataloader_\w+ data_(?:path|files|dir|cache_path) dataset\w*
    ddp_bucket\w* ddp_find\w* ddp_timeout debug device decay_\w+ description disable_bias_linear
    distributed_(?:backend|timeout\w*) distributed_executor\w* do_(?:train|eval|predict) downcast_bf16 dump_folder
    dynamo_\w+ early_stopping\w* enable_checkpointing enable_cpu_affinity enable_tensorboard eps\w* evals?_\w+
    eval\w* exit_\w+ (?:final_)?state_dict_type finetune flash_attention flash_attn\w*
    fsdp_(?:auto_wrap|transformer|state_dict|cpu_ram|sync|use_orig|version|backward|forward|final_state)\w* fused
    gradient_checkpointing_kwargs\w* gradient_clipping grad_norm group_by_length group_query_attention
    hf_assets_path host hostfile hub_\w+ hysteresis ignore_unused\w* initial_scale_power init_method\w*
    is_\w+_derived_model kv_channels layernorm_\w+ limit_\w+ load load_best\w* local_rank logger logging_\w+
    log_\w+ lora_(?:alpha|dropout|model_dir) loss_scale\w* loss_watchdog\w* machine_rank main_\w+ make_vocab\w*
    manual_gc\w* master_(?:addr|port) max_(?:grad_)?norm max_position_embeddings merge_file min_loss_scale
    min_lr_factor (?:min_|max_)?(?:lr|learning_rate)\w* mlflow\w* mock_data model_type module moe_grouped_gemm
    moe_permute_fusion
    moe_(?:token_dispatcher_type|aux_loss_coeff|z_loss_coeff|router_(?:load|dtype|score|pre|bias|enable|group|num)\w*)
    name neftune\w* no_(?:bias|masked|gradient|save|load|position|check|create)\w* node_rank normalization
    norm_epsilon num_(?:proc|layers_at\w+) num_sanity\w* num_workers output_dir overlap_comm
    overlap_(?:grad|param)\w* override_\w+ overwrite_\w+ pad_to_sequence_len (?:per_device_)?eval_batch_size
    per_device_eval_batch_size pin_memory plot_loss port position_embedding_type preprocessing_\w+
    prescale_gradients print_args profile\w* push_to_hub qk_layernorm ray_\w+ rdzv_backend rdzv_\w+ reduce_scatter
    report_to resume\w* rope_\w+ rotary_\w+ round_robin\w* same_network save saves?_\w+ sched\w* sdp_attention
    seed shuffle\w* spec split stage3_\w+ steps_per_print strategy streaming strict sub_group_size
    swanlab\w* swiglu system tee tensorboard\w* test_\w+ tf32 title tokenizer_path tokenizer\w* torch_dtype
    torch_memory_saver tpu_\w+ train_data_path trainer_log\w* train_iters_\w+ train_on_\w+ transformer_impl
    transformer_layer\w* transformers_version trust_remote_code untie_embeddings\w* use_checkpoint_args use_cpu
    use_reentrant fsdp_limit_all_gathers random_init run_name base_config base_output_directory
    attention gcs_metrics use_iota_embed megablox sparse_matmul mcore_gpt async_checkpointing
    reuse_example_batch pp_engine tp_linear_async\w* tp_recompute_allgather
    use_distributed_sampler use_flash_attn use_mcore\w* use_rope\w* use_rotary\w* use_(?:wandb|swanlab|mlflow)
    valid_data_path val_\w+ vocab_(?:file|size) wall_clock_breakdown wandb\w* warmup\w* \w*bucket_\w+ \w*_seed
    \w*template \w*weight_decay\w* zero_allow\w* zero_force\w* zero3_(?:init|save)_\w+
"""
NEUTRAL = re.compile("|".join(_NEUTRAL.split()))
"""Last words of keys, with underscores, that change neither time nor memory, or only what a prediction leaves out."""

UNMODELLED: frozenset[str] = frozenset({
    "use_unsloth", "unsloth", "use_galore", "use_badam", "use_apollo", "loraplus_lr_ratio", "use_dora", "lora_use_dora",
    "peft_use_dora", "freeze_trainable_layers", "lora_modules_to_save", "modules_to_save", "additional_target",
    "unfrozen_parameters", "reward_model", "ref_model", "pref_beta", "rl", "attention_backend", "cp_comm_type",

    "tp_comm_overlap", "defer_embedding_wgrad_compute", "use_precision_aware_optimizer", "exp_avg_dtype",
    "exp_avg_sq_dtype", "fp8_param_gather", "recompute_modules", "distribute_saved_activations",
    "multi_latent_attention", "moe_layer_freq", "moe_shared_expert_intermediate_size", "kv_lora_rank", "q_lora_rank",
    "mtp_num_layers", "zero_quantized_weights", "zero_hpz_partition_size", "zero_quantized_gradients",
    "enable_async_tensor_parallel", "disable_loss_parallel", "enable_compiled_autograd", "torch_compile",
    "activation_offloading", "layer_offloading", "image_max_pixels", "freeze_vision_tower", "freeze_vit",
    "filter_fqns", "compile", "enable", "moe_shared_expert_overlap", "relora_steps", "use_ring_attn",
    "sequence_parallel_size", "activation_checkpointing", "rlhf_type", "ac_mode", "ac_option", "quantizer",
    "custom_sharded_layers",
})  # fmt: skip
"""Keys, with underscores and without their tables, that may change time or memory and that no prediction reads."""

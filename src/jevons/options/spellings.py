"""What engines, load tests and other planners call the arguments of functions here; offered where one is unknown."""

from __future__ import annotations

SPELLINGS: dict[str, tuple[str, ...]] = {
    word: names
    for names, words in (
        (("model",), "model_name model_id model_path architecture"),
        (("gpu",), "device devices accelerator accelerators gpu_type gpu_name gpu_kind machine chip"),
        (("gpus",), "n_gpus num_gpus n_gpu gpu_count num_devices n_devices devices_total world_size"),
        (("rate",), "qps rps request_rate req_per_s requests_per_second arrival_rate load"),
        (("concurrency",), "users n_users clients concurrent max_concurrency num_users"),
        (("requests",), "n_requests num_requests num_prompts"),
        (("isl",), "input_tokens input_len input_length prompt_tokens prompt_len prompt_length n_in"),
        (("osl",), "output_tokens output_len output_length max_tokens max_new_tokens completion_tokens n_out"),
        (("precision",), "dtype quantization quantisation quant weights weight_precision weight_dtype"),
        (("kv_precision",), "kv_dtype kv_cache_dtype cache_dtype kv_cache_precision"),
        (("tp",), "tensor_parallel tensor_parallel_size tp_size"),
        (("pp",), "pipeline_parallel pipeline_parallel_size pp_size"),
        (("dp",), "data_parallel data_parallel_size dp_size"),
        (("ep",), "expert_parallel expert_parallel_size ep_size"),
        (("cp",), "context_parallel context_parallel_size cp_size"),
        (("batch", "max_num_seqs"), "batch_size global_batch global_batch_size gbs bs max_batch max_batch_size"),
        (
            ("seq_len", "max_model_len", "tokens", "isl"),
            "sequence_length seq_length context context_len context_length kv_len",
        ),
        (("max_num_batched_tokens",), "max_batched_tokens token_budget chunk_size chunked_prefill_size"),
        (("gpu_memory_utilization",), "gpu_memory_utilisation memory_fraction mem_fraction_static memory_frac"),
        (("ttft",), "ttft_s slo_ttft max_ttft time_to_first_token"),
        (("tpot",), "tpot_s itl slo_tpot max_tpot time_per_output_token"),
        (("e2e",), "e2e_s latency end_to_end slo slo_e2e max_latency"),
        (("as_of", "on"), "date on asof at_date day as_of"),
        (("utilisation",), "utilization load_factor use"),
        (
            ("gpu_hour", "rent"),
            "price rent rent_per_hour rental gpu_price hourly_price price_per_hour gpu_hour_price cost_per_hour",
        ),
        (("tokens_per_day", "tokens"), "daily_tokens output_tokens_per_day n_tokens train_tokens training_tokens"),
        (("draws",), "n_draws samples n_samples monte_carlo simulations"),
        (("processes",), "n_jobs workers num_workers n_workers jobs cores"),
        (("scenario",), "file path config yaml"),
        (("api",), "provider_api api_provider"),
        (("m",), "rows batch"),
        (("message",), "message_bytes nbytes n_bytes size bytes"),
        (("site",), "power tariff electricity region"),
        (("sweep_rates",), "rates rate_sweep"),
    )
    for word in words.split()
}
"""Names of arguments that a word may mean, the first that a function has."""

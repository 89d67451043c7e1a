"""What a serving row says about the run behind it: layout, load, limits, and what it may not say."""

import json

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.serving.formulas import accepted_tokens
from jevons.validation.serving.cases import read_case, untimed_runs
from jevons.validation.serving.predict import answer, default_engine, metric_value, prepare

ROW = {
    "family": "inferencex_silicon", "engine": "vllm", "engine_version": "0.19.0", "model": "MiniMaxAI/MiniMax-M2.5",
    "precision": "fp8", "gpu": "H100 SXM", "n_gpus": "4", "tp": "4", "pp": "1", "ep": "1", "dp": "1", "isl": "1024",
    "osl": "8192", "concurrency_or_rate": "concurrency 32", "metric": "tpot_ms", "value": "12.0", "run_id": "a",
    "source_title": "t", "source_ref": "r", "date_or_version": "2026-04-21", "unit": "ms", "group": "g",
}  # fmt: skip
NOTES = {"mode": "agg", "gemm": "fp8", "moe": "fp8", "origin": "InferenceX/InferenceMAX", "moe_tp": 4}


def case_of(notes=None, **changes):
    given = {**NOTES, "batch_size": "32", **(notes or {})}
    return read_case({**ROW, "notes": json.dumps(given), **changes})


def test_plain_tensor_parallel_row():
    case = case_of()
    assert (case.instances.layout.tp, case.instances.layout.ep, case.instances.layout.dp, case.gpus) == (4, 1, 1, 4)
    assert case.requested.users == 32
    assert not case.instances.decoded_layout


def test_lengths_are_drawn_between_eight_tenths_and_the_nominal_one():
    case = case_of()
    assert case.requested.isl.mean == pytest.approx(0.9 * 1024)
    assert case.requested.osl.mean * (1 - case.requested.osl.spread) == pytest.approx(0.8 * 8192)
    assert case.requested.osl.mean * (1 + case.requested.osl.spread) == pytest.approx(8192)


def test_unusual_lengths_of_other_runs_are_nominal_to_some_tokens():
    case = case_of({"origin": "AIConfigurator gap analysis"}, isl="512", osl="256")
    assert case.requested.isl.mean == 512.0
    assert case.requested.isl.spread * 512 == pytest.approx(8)
    assert case.requested.osl.spread * 256 == pytest.approx(8)
    assert case.measured.warmed_up


def test_the_device_count_of_a_run_in_pools_that_stands_for_its_tensor_parallelism_is_refused_as_such():
    with pytest.raises(InputError, match="tp 36 without expert or attention ranks is the device count"):
        case_of({"moe_tp": 36, "batch_size": "32", "layout_suspect": True}, gpu="GB200", tp="36", ep="1", dp="1")


def test_front_ends_of_vendor_runs_take_time_for_each_token_they_stream():
    vendor = {"origin": "AIConfigurator gap analysis"}
    assert case_of(vendor, engine="sglang", isl="1000", osl="500").scheduler.token_s == pytest.approx(45e-6)
    old, new = (
        {"engine": "trtllm", "engine_version": one, "isl": "1000", "osl": "500"} for one in ("1.0.0rc3", "1.3.0rc5")
    )
    assert case_of(vendor, **old).scheduler.token_s == pytest.approx(108e-6)
    assert case_of(vendor, **new).scheduler.token_s == 0.0
    assert case_of(engine="sglang").scheduler.token_s == 0.0  # InferenceX's scripts stream ten tokens at a time


def test_a_median_gap_of_zero_tells_that_a_client_did_not_time_the_tokens():
    rows = [
        {"run_id": run, "metric": metric, "value": value}
        for run, metric, value in (
            ("a", "itl_ms_p50", "0.0"),
            ("b", "itl_ms_p50", "0.5"),
            ("", "itl_ms_p50", "0"),
            ("c", "ttft_ms_p50", "0"),
        )
    ]
    assert untimed_runs(rows) == {"a"}


def test_product_of_sizes_means_expert_parallel_layers_over_tensor_parallel_attention_in_vllm():
    case = case_of({"moe_tp": 1, "batch_size": "8"}, ep="16", dp="4", n_gpus="16")
    assert (case.instances.layout.tp, case.instances.layout.ep, case.instances.layout.dp, case.gpus) == (4, 4, 1, 4)
    assert case.instances.decoded_layout


def test_product_of_sizes_means_attention_ranks_in_other_engines():
    case = case_of({"moe_tp": 1, "batch_size": "8"}, engine="sglang", ep="16", dp="4", n_gpus="16")
    assert (
        case.instances.layout.tp,
        case.instances.layout.ep,
        case.instances.layout.dp,
        case.instances.layout.dp_attention,
    ) == (1, 4, 4, True)


@pytest.mark.parametrize(
    ("tp", "ep", "origin", "read"),
    [
        ("4", "2", "InferenceX/InferenceMAX", (2, 2, True)),
        ("4", "2", "AIConfigurator gap analysis", (4, 2, False)),
        ("4", "4", "InferenceX/InferenceMAX", (4, 4, False)),
        ("1", "1", "InferenceX/InferenceMAX", (1, 1, False)),
    ],
)
def test_scripts_with_one_expert_rank_or_as_many_as_devices_print_two_of_four_for_two_devices(tp, ep, origin, read):
    instances = case_of({"origin": origin, "moe_tp": 1}, engine="sglang", tp=tp, ep=ep).instances
    assert (instances.layout.tp, instances.layout.ep, instances.decoded_layout) == read


def test_users_of_dense_replicas_behind_a_router_are_those_of_one():
    case = case_of({"batch_size": "4"}, model="Qwen/Qwen3-32B")
    assert case.requested.users == 4
    assert case.gpus == 4


def test_experts_split_by_what_their_tensor_parallel_degree_leaves():
    assert case_of({"moe_tp": 1}).instances.layout.ep == 4


def test_disaggregated_row_with_workers():
    sides = {
        f"{side}_{name}": value
        for side, values in (("prefill", (1, 1, 4, 4)), ("decode", (5, 8, 1, 8)))
        for name, value in zip(("num_workers", "tp_size", "attention_dp_size", "moe_ep_size"), values, strict=True)
    }
    case = case_of({"mode": "disagg", **sides}, tp="", ep="", dp="", n_gpus="")
    assert (case.instances.prefill_workers, case.instances.decode_workers, case.gpus) == (1, 5, 44)
    assert case.instances.prefill.dp == 4
    assert case.instances.layout.tp == 8


def test_disaggregated_row_without_workers_is_refused():
    with pytest.raises(InputError, match="without its numbers of workers"):
        case_of({"mode": "disagg"})


def test_image_that_only_drafts_means_drafted_tokens():
    rows = {"model": "deepseek-ai/DeepSeek-R1", "engine": "trtllm", "gpu": "B200 SXM"}
    assert case_of(engine_version="1.2.0rc6.post3", **rows).scheduler.draft_tokens == 3
    assert case_of(engine_version="1.2.0rc6.post2", **rows).scheduler.draft_tokens == 0


def test_value_run_and_source_are_never_looked_at():
    plain = case_of()
    assert plain == case_of(value="99", run_id="other", source_title="x", source_ref="y", group="z")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gpu": "Voodoo 3"}, "Voodoo 3"),
        ({"model": "nobody/knows-1b"}, "unknown model `knows-1b`"),
        ({"tp": ""}, "no layout"),
        ({"concurrency_or_rate": "lots", "notes": {"batch_size": ""}}, "no concurrency"),
        ({"isl": "a few"}, "no isl"),
    ],
)
def test_rows_that_say_too_little_are_refused_with_the_reason(changes, said):
    with pytest.raises(InputError, match=said):
        case_of(**changes)


@pytest.mark.parametrize(
    ("engine", "version", "lags"),
    [
        ("vllm", "0.11.0", False), ("vllm", "v0.13.0", False), ("vllm", "0.14.1", True), ("vllm", "", False),
        ("vllm", "nightly-5b8c30d", True), ("sglang", "0.5.9", True), ("trtllm", "1.2.0rc6", True),
    ],
)  # fmt: skip
def test_versions_that_compose_a_step_while_the_one_before_runs(engine, version, lags):
    assert case_of(engine=engine, engine_version=version).scheduler.lags is lags


@pytest.mark.parametrize(
    ("version", "flag", "ahead"),
    [
        ("v0.11.0", "", False), ("v0.11.0", " --async-scheduling", True),
        ("v0.11.0", " --async-scheduling false", False),
        ("v0.18.0", "", True), ("v0.18.0", " --no-async-scheduling", False),
    ],
)  # fmt: skip
def test_a_serve_command_says_whether_a_step_is_composed_ahead(version, flag, ahead):
    notes = f"serve: vllm serve openai/gpt-oss-120b -tp 4{flag}; requests=1000"
    row = {**ROW, "engine": "vLLM", "engine_version": version, "model": "gpt-oss-120b", "notes": notes}
    case = read_case(row)
    assert case.scheduler.lags is ahead
    newest = default_engine(read_case({**row, "engine_version": "v0.18.0", "notes": notes.replace(flag, "")}))
    beyond_s = default_engine(case).host.step_overhead_s - newest.host.step_overhead_s
    assert beyond_s == pytest.approx(0.0 if ahead else 0.3e-3)


def test_scripts_that_compose_steps_ahead_take_no_longer_in_older_releases():
    given = {"engine": "vllm", "model": "openai/gpt-oss-120b", "precision": "fp4", "gpu": "H100 SXM"}
    old, new = (case_of(**given, engine_version=version) for version in ("0.11.2", "0.18.0"))
    assert default_engine(old).host.step_overhead_s == pytest.approx(default_engine(new).host.step_overhead_s)


def test_engines_built_by_tensorrt_launch_no_kernels_one_by_one():
    row = {**ROW, "family": "trtllm_overview", "engine": "TensorRT-LLM", "model": "Llama-2-70B", "isl": "128"}
    row |= {"osl": "128", "concurrency_or_rate": "inf (offline)", "metric": "output_tok_s", "notes": ""}
    assert default_engine(read_case({**row, "engine_version": "0.14.0"})).host.captured_tokens > 1e8
    assert default_engine(read_case({**row, "engine_version": "1.0"})).host.captured_tokens == 0


def test_attention_ranks_of_tensorrt_llm_wait_until_each_has_a_prompt():
    shared = {"model": "deepseek-ai/DeepSeek-R1", "engine": "trtllm", "engine_version": "1.2.0rc6", "gpu": "B200 SXM"}
    alone = case_of({"moe_tp": 8}, **shared, tp="8", n_gpus="8")
    ranks = case_of({"moe_tp": 1}, **shared, tp="1", dp="8", ep="8", n_gpus="8")
    assert (alone.scheduler.wait_steps, ranks.scheduler.wait_steps) == (0, 60)
    # Prompts come to eight ranks by chance: each has one after 8 x (1 + 1/2 + ... + 1/8) of them.
    assert ranks.scheduler.wait_frac * ranks.scheduler.step_tokens == pytest.approx(
        2.7 * ranks.requested.isl.mean, rel=0.02
    )


def test_sglang_takes_few_requests_at_once_where_it_drafts():
    row = {**ROW, "family": "engine_bench", "engine": "SGLang", "engine_version": "0.5.6", "gpu": "H200 SXM"}
    row |= {"model": "deepseek-ai/DeepSeek-V3.2", "isl": "1024", "osl": "1024", "tp": "8", "n_gpus": "8", "dp": ""}
    row |= {"concurrency_or_rate": "inf", "ep": "", "pp": ""}
    serve = "serve: python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3.2 --tp-size 8"
    drafting = f"{serve} --speculative-algorithm EAGLE --speculative-num-steps 1"
    limits = [read_case({**row, "notes": notes}).scheduler.max_batch for notes in (serve, drafting)]
    assert limits == [0, 48]
    assert read_case({**row, "notes": f"{drafting} --max-running-requests 200"}).scheduler.max_batch == 200


def test_a_stage_of_an_open_loop_says_how_requests_come_and_repeat():
    notes = (
        "serve: vllm serve a/b --max-num-seqs 128; requests=4800; arrivals constant over 600 s; stage 1 of 2 (general);"
        " prompt = 100 shared system + 447 question tokens, 9x5 distinct prompts, ignore_eos;"
        " output as the client counts it 237.5 (used in the printed inter-token time)"
    )
    row = {**ROW, "family": "open", "isl": "547", "osl": "248", "concurrency_or_rate": "8 req/s", "notes": notes}
    case = read_case(row)
    assert (case.scenario, case.requested.even, case.requested.warm, case.measured.counted_osl) == (
        "open",
        True,
        True,
        237.5,
    )
    assert (case.requested.repeats.distinct, case.requested.repeats.system_tokens) == (45, 100)
    first = read_case({**row, "notes": notes.replace("stage 1", "stage 0")})
    assert not first.requested.warm
    plain = read_case({**row, "notes": "requests=300"})
    assert (plain.requested.even, plain.requested.repeats, plain.measured.counted_osl) == (False, None, 0.0)


def test_a_row_of_power_is_a_full_loop_over_a_set_of_known_lengths():
    notes = "serve: vllm serve Qwen/Qwen3-14B --max-num-seqs 8; task gpqa; mean_out=6930.4; prompt lengths not stated"
    row = {**ROW, "family": "energy", "model": "Qwen/Qwen3-14B", "precision": "bfloat16", "n_gpus": "1", "tp": "1",
           "isl": "dataset gpqa", "osl": "6930.4", "concurrency_or_rate": "concurrency 8", "metric": "power_w",
           "notes": notes}  # fmt: skip
    case = read_case(row)
    assert (case.scenario, case.requested.users, case.measured.steady, case.scheduler.sorts_logits) == (
        "closed",
        8,
        True,
        True,
    )
    assert case.requested.osl.mean == pytest.approx(6930.4)
    with pytest.raises(InputError, match="the prompts of dataset `unheard` are not known"):
        read_case({**row, "isl": "dataset unheard"})


BENCH = {**ROW, "family": "engine_bench", "engine": "vLLM", "engine_version": "v0.11.0", "model": "Qwen/Qwen3-14B",
         "precision": "", "gpu": "H100 SXM", "n_gpus": "1", "tp": "", "pp": "", "ep": "", "dp": "", "isl": "ShareGPT",
         "osl": "ShareGPT", "concurrency_or_rate": "inf"}  # fmt: skip
LAB = 'section "1. Engines"; dataset ShareGPT; serve: vllm serve Qwen/{}; requests=1000; mean_in=217.4; mean_out=201.6'


def test_conversations_of_sharegpt_are_short_in_the_middle_and_end_before_a_thousand_tokens():
    case = read_case({**BENCH, "notes": LAB.format("Qwen3-14B")})
    prompts, answers = (
        lengths.draw(1000, np.random.default_rng(0)) for lengths in (case.requested.isl, case.requested.osl)
    )
    assert prompts.mean() == pytest.approx(217.4, rel=0.01)
    assert answers.mean() == pytest.approx(201.6, rel=0.01)
    assert np.median(prompts) < 130
    assert max(prompts.max(), answers.max()) <= 1024


def test_the_serve_command_names_the_model_where_the_title_agrees():
    row = {**BENCH, "model": "Qwen/Qwen3-30B-A3B", "notes": LAB.format("Qwen3-8B")}
    assert read_case({**row, "source_title": "Throughput of Qwen3-8B"}).model == "Qwen3-8B"
    assert read_case({**row, "source_title": "Throughput of Qwen3-30B-A3B"}).model == "Qwen/Qwen3-30B-A3B"


def test_a_section_with_an_engines_name_is_a_run_of_that_engine():
    notes = LAB.format("Qwen3-14B").replace("1. Engines", "SGLang")
    assert read_case({**BENCH, "notes": notes}).engine == "sglang"
    assert read_case({**BENCH, "notes": notes.replace("SGLang", "LMDeploy")}).engine == "vllm"


@pytest.mark.parametrize(
    ("section", "label", "engine"),
    [
        ("1. Choosing the Engine", "corresponding MindIE JSON and runs with mindieservice_daemon", "sglang"),
        ("2. Quantization in MindIE", "", "sglang"),
        ("2. Quantization in TensorRT-LLM/vLLM", "", "vllm"),
        ("3. Graphs", "enforce eager", "vllm"),
    ],
)
def test_an_engine_that_a_section_or_label_names_alone_ran(section: str, label: str, engine: str):
    notes = f'section "{section}"; dataset ShareGPT; label "{label}"; ' + LAB.format("Qwen3-8B").split("; ", 2)[2]
    assert read_case({**BENCH, "notes": notes}).engine == engine


def test_chat_requests_of_one_release_wait_for_their_template():
    notes = LAB.format("Qwen3-14B")
    assert read_case({**BENCH, "notes": notes}).scheduler.admit_more_s > 0.0
    assert read_case({**BENCH, "notes": notes, "engine_version": "v0.13.0"}).scheduler.admit_more_s == 0.0
    assert read_case({**BENCH, "notes": notes, "model": "openai/gpt-oss-20b"}).scheduler.admit_more_s == 0.0


def test_limits_stated_in_words_are_taken():
    notes = "max_num_seqs 128, max_num_batched_tokens 2048, prefix caching on; 300 requests"
    case = read_case({**BENCH, "osl": "ShareGPT (pinned, ignore_eos)", "concurrency_or_rate": "~10 sessions/s arrivals",
                      "notes": notes})  # fmt: skip
    assert (case.scenario, case.requested.rate_per_s, case.requested.requests) == ("open", 10.0, 300)
    assert (case.scheduler.max_batch, case.scheduler.step_tokens) == (128, 2048)
    assert case.requested.isl.mean > case.requested.osl.mean > 600.0


@pytest.mark.parametrize(
    ("notes", "untold"),
    [
        ("tp = gpu_count as the README's example implies; requests=200", True),
        ("max_num_seqs 128; requests=200", False),
        ("serve: vllm serve Qwen/Qwen3-14B; requests=200", False),
    ],
)
def test_a_row_may_tell_nothing_of_its_server(notes, untold):
    row = {**BENCH, "isl": "400", "osl": "150", "concurrency_or_rate": "4.0 req/s Poisson", "notes": notes}
    assert read_case(row).scheduler.untold is untold


def test_a_row_without_a_version_means_the_release_of_its_day():
    row = {**BENCH, "engine_version": "", "notes": LAB.format("Qwen3-14B")}
    releases = [read_case({**row, "date_or_version": day}).release for day in ("2024", "2025-06-30", "47277d79f4a5")]
    assert releases == [(0, 6), (0, 8), (0, 11)]


def test_a_layout_that_is_not_stated_shares_the_model_where_it_must():
    row = {**BENCH, "family": "published_misc", "model": "Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "gpu": "TPU v7",
           "n_gpus": "4", "isl": "99", "osl": "99", "concurrency_or_rate": "concurrency 64", "notes": ""}  # fmt: skip
    assert prepare(read_case(row)).surfaces[0].deployment.layout.tp == 4
    small = prepare(read_case({**row, "model": "Qwen/Qwen3-32B"})).surfaces[0].deployment
    assert small.layout.tp == 1


def test_rates_per_node_count_the_devices_of_a_server():
    row = {**BENCH, "family": "published_misc", "gpu": "H20", "n_gpus": "16", "tp": "16", "isl": "1024", "osl": "64",
           "concurrency_or_rate": "maximum", "notes": "", "model": "deepseek-ai/DeepSeek-R1"}  # fmt: skip
    case = read_case({**row, "metric": "output_tok_s_per_node"})
    made = answer(prepare(case))
    values = [metric_value(f"output_tok_s{over}", case, made) for over in ("", "_per_node", "_per_gpu")]
    assert values[1:] == pytest.approx([values[0] / 2, values[0] / 16])


def test_a_precision_with_that_of_the_cache_beside_it_and_limits_in_words_are_read():
    row = {
        **ROW, "engine": "TensorRT-LLM", "engine_version": "", "model": "DeepSeek-R1", "gpu": "B200", "n_gpus": "8",
        "tp": "8", "ep": "8", "dp": "8", "precision": "FP4 (FP8 KV)", "concurrency_or_rate": "concurrency 3072",
        "notes": "max-throughput, attention DP, max_batch 384, max_num_tokens 1536, 49152 requests",
    }  # fmt: skip
    case = read_case(row)
    assert (case.precision, case.kv) == ("fp4", "fp8")
    assert (case.instances.layout.tp, case.instances.layout.dp, case.instances.layout.ep) == (1, 8, 8)
    assert (case.scheduler.max_batch, case.scheduler.step_tokens, case.requested.requests) == (384, 1536, 49152)
    fast = read_case(
        {**row, "notes": "min-latency, MTP 3 draft layers, 10 real requests", "precision": "FP4 (FP16 KV)"}
    )
    assert (fast.scheduler.draft_tokens, fast.kv, fast.instances.layout.tp) == (3, "bf16", 8)


def test_cards_of_two_devices_count_twice():
    row = {
        **ROW, "engine": "vLLM", "engine_version": "", "model": "llama2-70b-99", "precision": "UINT4", "tp": "",
        "gpu": "[MAXSUN] MS-Intel Arc Pro B60 Dual 48G Turbo", "isl": "dataset", "osl": "dataset", "notes": "",
        "concurrency_or_rate": "Offline", "metric": "output_tok_s",
    }  # fmt: skip
    assert read_case(row).gpus == 8
    assert read_case({**row, "gpu": "Intel Arc Pro B60"}).gpus == 4


def test_512_users_of_gpt_oss_are_a_burst_to_the_seats_of_a_smaller_run():
    case = case_of(model="openai/gpt-oss-120b", concurrency_or_rate="concurrency 512", precision="fp4")
    assert (case.scheduler.max_batch, case.requested.requests) == (16, 160)


def test_answers_whose_mean_is_whole_are_all_of_that_length():
    equal = "dataset see page; serve: vllm serve a/b; requests=100; mean_in=1000.0; mean_out=2000.0; total_out=200000"
    case = read_case({**BENCH, "isl": "1000", "osl": "2000", "notes": equal})
    assert (case.requested.osl.mean, case.requested.osl.sigma, case.requested.isl.sigma) == (2000.0, 0.0, 0.0)
    talked = read_case({**BENCH, "notes": equal.replace("total_out=200000", "total_out=200017")})
    assert talked.requested.osl.sigma > 0.0


def test_a_run_that_prints_its_acceptance_length_drafted():
    row = {**BENCH, "engine": "SGLang", "engine_version": "0.5.9", "notes": LAB.format("Qwen3-14B")}
    plain, drafting = (read_case(one).scheduler for one in (row, {**row, "accept_length": "3.5"}))
    assert (plain.draft_tokens, plain.accepted_tokens) == (0, 0.0)
    assert (drafting.draft_tokens, drafting.accepted_tokens, drafting.max_batch) == (3, 3.5, 48)
    case = read_case({**row, "accept_length": "3.5"})
    factors = default_engine(case)
    assert accepted_tokens(3, factors.batching.draft_acceptance_frac) == pytest.approx(3.5)


def test_servers_capture_batches_up_to_a_size_and_benchmark_scripts_all_they_need():
    row = {**BENCH, "notes": LAB.format("Qwen3-14B"), "tp": "1"}
    assert default_engine(read_case(row)).host.captured_batch == 512
    narrow, wide = ({**row, "engine": "SGLang", "tp": tp, "n_gpus": tp} for tp in ("1", "8"))
    assert [default_engine(read_case(one)).host.captured_batch for one in (narrow, wide)] == [256, 512]
    assert (
        default_engine(read_case({**row, "engine": "TensorRT-LLM", "engine_version": "1.2.0"})).host.captured_batch
        == 32
    )
    assert default_engine(case_of()).host.captured_batch == 1e9


def test_exchanges_are_hidden_where_the_command_says_so():
    row = {**BENCH, "engine": "SGLang", "engine_version": "0.5.9", "notes": LAB.format("Qwen3-30B-A3B")}
    told = {**row, "notes": row["notes"].replace("; requests", " --enable-two-batch-overlap; requests")}
    unsaid = {**row, "notes": "dataset ShareGPT; requests=1000; mean_in=217.4; mean_out=201.6"}
    other = {**row, "engine": "vLLM"}
    assert [read_case(one).scheduler.ep_overlap_frac for one in (row, told, unsaid, other)] == [0.0, None, None, None]


def test_servers_take_their_own_share_of_memory_where_none_is_told():
    row = {**BENCH, "engine": "SGLang", "tp": "1", "n_gpus": "1", "notes": LAB.format("Qwen3-14B")}
    hundred, larger = (default_engine(read_case({**row, "gpu": gpu})).batching for gpu in ("H100 SXM", "H200 SXM"))
    assert (hundred.memory_frac, larger.memory_frac) == (0.83, 0.9)
    assert default_engine(case_of(engine="sglang")).batching.memory_frac == 0.88


def test_gpt_oss_runs_the_server_s_own_kernels_on_hopper_where_it_is_told_none():
    command = "serve: trtllm-serve openai/gpt-oss-20b; requests=1000; mean_in=215.3; mean_out=191.7"
    row = {**BENCH, "engine": "TensorRT-LLM", "engine_version": "v1.2.0rc1", "tp": "1", "n_gpus": "1", "notes": command}
    hopper, blackwell = (read_case({**row, "model": "openai/gpt-oss-20b", "gpu": gpu}) for gpu in ("H100 SXM", "B200"))
    assert (hopper.scheduler.mxfp4_like, blackwell.scheduler.mxfp4_like) == ("int4", "")


def test_sglang_divides_the_tokens_of_a_step_among_attention_ranks():
    command = "serve: sglang serve --model-path deepseek-ai/DeepSeek-V3.2 --tp 8 --dp 8 --enable-dp-attention"
    changes = {"gpu": "H200 SXM", "model": "deepseek-ai/DeepSeek-V3.2", "n_gpus": "8", "tp": "8", "dp": "8"}
    row = {**BENCH, **changes, "engine": "SGLang", "isl": "32000", "osl": "100", "notes": f"{command}; requests=100"}
    assert default_engine(read_case(row)).batching.step_tokens == 8192 // 8


def test_the_first_request_to_a_new_server_of_sglang_on_mi300x_waits_for_kernels_to_be_compiled():
    row = {**ROW, "family": "engine_bench", "engine": "SGLang", "engine_version": "0.5.7", "gpu": "AMD MI300X GPU (8x)"}
    row |= {"model": "mistralai/Ministral-3-14B-Instruct-2512", "isl": "1000", "osl": "1000", "tp": "1", "n_gpus": "1"}
    row |= {"dp": "", "ep": "", "pp": "", "concurrency_or_rate": "concurrency 1; rate inf"}
    serve = "last serve command in page: sglang serve --model-path a/b; requests=10; mean_in=610.1; mean_out=422.1"
    untold = serve.replace("page: ", "page: SGLANG_USE_AITER=0 ")
    stalls = [
        read_case({**row, **changes}).measured.first_stall_s
        for changes in (
            {"notes": serve}, {"notes": untold}, {"notes": serve, "concurrency_or_rate": "concurrency 16; rate inf"},
            {"notes": serve, "gpu": "H200 SXM"}, {"notes": serve, "engine_version": "0.5.9"},
        )
    ]  # fmt: skip
    assert stalls == [40.0, 0.0, 0.0, 0.0, 0.0]

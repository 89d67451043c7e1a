"""Options that a benchmark's scripts give are data, and a recipe that cannot apply is refused."""

from dataclasses import replace

import pytest

from jevons.errors import InputError
from jevons.serving import engine
from jevons.serving.closed_loop.types import Lengths
from jevons.serving.types import Layout
from jevons.validation.serving.case import Case, Instances, Requested
from jevons.validation.serving.predict import answer, default_engine, limited, prepare
from jevons.validation.serving.recipes import read_recipes, shipped_recipes, with_recipe

CASE = Case(
    family="x",
    device="b200_sxm",
    model="deepseek-ai/DeepSeek-R1",
    engine="trtllm",
    version="1.2.0",
    precision="fp8",
    kv=None,
    scenario="closed",
    gpus=8,
    instances=Instances(layout=Layout(tp=8)),
    requested=Requested(isl=Lengths(mean=1000.0), osl=Lengths(mean=1000.0), users=64),
)
FILE = """
sources: {{scripts: {{title: scripts}}}}
any_json: []
mlperf: []
offline: []
pools: []
closed_loops:
  - name: mine
    source: {source}
    when: {{{when}}}
    options:
      - set: {{{set}}}
"""


def recipes_of(tmp_path, *, source="scripts", when="engine: vllm", given="step_tokens: 1"):
    path = tmp_path / "recipes.yaml"
    path.write_text(FILE.format(source=source, when=when, set=given), "utf-8")
    return read_recipes(path)


def test_each_shipped_recipe_names_a_source():
    assert all(recipe.source for recipes in shipped_recipes().values() for recipe in recipes)


def test_tokens_of_a_step_hold_the_users_and_a_prompt_in_steps_of_64():
    assert with_recipe(CASE, "deepseek-r1", "closed_loops").scheduler.step_tokens == 8192
    assert with_recipe(CASE.replace(users=9000), "deepseek-r1", "closed_loops").scheduler.step_tokens == 10112


def test_a_drafting_image_makes_room_for_drafts_of_each_request():
    case = with_recipe(replace(CASE, version="1.2.0rc6.post3"), "deepseek-r1", "closed_loops")
    assert (case.scheduler.draft_tokens, case.scheduler.max_batch, case.scheduler.step_tokens) == (3, 64, 1344)


@pytest.mark.parametrize(
    ("users", "model", "seats"), [(8, "llama-3.1-8b", 7), (1, "llama-3.1-8b", 0), (8, "qwen3-235b-a22b", 0)]
)
def test_sweeps_of_dense_models_by_the_maker_had_a_seat_less_than_users(users, model, seats):
    run = CASE.replace(version="1.0.0rc3", users=users)
    case = with_recipe(run, model, "any_json", origin="AIConfigurator gap analysis")
    assert case.scheduler.max_batch == seats
    assert with_recipe(run, model, "any_json", origin="InferenceX/InferenceMAX").scheduler.max_batch == 0


def test_recipes_of_loops_leave_other_rows_as_they_are():
    case = replace(CASE, scenario="open")
    assert with_recipe(case, "deepseek-r1", "closed_loops") == case


def test_rows_named_after_the_model_without_a_drafting_head_draft_nothing():
    run = CASE.replace(device="h200_sxm", layout=Layout(tp=8, ep=8))
    found = {
        name: with_recipe(replace(run, model=name), "deepseek-v3", "closed_loops").scheduler.draft_tokens
        for name in ("deepseek-ai/DeepSeek-R1", "deepseek-ai/DeepSeek-V3")
    }
    assert found == {"deepseek-ai/DeepSeek-R1": 3, "deepseek-ai/DeepSeek-V3": 0}


SPREAD = Layout(dp=8, ep=8, dp_attention=True)


@pytest.mark.parametrize(
    ("precision", "isl", "osl", "users", "layout"),
    [
        ("fp4", 922.0, 922.0, 8, Layout(tp=8)),
        ("fp4", 922.0, 922.0, 16, Layout(tp=8, ep=8)),
        ("fp4", 922.0, 7373.0, 16, Layout(tp=8)),
        ("fp4", 922.0, 922.0, 256, SPREAD),
        ("fp4", 7373.0, 922.0, 64, SPREAD),
        ("fp8", 922.0, 922.0, 32, Layout(tp=8, ep=8)),
        ("fp8", 922.0, 922.0, 64, SPREAD),
    ],
)
def test_the_first_scripts_chose_layouts_by_users_and_lengths_that_rows_do_not_print(
    precision, isl, osl, users, layout
):
    run = CASE.replace(engine="trtllm", version="", device="b200_sxm", layout=Layout(tp=8), precision=precision)
    run = run.replace(isl=Lengths(mean=isl, spread=0.11), osl=Lengths(mean=osl), users=users)
    read = with_recipe(run, "deepseek-r1", "closed_loops")
    assert read.instances.layout == layout
    assert isl < read.scheduler.step_tokens < isl + users + 1000.0
    assert with_recipe(run.replace(version="1.2.0rc6.post2"), "deepseek-r1", "closed_loops").instances.layout.tp == 8


POOLS = CASE.replace(
    device="h100_sxm", version="0.8.1.post3", prefill=Layout(tp=8), prefill_workers=1, decode_workers=3,
)  # fmt: skip


@pytest.mark.parametrize(("users", "seats"), [(6, 1), (9, 2), (30, 8), (60, 16)])
def test_decode_workers_started_for_some_users_have_seats_for_fewer(users, seats):
    pools = POOLS.replace(users=users)
    assert with_recipe(pools, "deepseek-r1", "pools").scheduler.max_batch == seats
    assert with_recipe(pools.replace(prefill=None), "deepseek-r1", "pools").scheduler.max_batch == 0


@pytest.mark.parametrize(
    ("device", "version", "frontends"), [("h100_sxm", "0.8.1.post3", 1), ("gb200", "0.8.1.post2", 10)]
)
def test_pools_whose_recipe_does_not_ask_for_one_have_ten_front_ends(device, version, frontends):
    pools = POOLS.replace(device=device, version=version)
    assert with_recipe(pools, "deepseek-r1", "pools").instances.frontends == frontends


@pytest.mark.parametrize(
    ("origin", "device", "version", "hidden"),
    [
        ("InferenceX/InferenceMAX", "mi355x", "sglang-0.5.6.post1-rocm700", 0.0),
        ("InferenceX/InferenceMAX", "gb200", "0.5.5.post2", 0.0),
        ("InferenceX/InferenceMAX", "gb200", "0.5.8", 0.4),
        ("AIConfigurator gap analysis", "h200_sxm", "0.5.6", None),
    ],
)
def test_exchanges_of_scripts_that_ask_for_no_overlap_are_not_hidden(origin, device, version, hidden):
    pools = POOLS.replace(engine="sglang", device=device, version=version)
    read = with_recipe(with_recipe(pools, "deepseek-r1", "any_json", origin=origin), "deepseek-r1", "pools")
    told, untold = (default_engine(case).kernels.ep_overlap_frac for case in (read, pools))
    assert read.scheduler.ep_overlap_frac == hidden
    assert told == (untold if hidden is None else hidden)


def test_prefill_workers_whose_attention_a_row_misprints_have_the_layout_of_their_recipe():
    printed = Layout(dp=8, ep=8, dp_attention=True)
    pools = POOLS.replace(device="h200_sxm", version="0.8.1.post1", prefill=printed)
    short, long = (pools.replace(isl=Lengths(mean=tokens)) for tokens in (922.0, 7373.0))
    assert with_recipe(short, "deepseek-r1", "pools").instances.prefill == printed
    assert with_recipe(long, "deepseek-r1", "pools").instances.prefill == Layout(tp=8, ep=8)


@pytest.mark.parametrize(("device", "told"), [("h100_sxm", "int4"), ("h200_sxm", "int4"), ("b200_sxm", "")])
def test_an_overview_ran_gpt_oss_on_hopper_with_the_bench_tools_own_kernels(device, told):
    case = CASE.replace(scenario="offline", device=device)
    assert with_recipe(case, "gpt-oss-120b", "offline").scheduler.mxfp4_like == told
    assert not with_recipe(case, "llama-3.1-70b", "offline").scheduler.mxfp4_like


def test_runs_of_atom_compiled_before_and_do_not_compose_a_step_ahead():
    case = CASE.replace(engine="sglang", device="mi355x", precision="fp4", version="v0.5.6-rocm700-mi35x")
    case = case.replace(isl=Lengths(mean=922.0), osl=Lengths(mean=922.0))
    atom = case.replace(version="rocm7.1.1-ubuntu24.04-pytorch2.9-atom0.1.1")
    read = [with_recipe(one, "deepseek-r1", "closed_loops") for one in (case, atom)]
    assert [one.measured.first_stall_s for one in read] == [21.5, 0.0]
    assert [one.scheduler.lags for one in read] == [True, False]
    assert [one.requested.requests for one in read] == [50 * 64, 20 * 64]
    assert [bool(one.scheduler.captured_tokens) for one in read] == [False, True]


def test_a_compiled_prompt_comes_sooner_where_launches_bind_it():
    case = CASE.replace(engine="sglang", device="mi355x", precision="fp8", layout=Layout(tp=8), users=4, requests=80)
    case = case.replace(isl=Lengths(mean=922.0), osl=Lengths(mean=922.0), model="deepseek-ai/DeepSeek-R1")
    launched, compiled = (
        answer(prepare(case.replace(captured_tokens=tokens))).outcome.ttft_s["mean"] for tokens in (0.0, 1e9)
    )
    assert 0.65 * launched < compiled < 0.85 * launched


@pytest.mark.parametrize(
    ("device", "version", "isl", "stall_s"),
    [
        ("mi300x", "v0.5.5.post3-rocm700-mi30x", 922.0, 3.7),
        ("mi325x", "v0.5.5.post3-rocm700-mi30x", 7373.0, 8.0),
        ("mi355x", "v0.5.5.post3-rocm700-mi35x", 7373.0, 3.0),
        ("mi355x", "v0.5.8-rocm700-mi35x", 7373.0, 0.0),
    ],
)
def test_servers_of_deepseek_on_amd_take_whole_waves_and_compile_in_the_first(device, version, isl, stall_s):
    case = CASE.replace(engine="sglang", device=device, version=version, isl=Lengths(mean=isl), precision="fp8")
    read = with_recipe(case, "deepseek-r1", "closed_loops")
    assert (read.measured.first_stall_s, read.scheduler.step_tokens) == (stall_s, 196608)


@pytest.mark.parametrize(("users", "tokens"), [(32, 196608), (64, 32768)])
def test_many_users_of_long_prompts_in_fp4_on_amd_share_smaller_steps(users, tokens):
    case = CASE.replace(engine="sglang", device="mi355x", precision="fp4", users=users, isl=Lengths(mean=7373.0))
    assert with_recipe(case, "deepseek-r1", "closed_loops").scheduler.step_tokens == tokens


def test_servers_of_four_devices_in_fp8_take_a_prompt_a_step_and_draft_nothing():
    case = CASE.replace(engine="sglang", version="0.5.9", model="deepseek-ai/DeepSeek-R1")
    eight, four = (
        with_recipe(case.replace(layout=Layout(tp=devices)), "deepseek-r1", "closed_loops").scheduler
        for devices in (8, 4)
    )
    assert (eight.draft_tokens, eight.step_tokens, eight.memory_frac, eight.poll_steps) == (2, 16384, 0.82, 30)
    assert (four.draft_tokens, four.step_tokens, four.memory_frac, four.poll_steps) == (0, 8192, 0.95, 10)


@pytest.mark.parametrize(
    ("engine", "device", "model", "tokens", "kv"),
    [
        ("sglang", "h200_sxm", "deepseek-r1", 32768, None),
        ("sglang", "h200_sxm", "qwen3.5-397b-a17b", 16384, "fp8"),
        ("sglang", "mi355x", "qwen3.5-397b-a17b", 32768, "fp8"),
        ("trtllm", "h200_sxm", "gpt-oss-120b", 20000, None),
        ("trtllm", "b200_sxm", "gpt-oss-120b", 20000, "fp8"),
        ("vllm", "b200_sxm", "gpt-oss-120b", 8192, "fp8"),
        ("vllm", "mi325x", "llama-3.3-70b", 131072, "fp8"),
        ("vllm", "h100_sxm", "llama-3.3-70b", 8192, "bf16"),
        ("vllm", "b200_sxm", "llama-3.3-70b", 8192, "fp8"),
    ],
)
def test_scripts_state_the_tokens_of_a_step_and_the_cache(engine, device, model, tokens, kv):
    read = with_recipe(CASE.replace(engine=engine, device=device, version="0.5.9"), model, "closed_loops")
    assert (read.scheduler.step_tokens, read.kv) == (tokens, kv)


@pytest.mark.parametrize(
    ("version", "tokens", "captured"), [("nightly-5b8c30d6", 0, None), ("0.19.0", 2048, 2048.0), ("0.17.0", 0, None)]
)
def test_early_servers_of_minimax_ran_untold(version, tokens, captured):
    case = CASE.replace(engine="vllm", device="b200_sxm", precision="fp4", version=version, isl=Lengths(mean=922.0))
    read = with_recipe(case, "minimax-m2.5", "closed_loops").scheduler
    assert (read.step_tokens, read.captured_tokens) == (tokens, captured)


@pytest.mark.parametrize(("precision", "steps"), [("fp4", 10), ("fp8", 0)])
def test_glm_in_four_bits_looks_for_requests_every_ten_steps(precision, steps):
    case = CASE.replace(engine="sglang", device="b200_sxm", precision=precision, version="nightly-dev")
    assert with_recipe(case, "glm-5", "closed_loops").scheduler.poll_steps == steps


def test_drafting_servers_on_hopper_have_room_for_their_users_drafts():
    run = CASE.replace(device="h200_sxm", version="1.1.0rc2.post2", layout=Layout(tp=8, ep=8), users=16)
    run = run.replace(model="deepseek-ai/DeepSeek-R1", isl=Lengths(mean=922.0, spread=0.11))
    read = with_recipe(run, "deepseek-r1", "closed_loops").scheduler
    assert (read.draft_tokens, read.max_batch, read.step_tokens) == (3, 16, 1984)


@pytest.mark.parametrize(("model", "cache"), [("openai/gpt-oss-120b", "bf16"), ("deepseek-ai/DeepSeek-R1", "fp8")])
def test_four_bits_of_a_table_are_mxfp4_where_a_model_ships_so_and_state_no_cache(model, cache):
    case = CASE.replace(engine="vllm", model=model, precision="fp4", requests=64)
    assert prepare(case).surfaces[0].deployment.kv_precision == cache


@pytest.mark.parametrize(("total", "requests"), [(256, 30_000), (2048, 3000), (5000, 1500), (22_000, 1000)])
def test_an_overview_queues_fewer_requests_of_more_tokens(total, requests):
    case = CASE.replace(scenario="offline", isl=Lengths(mean=total / 2), osl=Lengths(mean=total / 2))
    assert with_recipe(case, "", "offline").requested.requests == requests


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": "script"}, "unknown source `script`. Did you mean `scripts`"),
        ({"when": "engin: vllm"}, "unknown `engin`. Did you mean `engine`"),
        ({"given": "step_token: 1"}, "unknown `step_token`. Did you mean `step_tokens`"),
    ],
)
def test_a_recipe_that_speaks_of_nothing_a_row_has_is_refused(tmp_path, wrong, message):
    with pytest.raises(InputError, match=message):
        recipes_of(tmp_path, **wrong)


def test_prompt_workers_of_sglang_have_the_seats_of_their_recipes():
    apart = Instances(
        layout=Layout(dp=8, ep=8, dp_attention=True),
        prefill=Layout(dp=8, ep=8, dp_attention=True),
        prefill_workers=1,
        decode_workers=2,
    )
    case = replace(CASE, engine="sglang", version="0.5.8", device="mi355x", instances=apart)
    few, many = (with_recipe(case.replace(users=users), "deepseek-r1", "pools") for users in (256, 1024))
    assert few.instances.prefill_seats == many.instances.prefill_seats == 3  # 24 over eight ranks
    assert few.measured.first_stall_s > many.measured.first_stall_s == 0.0
    tensor = replace(apart, prefill=Layout(tp=8))
    hopper = with_recipe(replace(case, device="h200_sxm", instances=tensor), "deepseek-r1", "pools")
    assert (hopper.instances.prefill_seats, hopper.scheduler.step_tokens) == (16, 32768)


@pytest.mark.parametrize(("device", "told"), [("b200_sxm", True), ("gb200", None)])
def test_pools_on_b200_gather_tokens_as_their_recipes_name_no_exchange(device, told):
    apart = Instances(
        layout=Layout(dp=8, ep=8, dp_attention=True),
        prefill=Layout(dp=8, ep=8, dp_attention=True),
        prefill_workers=1,
        decode_workers=1,
    )
    case = replace(CASE, engine="sglang", version="0.5.8.post1", device=device, precision="fp8", instances=apart)
    read = with_recipe(case, "deepseek-r1", "pools")
    assert read.scheduler.told_to_gather is told
    assert limited(engine("sglang"), read).kernels.told_to_gather is told

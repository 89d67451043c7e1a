import itertools
from pathlib import Path

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.serving import sim
from places import DATA

SAMPLES = DATA / "traces"
TABLE = sim.constant_table(64, 8192, decode_s=0.01, prompt_token_s=1e-5)
LIMITS = sim.SimLimits(max_batch=64, step_tokens=8192, block_tokens=16, kv_blocks=40_000)


def spec(*classes: dict, **given: object) -> sim.LoadSpec:
    return sim.LoadSpec(**{"rate": 5.0, "requests": 4000, "classes": classes} | given)


CHAT = {"name": "chat", "share": 3, "isl": 100, "osl": 50, "system_tokens": 320, "turns": 4, "think_s": 20}
BATCH = {"name": "batch", "share": 1, "isl": 2000, "isl_cv": 0.5, "osl": 20}


def test_classes_have_their_shares_rates_and_lengths() -> None:
    made = sim.generate_mix(spec(CHAT, BATCH, requests=40_000), seed=1)
    load = made.requests
    share = np.bincount(made.of_class) / load.count
    assert share == pytest.approx([0.75, 0.25], abs=0.03)
    assert load.count / load.arrival_s[-1] == pytest.approx(5.0, rel=0.05)
    assert load.isl[made.of_class == 1].mean() == pytest.approx(2000, rel=0.03)
    assert (np.diff(load.arrival_s) >= 0).all()


def test_each_turn_repeats_what_was_said() -> None:
    made = sim.generate_mix(spec(CHAT), seed=2)
    load = made.requests
    for session in range(50):
        own = np.flatnonzero(made.session == session)
        assert load.isl[own].tolist() == [420 + 150 * turn for turn in range(len(own))]


def test_turns_share_their_history_and_all_prompts_their_beginning() -> None:
    made = sim.generate_mix(spec(CHAT, BATCH), seed=3)
    load = made.requests
    keys = [load.hashes[load.hash_start[i] : load.hash_start[i + 1]].tolist() for i in range(load.count)]
    chats = np.flatnonzero(made.of_class == 0)
    assert all(keys[i][:20] == keys[chats[0]][:20] for i in chats)
    for session in range(60):
        own = np.flatnonzero(made.session == session)
        for earlier, later in itertools.pairwise(own):
            assert keys[later][: len(keys[earlier])] == keys[earlier]
    others = [set(keys[i][20:]) for i in chats if made.session[i] < 60]
    sessions = [int(made.session[i]) for i in chats if made.session[i] < 60]
    for a in range(0, len(others), 7):
        assert all(sessions[a] == sessions[b] or not others[a] & others[b] for b in range(len(others)))
    plain = np.flatnonzero(made.of_class == 1)[:100]
    assert len({key for i in plain for key in keys[i]}) == sum(len(keys[i]) for i in plain)


def test_the_prefix_cache_finds_what_turns_share() -> None:
    load = sim.generate_mix(spec(CHAT), seed=4).requests
    found = sim.simulate(load, TABLE, LIMITS)
    # Of turn k's prompt the earlier one's is known; the mean over geometric turns of 4 is some four fifths.
    assert 0.65 < found.work.hit_tokens / load.isl.sum() < 0.9
    assert found.counts.served == load.count
    plain = sim.simulate(sim.without_prefixes(load), TABLE, LIMITS)
    assert (plain.work.hit_tokens, plain.counts.served) == (0, load.count)
    assert plain.latency.ttft_s.mean > found.latency.ttft_s.mean


def test_a_conversation_ends_before_it_outgrows_the_context() -> None:
    made = sim.generate_mix(spec({**CHAT, "turns": 50, "think_s": 1}, most_context=1000), seed=5)
    assert (made.requests.isl + made.requests.osl).max() <= 1000


def test_the_same_seed_gives_the_same_bytes_and_classes_do_not_shift_each_other() -> None:
    one, two = (sim.generate_mix(spec(CHAT, BATCH), seed=7) for _ in range(2))
    assert one.requests.arrival_s.tobytes() == two.requests.arrival_s.tobytes()
    assert one.requests.hashes.tobytes() == two.requests.hashes.tobytes()
    longer = sim.generate_mix(spec(CHAT, {**BATCH, "isl": 500}), seed=7)
    assert (longer.requests.isl[longer.of_class == 0] == one.requests.isl[one.of_class == 0]).all()


def test_lengths_come_from_a_trace(tmp_path: Path) -> None:
    trace = tmp_path / "t.csv"
    trace.write_bytes((SAMPLES / "azure_code_sample.csv").read_bytes())
    path = tmp_path / "load.yaml"
    path.write_text("users: 4\nthink_s: 2\nrequests: 500\nclasses:\n  - {name: code, lengths_from: t.csv}\n")
    given, traces = sim.read_load(path)
    made = sim.generate_mix(given, traces).requests
    recorded = sim.read_trace(trace)
    assert set(zip(made.isl, made.osl, strict=True)) <= set(zip(recorded.isl, recorded.osl, strict=True))
    assert (made.users, made.think_s, made.hashes) == (4, 2.0, None)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("rate: 5\n", None, "classes"),
        ("rate: 5\nclasses: [{name: a, shre: 2}]\n", ":2", "Did you mean `share`"),
        ("rate: -5\nclasses: [{name: a}]\n", ":1", "must be above 0"),
        ("classes: [{name: a}]\n", None, "give `rate`"),
        ("rate: 1\nusers: 2\nclasses: [{name: a}]\n", None, "one of the two"),
        ("rate: 1\narrivals: daily\nclasses: [{name: a}]\n", None, "`daily`"),
        ("rate: 1\narrivals: day\nclasses: [{name: a}]\n", None, "trough_frac"),
        ("rate: 1\nclasses: [{name: a}, {name: a}]\n", None, "differ"),
        ("users: 3\nclasses: [{name: a, turns: 3}]\n", None, "turns: 1"),
        ("rate: 1\nclasses: [{name: a, lengths_from: none.csv}]\n", ":2", "none.csv"),
        ("rate: 1\nclasses: [{name: a, slo: {ttft_s: 0}}]\n", ":2", "must be above 0"),
    ],
)
def test_faulty_files_say_where_and_what(tmp_path: Path, text: str, place: str | None, words: str) -> None:
    path = tmp_path / "load.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        sim.read_load(path)
    assert words in str(raised.value)
    assert f"load.yaml{place or ''}" in str(raised.value)


def test_prompts_that_repeat_share_all_their_blocks_and_others_the_system_prompt() -> None:
    one = {"name": "one", "isl": 500, "isl_cv": 0.5, "osl": 10, "system_tokens": 160, "prompts": 7}
    load = sim.generate_mix(spec(one, requests=70), seed=3).requests
    of = [load.hashes[load.hash_start[i] : load.hash_start[i + 1]].tolist() for i in range(70)]
    assert all(of[i] == of[i % 7] and load.isl[i] == load.isl[i % 7] for i in range(70))
    assert of[0][:10] == of[1][:10]
    assert not set(of[0][10:]) & set(of[1][10:])


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"stages": [{"rate": 3, "seconds": 10}]}, "stages and rate"),
        ({"rate": None, "stages": [{"rate": 3, "seconds": 10}], "arrivals": "day"}, "have none"),
        ({"rate": None}, "give `rate`"),
    ],
)
def test_loads_that_state_their_rate_twice_or_not_at_all_are_refused(given: dict, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        spec({"name": "one"}, **given)


def test_a_file_of_stages_has_the_requests_that_come_in_them(tmp_path) -> None:
    file = tmp_path / "load.yaml"
    file.write_text("stages: [{rate: 8, seconds: 10}, {rate: 20, seconds: 5}]\nclasses: [{name: a, prompts: 3}]\n")
    assert sim.read_load(file)[0].requests == 180

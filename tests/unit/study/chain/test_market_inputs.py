"""Rivals and the country's volume in a scenario."""

import numpy as np
import pytest

from jevons.errors import InputError
from jevons.facts import get
from jevons.market import market_path
from jevons.study import load
from jevons.study.chain.demand import national_scale, price_factor
from jevons.study.chain.market_inputs import market_inputs, starting_weights
from jevons.study.chain.setting import setting
from places import MAIN, TINY

RIVALS = """\
  national: 2 tn tok/day
  providers:
    label: Ours
    rivals:
      other:
        volume: 300 bn tok/day
        prices:
          small: {input: 0.2 CNY/Mtok, cached: 0.2 CNY/Mtok, output: 0.5 CNY/Mtok}
          large: {input: 2 CNY/Mtok, cached: 2 CNY/Mtok, output: 8 CNY/Mtok}
      host:
        open_weights: true
        volume: 100 bn tok/day
        prices:
          large: {input: 1 CNY/Mtok, cached: 1 CNY/Mtok, output: 4 CNY/Mtok}
  segments:
"""


def scenario(tmp_path, text=RIVALS):
    path = tmp_path / "s.yaml"
    path.write_text(TINY.read_text().replace("  segments:\n", text))
    return load(path)


def inputs_of(held):
    from jevons.study.chain.operating_points import Engineering

    devices, models = len(held.hardware.devices), len(held.serving.models)
    from jevons.hardware import accelerator

    engineering = Engineering(
        accelerators=tuple(accelerator(name) for name in held.hardware.devices),
        points=(),
        device_s_per_tok=np.full((models, devices, 3), 1e-3),
        rental_ratio=np.ones(devices),
        rental_work=np.ones((2, devices)),
        training_flop_per_s=1e15,
        training_mfu_frac=np.ones(devices),
    )
    here = setting(held, engineering)
    ample = np.ones((len(held.market.segments), held.quarters))
    return market_inputs(held, here, starting_weights(held, here), ample)


def test_segments_add_up_to_the_national_figure(tmp_path):
    held = inputs_of(scenario(tmp_path))
    tokens = np.where(held.use.counts_tokens, held.use.tokens_per_call.sum(axis=1), 0.0)
    assert (held.adoption.adopters * held.adoption.adopted_frac * held.use.calls_per_d * tokens).sum() == pytest.approx(
        2e12
    )
    as_given = inputs_of(load(TINY))
    assert national_scale(load(TINY), as_given) == 1.0
    assert held.use.calls_per_d[2] == as_given.use.calls_per_d[2] == 200


def test_rivals_divide_what_is_left_by_volume_where_they_have_an_offer(tmp_path):
    rivals = inputs_of(scenario(tmp_path)).rivals
    assert rivals.names == ("Ours", "other", "host")
    shops, chat, renters = rivals.start_share_frac
    assert shops == pytest.approx([0.5, 0.5, 0.0])
    assert chat == pytest.approx([0.3, 0.7 * 0.75, 0.7 * 0.25])
    assert renters == pytest.approx([1, 0, 0])
    assert rivals.competes.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("          small: {", "          smal: {", "`smal` is not in serving.models. Did you mean `small`?"),
        (
            "large: {input: 1 CNY/Mtok, cached: 1 CNY/Mtok, output: 4 CNY/Mtok}", "large: {}",
            "market.providers.rivals.host.prices.large: needs `input`",
        ),
        (
            "output: 4 CNY/Mtok", "output: 0 CNY/Mtok",
            "market.providers.rivals.host.prices.large.output: 0 CNY/Mtok: must be above 0 CNY/Mtok",
        ),
        (
            "volume: 300 bn tok/day", "volume: {low: 3 tn tok/day, mode: 2 tn tok/day, high: 4 tn tok/day, source: x}",
            "market.providers.rivals.other.volume",
        ),
        ("label: Ours", "share_elasticity: -1.0", "market.providers.share_elasticity: -1.0: must be at most -1.5"),
    ],
)  # fmt: skip
def test_faults_of_the_section_are_named_with_their_place(tmp_path, old, new, message):
    assert old in RIVALS
    with pytest.raises(InputError) as error:
        scenario(tmp_path, RIVALS.replace(old, new))
    assert message in str(error.value)
    assert f"{tmp_path / 's.yaml'}:" in str(error.value)


def test_the_main_scenario_starts_from_the_stated_national_volume():
    held = load(MAIN)
    known = get("tokens.china.stated_tok_per_d", held.as_of)
    assert held.market.national.value == known.number
    first = inputs_of(held)
    tokens = np.where(first.use.counts_tokens, first.use.tokens_per_call.sum(axis=1), 0.0)
    total = (first.adoption.adopters * first.adoption.adopted_frac * first.use.calls_per_d * tokens).sum()
    assert known.low < total < known.high
    assert len(held.market.segments) >= 9


def test_batch_and_off_peak_discounts_lower_what_is_paid_by_the_share_of_such_calls(tmp_path):
    held = load(TINY).with_values(
        {"serving.models.small.batch_discount": 0.5, "serving.models.small.off_peak_discount": 0.4}
    )
    # a fifth of the shops' calls may wait, half of the others are outside of the peak
    assert price_factor(held) == pytest.approx([0.2 * 0.5 + 0.8 * (1 - 0.4 * 0.5), 1.0, 1.0])
    listed, paid = market_path(inputs_of(load(TINY))), market_path(inputs_of(held))
    assert paid.call_price_cur[0, 0] / listed.call_price_cur[0, 0] == pytest.approx(0.74)
    assert paid.call_price_cur[1, 0] == pytest.approx(listed.call_price_cur[1, 0])
    assert paid.adopters[0, -1] > listed.adopters[0, -1]

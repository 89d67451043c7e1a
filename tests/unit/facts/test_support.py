"""Lists say how well each device, engine and model is validated, and fit a screen."""

from __future__ import annotations

import pytest

import jevons
from jevons.facts.support import support_of


def test_what_was_measured_has_figures_and_an_error() -> None:
    for kind, name in (("devices", "h100_sxm"), ("engines", "vllm"), ("models", "llama-3.1-8b")):
        one = support_of(kind, name)
        assert one.figures > 100
        assert one.error_frac is not None
        assert 0.01 < one.error_frac < 0.5
    assert support_of("devices", "tpu_v7").error_frac is None


@pytest.mark.parametrize("listed", [jevons.devices(), jevons.models.list(), jevons.engines()])
def test_lists_fit_a_screen_best_validated_first(listed: jevons.Result) -> None:
    table = next(iter(listed.tables.values()))
    shown = table.brief()
    assert len(shown) <= 16
    figures = [int(cell or 0) for cell in shown.column("figures")]
    assert listed.kind == "engines" or figures == sorted(figures, reverse=True)
    assert max(figures) > 100

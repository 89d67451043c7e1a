"""Labels at the ends of lines neither overlap nor leave the axes."""

import itertools

import pytest

from jevons.plot.style import end_labels, quarter_ticks, subplots


def test_end_labels_lie_apart_and_below_the_top():
    _, axis = subplots()
    axis.set_ylim(0, 100)
    end_labels(axis, [(97.0, "a", "k"), (98.0, "b", "k"), (99.0, "c", "k"), (5.0, "d", "k")], 1.0)
    heights = sorted(text.xy[1] for text in axis.texts)
    assert all(high - low >= 5.5 - 1e-9 for low, high in itertools.pairwise(heights))
    assert heights[0] == pytest.approx(5)
    assert heights[-1] <= 100


def test_quarters_are_named_or_years_alone():
    _, axis = subplots()
    quarter_ticks(axis, ("2025-Q4", "2026-Q1", "2026-Q2"))
    assert [label.get_text() for label in axis.get_xticklabels()] == ["Q4\n2025", "Q1\n2026", "Q2"]
    quarter_ticks(axis, ("2025-Q4", "2026-Q1", "2026-Q2"), years_only=True)
    assert [label.get_text() for label in axis.get_xticklabels()] == ["Q4\n2025", "Q1\n2026", ""]

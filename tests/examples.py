"""What tests of pages share: a page shows what its commands print, in the same words, with the same figures."""

import re

import pytest

NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?![\w])")


def assert_same(shown: str, printed: str, rel: float = 1e-2) -> None:
    """Fail unless two texts have the same words in the same order, and figures that differ by at most *rel*."""
    assert NUMBER.sub("#", shown).split() == NUMBER.sub("#", printed).split()
    numbers = ([float(text.replace(",", "")) for text in NUMBER.findall(part)] for part in (shown, printed))
    assert next(numbers) == pytest.approx(next(numbers), rel=rel)

"""A small scenario with changes, and facts of which all that came later is absurd."""

import dataclasses

import pytest

from jevons.facts import Facts, default_facts
from places import TINY


@pytest.fixture(scope="session")
def edited(tmp_path_factory):
    """Return a function that writes the small scenario with some of its text replaced."""

    def write(*changes):
        text = TINY.read_text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new, 1)
        path = tmp_path_factory.mktemp("edited") / "s.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def spoiled():
    """Return a function that makes every value absurd that was not public on a date."""

    def of(date):
        facts, changed, held = default_facts(), 0, {}
        for fact in facts:
            values = []
            for value in fact.values:
                later = max(value.published, value.start) > date and not isinstance(value.value, str)
                changed += later
                values.append(dataclasses.replace(value, value=-1e30) if later else value)
            held[fact.id] = dataclasses.replace(fact, values=tuple(values))
        assert changed > 100
        return Facts(held, facts.sources)

    return of

"""Dataclasses made of parts: built, changed and read by the names of the fields inside."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

import pytest

import jevons
from jevons.parts import Grouped, Part

PACKAGE = Path(jevons.__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Price(Part):
    """A part."""

    amount: float
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Grouped):
    """A dataclass with one part."""

    name: str
    price: Price


def test_fields_of_parts_are_set_read_and_changed_by_their_own_names():
    offer = Offer.of(name="a", amount=2.0)
    assert offer == Offer(name="a", price=Price(amount=2.0))
    assert offer.replace(currency="USD", name="b").flat() == {"name": "b", "amount": 2.0, "currency": "USD"}
    assert Offer.names() == ("name", "amount", "currency")
    assert (offer.field("amount"), offer.field("name")) == (2.0, "a")


def test_changing_a_part_and_a_field_of_it_at_once_keeps_both_changes():
    assert Offer.of(name="a", amount=2.0).replace(price=Price(amount=3.0), currency="USD").flat() == {
        "name": "a", "amount": 3.0, "currency": "USD",
    }  # fmt: skip


def test_an_unknown_field_is_refused():
    with pytest.raises(TypeError, match="weight"):
        Offer.of(name="a", amount=2.0, weight=1)
    with pytest.raises(TypeError, match="weight"):
        Offer.of(name="a", amount=2.0).replace(weight=1)


@functools.cache
def _classes():
    paths = sorted(PACKAGE.rglob("*.py"))
    nodes = [(path, node) for path in paths for node in ast.walk(ast.parse(path.read_text()))]
    return [(path, node) for path, node in nodes if isinstance(node, ast.ClassDef)]


def _fields(node):
    text = (ast.unparse(one) for one in node.body if isinstance(one, ast.AnnAssign))
    return [one for one in text if "ClassVar" not in one]


def _by_position(node):
    return [one for one in _fields(node) if "kw_only=True" not in one]


@pytest.mark.slow
def test_dataclasses_take_at_most_three_fields_by_position():
    more = [
        f"{path.relative_to(PACKAGE)}: {node.name}"
        for path, node in _classes()
        for decorator in node.decorator_list
        if "dataclass" in ast.unparse(decorator) and "kw_only=True" not in ast.unparse(decorator)
        if len(_by_position(node)) > 3
    ]
    assert more == []


MOST_FIELDS = 24
"""Fields of a dataclass; with more it is made of parts."""


@pytest.mark.slow
def test_dataclasses_with_many_fields_are_made_of_parts():
    large = {
        node.name: len(_fields(node))
        for _, node in _classes()
        if any("dataclass" in ast.unparse(one) for one in node.decorator_list) and len(_fields(node)) > MOST_FIELDS
    }
    assert large == {}

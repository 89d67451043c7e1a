"""What facts say of serving engines: their names, whose kernels they run, what holds for a release or a device.

A fact ``engine.<id>.<quantity>`` holds wherever nothing more special does. ``engine.<id>.<condition>.<quantity>``
takes its place where the condition is met:

- ``before_0_14``: in releases before that one; ``since_0_20``: from that release on;
- ``from_70_gib``: on devices of at least that memory;
- ``on_hopper``, ``on_a100``: on devices of that generation, or whose id begins so.

Devices take precedence over memories, memories over releases; a later ``since``, an earlier ``before`` and a larger
memory over others of their kind. An engine with ``engine.<id>.like`` takes what it does not state from that engine.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jevons.errors import InputError, did_you_mean
from jevons.facts import Facts, FactValue, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware.types import Accelerator

Release = tuple[int, ...]

GENERIC = "generic"
"""The engine of no name: kernels are the average of what was measured of all."""

_CONDITION = re.compile(r"(?P<kind>since|before|from|on)_(?P<rest>[a-z0-9_]+)")
_MOST_LIKE = 8
# A release after the name, as packages and images write it: ``vllm==0.11.0``, ``sglang:v0.5.3``, ``vLLM 0.8.5``.
_VERSIONED = re.compile(r"(.*?[a-zA-Z])(?:\s*==\s*|:|-|\s+)[vV]?(\d+\.\d+[\w.+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What conditions of an engine's facts are compared with.

    Parameters
    ----------
    release : tuple of int or None
        Of the engine, such as ``(0, 14)``; the newest where ``None``.
    device, generation : str
        Id and generation of the accelerator; empty where none is meant.
    memory_bytes : float
        Of the accelerator.
    """

    release: Release | None = None
    device: str = ""
    generation: str = ""
    memory_bytes: float = 0.0

    @classmethod
    def of(cls, device: Accelerator, release: Release | None = None) -> Place:
        """Return the place of a device, and of a release where one is meant."""
        return cls(release=release, device=device.id, generation=device.generation, memory_bytes=device.hbm_bytes)


ANYWHERE = Place()


def engine_names(facts: Facts | None = None) -> list[str]:
    """Return the ids of the engines that facts describe: those with ``engine.<id>.name``."""
    return list(_described(facts or default_facts()))


def kernel_engines(facts: Facts | None = None) -> list[str]:
    """Return the engines whose kernels answer: those that some engine's ``kernels_like`` names."""
    facts = facts or default_facts()
    named = {str(facts.get(fact.id).value) for fact in facts if _is_of_engine(fact.id, "kernels_like")}
    return [GENERIC, *sorted(named - {GENERIC})]


def engine_id(name: str, facts: Facts | None = None) -> str:
    """Return the id of the engine that a name means, such as ``TensorRT-LLM``.

    Raises
    ------
    InputError
        If none is meant; the message offers near names.

    Examples
    --------
    >>> engine_id("TensorRT-LLM"), engine_id("vLLM")
    ('trtllm', 'vllm')
    """
    spellings = _described(facts or default_facts())
    plain = _plain(name)
    for engine, names in spellings.items():
        if plain in names:
            return engine
    near = did_you_mean(plain, spellings)
    message = f"unknown engine `{name}`.{near} Known: {', '.join(spellings)}; {GENERIC} stands for any other."
    raise InputError(message)


def title_of(engine: str) -> str:
    """Return what its makers call an engine."""
    return str(default_facts().get(f"engine.{engine}.name").value)


def engine_and_release(name: str, facts: Facts | None = None) -> tuple[str, Release | None]:
    """Return the id of the engine that a name means and its release, None for the newest.

    Raises
    ------
    InputError
        If no engine is meant, or what follows the ``@`` is no version.

    Examples
    --------
    >>> engine_and_release("vLLM@0.13.0"), engine_and_release("sglang"), engine_and_release("vllm/vllm-openai:v0.11.0")
    (('vllm', (0, 13, 0)), ('sglang', None), ('vllm', (0, 11, 0)))
    """
    stated, separator, version = name.partition("@")
    written = None if separator else _VERSIONED.fullmatch(name.strip())
    if written is not None:
        stated, separator, version = written[1], "@", written[2]
    key = engine_id(stated.rsplit("/", 1)[-1], facts)
    if not separator:
        return key, None
    release = release_of(version)
    if release is None:
        message = f"engine `{name}`: `{version}` is no release; write it as in `{key}@0.13`"
        raise InputError(message)
    return key, release


def engine_in(label: str, facts: Facts | None = None) -> str:
    """Return the engine that a table's label names last, ``generic`` where it names none.

    Labels list a stack from the bottom up, such as ``TensorRT 10.14, CUDA 13.1, vLLM``.

    Examples
    --------
    >>> engine_in("vLLM 0.10.0, RHEL 9.6"), engine_in("PyTorch 2.9")
    ('vllm', 'generic')
    """
    text = _plain(label)
    ends = [
        (text.rfind(name) + len(name), len(name), engine)
        for engine, names in _described(facts or default_facts()).items()
        for name in names
        if name in text and engine != GENERIC
    ]
    return max(ends)[2] if ends else GENERIC


def engine_fact(
    engine: str, quantity: str, place: Place = ANYWHERE, facts: Facts | None = None, on: dt.date | None = None
) -> FactValue | None:
    """Return what facts state of an engine at a place, or None where neither it nor one it is like states it.

    Raises
    ------
    FactError
        If nothing was public on that date.
    """
    facts = facts or default_facts()
    for _ in range(_MOST_LIKE):
        stated = _stated(engine, quantity, place, facts)
        if stated is not None:
            return facts.get(stated, on)
        like = f"engine.{engine}.like"
        if like not in facts:
            return None
        engine = str(facts.get(like).value)
    return None


def engine_text(engine: str, quantity: str, place: Place = ANYWHERE, facts: Facts | None = None) -> str:
    """Return a text of an engine, empty where it states none."""
    stated = engine_fact(engine, quantity, place, facts)
    return "" if stated is None else str(stated.value)


def engine_number(engine: str, quantity: str, place: Place = ANYWHERE, facts: Facts | None = None) -> float | None:
    """Return a number of an engine, None where it states none."""
    stated = engine_fact(engine, quantity, place, facts)
    return None if stated is None else stated.number


@per_facts(maxsize=256)
def shipped_text(engine: str, quantity: str, place: Place = ANYWHERE) -> str:
    """Return `engine_text` of the facts in force, kept: loops ask for it at each step."""
    return engine_text(engine, quantity, place)


def release_of(version: str) -> Release | None:
    """Return the two or three first numbers of a version, or None where it begins with none.

    Examples
    --------
    >>> release_of("v0.10.2"), release_of("0.8"), release_of("nightly")
    ((0, 10, 2), (0, 8), None)
    """
    stated = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)", version)
    return tuple(int(number) for number in stated.groups() if number) if stated else None


def patch_of(version: str) -> Release | None:
    """Return the three first numbers of a version; the last of its series where it states two.

    Examples
    --------
    >>> patch_of("v0.8.1"), patch_of("0.8"), patch_of("nightly")
    ((0, 8, 1), (0, 8, 999), None)
    """
    stated = release_of(version)
    return None if stated is None else (*stated, _LAST)[:3]


_LAST = 999


def _stated(engine: str, quantity: str, place: Place, facts: Facts) -> str | None:
    """Return the id of the most special fact that holds."""
    holding = []
    for fact_id in _conditional(facts).get((engine, quantity), ()):
        rank = _rank(fact_id.split(".")[2], place)
        if rank is not None:
            holding.append((rank, fact_id))
    if holding:
        return max(holding)[1]
    plain = f"engine.{engine}.{quantity}"
    return plain if plain in facts else None


def _rank(condition: str, place: Place) -> tuple[float, ...] | None:
    """Return how special a condition is where it is met, and None where it is not."""
    stated = _CONDITION.fullmatch(condition)
    if stated is None:
        return None
    kind, rest = stated["kind"], stated["rest"]
    if kind == "on":
        met = rest == place.generation or (bool(place.device) and place.device.startswith(rest))
        return (3.0, len(rest)) if met else None
    if kind == "from":
        least_gib = float(rest.removesuffix("_gib"))
        return (2.0, least_gib) if place.memory_bytes >= least_gib * 2**30 else None
    release = tuple(int(number) for number in rest.split("_"))
    if kind == "since":
        return (1.0, *release) if place.release is None or place.release >= release else None
    if place.release is None or place.release >= release:
        return None
    return (1.0, *(-number for number in (*release, 0, 0)[:3]))


def _conditional(facts: Facts) -> Mapping[tuple[str, str], tuple[str, ...]]:
    return _shipped_conditional() if facts is default_facts() else _by_quantity(facts)


@per_facts()
def _shipped_conditional() -> Mapping[tuple[str, str], tuple[str, ...]]:
    return _by_quantity(default_facts())


def _by_quantity(facts: Facts) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the ids of facts with a condition by engine and quantity."""
    ids: dict[tuple[str, str], tuple[str, ...]] = {}
    for fact in facts:
        parts = fact.id.split(".")
        if parts[0] == "engine" and len(parts) == 4:
            ids[parts[1], parts[3]] = (*ids.get((parts[1], parts[3]), ()), fact.id)
    return ids


def _described(facts: Facts) -> Mapping[str, frozenset[str]]:
    """Return each engine with its id, name and spellings, letters and digits only."""
    return _shipped_described() if facts is default_facts() else _spellings(facts)


@per_facts()
def _shipped_described() -> Mapping[str, frozenset[str]]:
    return _spellings(default_facts())


def _spellings(facts: Facts) -> Mapping[str, frozenset[str]]:
    ids = sorted(fact.id.split(".")[1] for fact in facts if _is_of_engine(fact.id, "name"))
    return {
        engine: frozenset(
            _plain(text)
            for quantity in ("name", "spellings")
            for text in (engine, *engine_text(engine, quantity, facts=facts).split(";"))
            if _plain(text)
        )
        for engine in ids
    }


def _is_of_engine(fact_id: str, quantity: str) -> bool:
    return fact_id.startswith("engine.") and fact_id.endswith(f".{quantity}")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())

"""What people and tools call an accelerator: one reading of names for all commands, scenarios and measured tables."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from jevons.errors import InputError, did_you_mean
from jevons.facts import Facts, default_facts
from jevons.facts.per_facts import per_facts
from jevons.hardware.machines import machine
from jevons.hardware.types import PRECISIONS
from jevons.schema import shortened

# Words that say nothing about which device is meant.
_FILLERS = frozenset({
    "nvidia", "amd", "huawei", "intel", "google", "aws", "amazon", "tesla", "geforce", "instinct", "gpu", "accelerator",
    "graphics", "card", "per", "of", "both", "dies", "habana", "server", "edition", "oam", "npu", "cloud", "dgx", "hgx",
    "ac", "air", "cooled",
})  # fmt: skip
# Words that make another card of a name, as a form factor or a memory does not: an RTX 4060 Ti is no RTX 4060.
_OTHER_CARDS = frozenset({"ti", "super", "max", "laptop", "mobile", "d"})
_COUNT = re.compile(r"^(\d{1,4}x|x\d{1,4}|\d{3,4}w)$")
_MEMORY = re.compile(r"^(\d{2,4})(g|gb|gib)$")
# Eight devices written with their number, such as ``8xH100``, ``H100 x8``, ``H100x8`` or ``H100:8``; no ``7900 XTX``.
_NUMBER = re.compile(
    r"(\d{1,4})(?:\s*[*×]|x|\s+x\s)\s*(\D.*)|(.+?)(?:[\s(]+x|[\s(]*[*×]|:)\s*(\d{1,4})\)?|([a-z ]*\d+[a-z]*?)x(\d{1,2})"
)
# A part of a device, as NVIDIA's multi-instance profiles are written: ``MIG 1g.10gb``, ``mig-3g.40gb``, ``1g.5gb.me``.
_SLICE = re.compile(r"[\s_-]*(?:mig[\s_-]*)?(\d\d?g\.\d{1,3}gb)(?:[.+]me(?:\.all)?)?\b")
_SAME_MEMORY = 0.015
_JOINED = re.compile(r"(sxm|pcie|oam)\d?$")


@dataclass(frozen=True, slots=True)
class _Known:
    """A device under one of its names: the words that tell it apart, without its memory."""

    device: str
    words: frozenset[str]
    joined: str

    @classmethod
    def of(cls, device: str, title: str) -> _Known:
        words, _ = read_name(title)
        return cls(device, frozenset(words), "".join(words))


def accelerator_ids(facts: Facts | None = None) -> list[str]:
    """Return the ids of all devices that have a memory bandwidth and a matrix peak."""
    return list(_ids(tuple((facts or default_facts()).by_id)))


@functools.lru_cache(maxsize=8)
def _ids(facts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the devices among the ids of facts."""
    known, end = set(facts), ".hbm_bytes_per_s"
    devices = [fact_id.removesuffix(end) for fact_id in facts if fact_id.endswith(end)]
    return tuple(
        candidate for candidate in devices if any(f"{candidate}.peak_{p}_flop_per_s" in known for p in PRECISIONS)
    )


def device_id(name: str, facts: Facts | None = None) -> str:
    """Return the id of the device that a name means, such as ``NVIDIA H100 80GB HBM3`` or ``A100-80GB``.

    Case, maker and punctuation do not matter. A memory size picks among variants, and a short name means the variant
    that facts list it for (``<device>.spellings``).

    Raises
    ------
    InputError
        If no device is meant, or several are; the message offers them.

    Examples
    --------
    >>> device_id("NVIDIA GeForce RTX 4090"), device_id("A100-80GB"), device_id("Tesla V100-SXM2-32GB")
    ('rtx_4090', 'a100_sxm', 'v100_sxm')
    """
    if not isinstance(name, str):
        message = f"accelerator {shortened(repr(name))}: give its name, such as h100_sxm"
        raise InputError(message)
    facts = facts or default_facts()
    if facts is default_facts():
        return _shipped(name)
    return _resolved(name, facts)


@per_facts(1024)
def _shipped(name: str) -> str:
    return _resolved(name, default_facts())


def _resolved(name: str, facts: Facts) -> str:
    ids = accelerator_ids(facts)
    carried = machine(name, None if facts is default_facts() else facts)
    if carried is not None:
        return carried[0]
    count, kind = counted(name)
    if count:
        message = f"accelerator `{shortened(name)}`: states a number too; give --gpu {kind} and --gpus {count}"
        raise InputError(message)
    part = _SLICE.search(name.lower())
    if part:
        message = (
            f"accelerator `{shortened(name)}`: {part[1]} is a part of a device, which is not modelled; give the whole "
            "device, or describe the part with its memory, bandwidth and peaks in a file: --hardware FILE.yaml"
        )
        raise InputError(message)
    words, memory_gb = read_name(name)
    joined = "".join(words)
    spelled_out = _spelled_out(name, facts, ids)
    if spelled_out is not None:
        return spelled_out
    if not joined:
        message = f"unknown accelerator `{shortened(name)}`; give a name, such as {', '.join(ids[:3])}"
        raise InputError(message)
    usual = [
        device
        for device, spelled in ((device, read_name(spelling)) for device, spelling in _spellings(facts, ids))
        if "".join(spelled[0]) == joined and spelled[1] in (None, memory_gb)
    ]
    exact = [known.device for known in _names(facts, ids) if known.joined == joined or known.words == set(words)]
    within = [
        known.device
        for known in _names(facts, ids)
        if set(words) <= known.words and not (known.words - set(words)) & _OTHER_CARDS
    ]
    if len(set(within)) == 1 and not any(re.search(r"\d", word) and len(word) > 1 for word in words):
        within = []  # a word such as `pro` is no name, even where one device alone has it
    family = list(dict.fromkeys([*usual, *exact, *within]))
    fitting = [candidate for candidate in family if memory_gb is None or _has_memory(facts, candidate, memory_gb)]
    for group in (usual, exact):
        narrowed = list(dict.fromkeys(candidate for candidate in group if candidate in fitting))
        if len(narrowed) == 1:
            return narrowed[0]
    if len(fitting) == 1:
        return fitting[0]
    unlabelled = [candidate for candidate in fitting if memory_gb is None and candidate.replace("_", "") == joined]
    if unlabelled:  # a name without a memory is the one whose id has none
        return unlabelled[0]
    raise InputError(_problem(name, joined, family, fitting, facts, ids))


def device_in(label: str, facts: Facts | None = None) -> str:
    """Return the id of the device that a table's label or a file's name speaks of, whatever else it says.

    What `device_id` understands is read as there. Otherwise words that no device has are left out, then the memory, and
    of the devices whose whole name stands in the label the one with the longest is meant.

    Raises
    ------
    InputError
        If no device is meant, or several kinds are.

    Examples
    --------
    >>> device_in("A100-80GB SXM (4x200Gbps NICs per node)"), device_in("aic_h100_sxm_gemm.csv")
    ('a100_sxm', 'h100_sxm')
    """
    facts = facts or default_facts()
    return _shipped_in(label) if facts is default_facts() else _within(label, facts)


@per_facts(1024)
def _shipped_in(label: str) -> str:
    return _within(label, default_facts())


def counted(name: str) -> tuple[str, str]:
    """Return the number of devices that a name such as ``8xH100`` states, and the name without it.

    Examples
    --------
    >>> counted("8xH100"), counted("7900 XTX")
    (('8', 'h100'), ('', '7900 XTX'))
    """
    stated = _NUMBER.fullmatch(name.strip().lower())
    if stated is None:
        return "", name
    return stated[1] or stated[4] or stated[6], (stated[2] or stated[3] or stated[5]).strip()


def _within(label: str, facts: Facts) -> str:
    label = counted(label)[1]
    try:
        return device_id(label, facts)
    except InputError as error:
        problem = error
    ids = accelerator_ids(facts)
    named = [*_names(facts, ids), *(_Known.of(device, text) for device, text in _spellings(facts, ids))]
    words, memory_gb = read_name(label)
    told = " ".join(word for word in dict.fromkeys(words) if any(word in known.words for known in named))
    for shorter in (f"{told} {memory_gb:g}GB" if memory_gb else "", told):
        try:
            return device_id(shorter, facts)
        except InputError:
            continue
    within = [known for known in named if known.words and known.words <= set(words)]
    longest = max((len(known.words) for known in within), default=0)
    devices = {known.device for known in within if len(known.words) == longest}
    if len(devices) == 1:
        return devices.pop()
    if devices:
        message = f"`{shortened(label)}` speaks of {' and '.join(sorted(devices))}; one row, one kind"
        raise InputError(message)
    raise problem


def read_name(name: str) -> tuple[tuple[str, ...], float | None]:
    """Return the words of a name that tell devices apart, and the memory size that it states [GB].

    Examples
    --------
    >>> read_name("NVIDIA A100-SXM4-80GB")
    (('a100', 'sxm'), 80.0)
    """
    words: list[str] = []
    memory_gb = None
    for raw in re.split(r"[^a-z0-9]+", re.sub(r"(\d)\s+(gb|gib)\b", r"\1\2", name.lower())):
        size = _MEMORY.match(raw)
        if size and words:
            memory_gb = float(size[1])
        elif raw and raw not in _FILLERS and not _COUNT.match(raw) and not re.match(r"^(hbm\d?e?|gddr\d?x?)$", raw):
            split = _JOINED.search(raw)
            head = raw[: split.start()] if split else raw
            words += [part for part in (head, split[1] if split else "") if part]
    return tuple(words), memory_gb


def _spelled_out(name: str, facts: Facts, ids: list[str]) -> str | None:
    """Return the device whose id or listed spelling a name is but for case and punctuation."""
    plain = re.sub(r"[^a-z0-9]+", "", name.lower()).removeprefix("nvidia")
    for device in ids:
        if plain == device.replace("_", ""):
            return device
    for device, spelling in _spellings(facts, ids):
        if plain == re.sub(r"[^a-z0-9]+", "", spelling):
            return device
    return None


def _names(facts: Facts, ids: list[str]) -> list[_Known]:
    names = []
    for device in ids:
        titles = [device, str(facts.get(f"{device}.name").value)] if f"{device}.name" in facts else [device]
        names += [_Known.of(device, title) for title in titles]
    return names


def _spellings(facts: Facts, ids: list[str]) -> list[tuple[str, str]]:
    """Return each device with the other names that facts list for it."""
    listed = [(device, f"{device}.spellings") for device in ids if f"{device}.spellings" in facts]
    return [
        (device, text.strip().lower())
        for device, fact_id in listed
        for text in str(facts.get(fact_id).value).split(";")
    ]


def _has_memory(facts: Facts, device: str, memory_gb: float) -> bool:
    """Return whether a device has the memory that a name states, in decimal or binary units."""
    size = facts.get(f"{device}.hbm_bytes").number
    return any(abs(size / unit - memory_gb) <= _SAME_MEMORY * memory_gb for unit in (1e9, 2.0**30))


def _problem(name: str, joined: str, family: list[str], fitting: list[str], facts: Facts, ids: list[str]) -> str:
    generation = [
        known for known in ids if f"{known}.generation" in facts and facts.get(f"{known}.generation").value == joined
    ]
    if generation:
        return f"accelerator `{shortened(name)}`: a generation; give one of its devices: {', '.join(generation)}"
    if len(fitting) > 1:
        return f"accelerator `{shortened(name)}` may be {', '.join(fitting[:-1])} or {fitting[-1]}; give one of them"
    if family:
        sizes = ", ".join(f"{known} ({facts.get(f'{known}.hbm_bytes').number / 2**30:.3g} GiB)" for known in family)
        return (
            f"accelerator `{shortened(name)}`: no device of that memory is known, only {sizes}. "
            "A file describes another: --hardware FILE.yaml with `like:`."
        )
    shapes = {known.replace("_", ""): known for known in ids}
    for device, spelling in _spellings(facts, ids):
        shapes.setdefault("".join(read_name(spelling)[0]), device)
    lists = "`jevons devices` lists them; --hardware FILE.yaml describes another."
    return f"unknown accelerator `{shortened(name)}`.{did_you_mean(joined, shapes, offered=shapes)} {lists}"

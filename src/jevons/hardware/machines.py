"""Machines of clouds, and the accelerators that each carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jevons.facts import Facts, default_facts
from jevons.facts.per_facts import per_facts

_BEFORE = re.compile(r"^(standard|sagemaker|ml|ecs)(?=[a-z])")
"""What services of a cloud write before the type of a machine: ``Standard_ND96isr_H100_v5``, ``ml.p5.48xlarge``."""
_PIECE = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class _Type:
    """Machines of one family that carry one kind of accelerator."""

    device: str
    name: re.Pattern[str]
    devices: int | None


def machine(name: str, facts: Facts | None = None) -> tuple[str, int] | None:
    """Return the accelerator of a cloud's machine and how many it carries; None where the name is no machine's.

    The facts ``<device>.machines`` list them.

    Examples
    --------
    >>> machine("p5.48xlarge"), machine("Standard_NC48ads_A100_v4"), machine("v5litepod-16")
    (('h100_sxm', 8), ('a100_pcie', 2), ('tpu_v5e', 16))
    """
    plain = _plain(name)
    for text in (plain, _BEFORE.sub("", plain)):
        for machine_type in _shipped() if facts is None else _types(facts):
            match = machine_type.name.fullmatch(text)
            if match:
                stated = match.groupdict()
                return machine_type.device, machine_type.devices or int(
                    stated.get("n") or int(stated["twice"]) // 2 or 1
                )
    return None


@per_facts()
def _shipped() -> tuple[_Type, ...]:
    return _types(default_facts())


def _types(facts: Facts) -> tuple[_Type, ...]:
    listed = [
        (fact.id.rsplit(".", 1)[0], str(facts.get(fact.id).value)) for fact in facts if fact.id.endswith(".machines")
    ]
    return tuple(_type(device, text.strip()) for device, value in listed for text in value.split(";") if text.strip())


def _type(device: str, text: str) -> _Type:
    name, _, devices = text.partition("=")
    pattern = ""
    for index, piece in enumerate(_PIECE.split(name.lower())):
        if index % 2 == 0:
            pattern += _plain(piece)
        elif piece in {"n", "2n"}:
            pattern += r"(?P<n>\d{1,5})" if piece == "n" else r"(?P<twice>\d{1,5})"
        else:
            pattern += f"(?:{'|'.join(_plain(word) for word in piece.split(','))})"
    return _Type(device, re.compile(pattern), int(devices) if devices else None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())

"""Fills a scenario from its region: what firms of one place share, shipped beside this module."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.facts import default_facts
from jevons.schema import Located, parse_yaml
from jevons.study.scenario.base import RENTAL, RENTED_USES, quarter_of

_CURRENCIES = {"china": "CNY", "eu": "EUR"}
_CHOSEN = {
    ("hardware", "sites"), ("hardware", "devices"), ("serving", "models"), ("market", "segments"),
    ("market", "providers", "rivals"),
}  # fmt: skip
"""Collections of which a file that names any entry takes only those it names."""


def region_names() -> tuple[str, ...]:
    """Return the regions that ship."""
    folder = resources.files("jevons.study.scenario.regions")
    return tuple(sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")))


def fill_from_region(document: Located) -> None:
    """Put into a document what its ``region`` states and itself does not.

    A section or figure that the file leaves out is the region's. Of sites, devices, models, segments and rivals a file
    that names any takes those that it names, each with the region's figures where it gives none of its own.

    Raises
    ------
    InputError
        If there is no such region.
    """
    root = document.root
    if not isinstance(root, dict) or "region" not in root:
        return
    name = root["region"]
    if name not in region_names():
        known = ", ".join(region_names())
        message = f"`{name}`: no such region; there are {known}.{did_you_mean(str(name), region_names())}"
        raise InputError(document.fault(("region",), message))
    stated = _copy(root)
    _fill(root, _region(name), ())
    _drop_unanswered(root, stated)
    _drop_unreleased(root, stated)
    _keep_bans_ahead(root, stated)


def _drop_unanswered(root: dict[Any, Any], stated: Mapping[Any, Any]) -> None:
    """Drop what the region says of parts that this firm lacks: models nobody serves here, renters, whom to call."""
    segments, models = _part(root, "market", "segments"), _part(root, "serving", "models")
    for name, segment in segments.items():
        own = _part(stated, "market", "segments", name)
        if isinstance(segment, dict) and "calls_instead" not in own and segment.get("calls_instead") not in segments:
            for field in ("calls_instead", "rented_share", "switch"):
                segment.pop(field, None)
    rivals = _part(root, "market", "providers", "rivals")
    for name, rival in list(rivals.items()):
        prices = _part(rivals, name, "prices")
        own = _part(stated, "market", "providers", "rivals", name, "prices")
        for model in [model for model in prices if model not in models and model not in own]:
            del prices[model]
        if isinstance(rival, dict) and rival.get("prices") == {} and not own:
            del rivals[name]
    kinds = [(s.get("use"), s.get("model")) for s in segments.values() if isinstance(s, dict)]
    if not any(use in RENTED_USES or model == RENTAL for use, model in kinds):
        for name, device in _part(root, "hardware", "devices").items():
            for field in ("brokers", "brokers_growth"):
                if isinstance(device, dict) and field not in _part(stated, "hardware", "devices", name):
                    device.pop(field, None)
        if "brokers" not in _part(stated, "market"):
            _part(root, "market").pop("brokers", None)


def _drop_unreleased(root: dict[Any, Any], stated: Mapping[Any, Any]) -> None:
    """Drop the region's devices that were not yet public on the scenario's date, those that the file names apart."""
    day, named = root.get("as_of"), _part(stated, "hardware", "devices")
    devices = _part(root, "hardware", "devices")
    if not isinstance(day, dt.date):
        return
    for name in [name for name in devices if name not in named and not _released(name, day)]:
        del devices[name]


def _keep_bans_ahead(root: dict[Any, Any], stated: Mapping[Any, Any]) -> None:
    """Let a ban that the region expected before the scenario's date, and that the file says nothing of, begin on it."""
    day = root.get("as_of")
    if not isinstance(day, dt.date):
        return
    for name, device in _part(root, "hardware", "devices").items():
        told = _part(stated, "hardware", "devices", name)
        if isinstance(device, dict) and "ban_from" not in told and "ban_probability" not in told:
            first = device.get("ban_from")
            if isinstance(first, str):
                device["ban_from"] = max(first, quarter_of(day))


def region_devices(name: str, on: dt.date) -> tuple[str, ...]:
    """Return the devices of a region that were public on a date."""
    return tuple(device for device in _region(name)["hardware"]["devices"] if _released(device, on))


def _released(device: str, on: dt.date) -> bool:
    return bool(default_facts().series(f"{device}.hbm_bytes_per_s", on))


def _part(root: Any, *path: str) -> dict[Any, Any]:
    """Return the section at a path; an empty one where there is none, or where it is stated wrongly."""
    for name in path:
        root = root.get(name) if isinstance(root, Mapping) else None
    return root if isinstance(root, dict) else {}


def region_currency(name: str) -> str:
    """Return the currency that a region's figures are in."""
    return str(_CURRENCIES.get(name, "USD"))


def region_sections(name: str) -> Mapping[str, Any]:
    """Return what a region states, as plain sections."""
    return _region(name)


@functools.cache
def _region(name: str) -> Mapping[str, Any]:
    text = (resources.files("jevons.study.scenario.regions") / f"{name}.yaml").read_text(encoding="utf-8")
    root: dict[str, Any] = parse_yaml(text, f"region {name}").root
    like = root.pop("like", None)
    if like is not None:
        _fill(root, _region(str(like)), ())
    return root


def _fill(own: dict[Any, Any], shared: Mapping[Any, Any], path: tuple[Any, ...]) -> None:
    for key, value in shared.items():
        here = (*path, key)
        if key not in own:
            if path not in _CHOSEN:
                own[key] = _copy(value)
        elif own[key] is None and isinstance(value, Mapping):
            own[key] = _copy(value)
        elif isinstance(own[key], dict) and isinstance(value, Mapping) and not _is_amount(own[key]):
            _fill(own[key], value, here)


def _is_amount(given: Mapping[Any, Any]) -> bool:
    return "fact" in given or "mode" in given


def _copy(value: Any) -> Any:
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value

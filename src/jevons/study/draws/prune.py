"""Removes studies, or what is of no more use of them, from a store; never a file that no study wrote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jevons.errors import InputError
from jevons.study.draws.places import LOCK
from jevons.study.draws.store import ABOUT, INPUTS, SEAL
from jevons.study.draws.stored import Stored, studies_in

_OURS = re.compile(
    r"segment-\d{8,}-\d{8,}(-\d+)?\.(jsonl|damaged(-\d+)?)|inputs\.(parquet|json)\.damaged(-\d+)?"
    r"|\.jevons-[0-9a-f]+\.part"
)
_WASTE = re.compile(r".*\.damaged(-\d+)?|\.jevons-[0-9a-f]+\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was removed of a study: why, how many files, and their bytes."""

    key: str
    reason: str
    files: int
    bytes: int


def prune(
    store: Path | str,
    *,
    keys: Sequence[str] = (),
    versions: bool = False,
    damaged: bool = False,
    everything: bool = False,
    dry: bool = False,
) -> list[Pruned]:
    """Remove studies by key, those of other versions, damaged files, or all; return what was removed.

    Raises
    ------
    InputError
        If nothing is chosen, a key is unknown, a study that is chosen is being filled, or the disk refuses.
    """
    if not (keys or versions or damaged or everything):
        message = "--all: nothing to remove is named; give --study KEY, --other-versions, --damaged or --all"
        raise InputError(message)
    from jevons import __version__

    studies = studies_in(store)
    named = {study.key for key in keys for study in studies_in(store, key)}
    removed = []
    for study in studies:
        whole = ""
        if everything or study.key in named:
            whole = "the study"
        elif versions and study.about.get("version") != __version__:
            whole = f"of version {study.about.get('version') or 'unknown'}"
        chosen = _files(study, whole=bool(whole)) if whole or damaged else []
        if chosen:
            size = sum(max(study.sizes[name], 0) for name in chosen)
            removed.append(
                Pruned(key=study.key, reason=whole or "damaged files", files=len(chosen), bytes=size)
            )  # fmt: skip
            if not dry:
                _remove(study, chosen, whole=bool(whole))
    return removed


def _files(study: Stored, *, whole: bool) -> list[str]:
    """Return the files of a study that go; what is no plain file stays."""
    plain = [name for name, size in study.sizes.items() if size >= 0]
    if whole:
        return [name for name in plain if name in {ABOUT, INPUTS, SEAL, LOCK} or _OURS.fullmatch(name)]
    bad = {name for name, part in study.parts.items() if part is None}
    bad |= {INPUTS} if study.inputs_damaged else set()
    return [name for name in plain if _WASTE.fullmatch(name) or name in bad]


def _remove(study: Stored, names: Sequence[str], *, whole: bool) -> None:
    with study.place.locked():
        for name in sorted(names, key=lambda name: (name == ABOUT, name)):  # that it is a study is forgotten last
            if name == LOCK:
                continue
            try:
                study.place.remove(name)
            except OSError as error:
                message = f"{study.place.name}: {name} cannot be removed ({error.strerror}); see its rights"
                raise InputError(message) from None
    if whole:
        with suppress(OSError):
            study.place.remove(LOCK)
        study.place.remove_folder()

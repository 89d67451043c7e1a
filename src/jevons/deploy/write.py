"""Writes a folder of files, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from jevons.errors import InputError
from jevons.files import read_bytes, refused
from jevons.limits import JSON_BYTES

MARK = ".jevons-emit.json"
"""File that says that a folder is ours, and which files in it are."""


def folder_problem(folder: Path, *, force: bool = False) -> str:
    """Return why files must not be written to *folder*, or an empty string."""
    if "\0" in str(folder):
        return "the name holds a NUL character; remove it"
    try:
        return _problem(folder, force=force)
    except OSError as error:
        return f"cannot be written: {refused(error, folder)}"


def _problem(folder: Path, *, force: bool) -> str:
    if folder.is_symlink() and not folder.exists():
        return "is a link to a folder that does not exist; name the folder itself"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return "is a file or a link; name a folder"
    if not folder.exists():
        parent = folder.absolute().parent
        return "" if parent.is_dir() else f"the folder {parent} does not exist; create it first"
    if force or not any(folder.iterdir()) or (folder / MARK).is_file():
        return ""
    return "the folder has files that are not of jevons; name another, or add --force to write among them"


def write_files(folder: Path, files: Mapping[str, str], *, force: bool = False) -> None:
    """Write files below *folder*, all of them or none; earlier files of ours that are no longer made go.

    Raises
    ------
    InputError
        If the folder holds files of somebody else, or some of ours that were changed since, and *force* is not set; if
        it cannot be written.
    """
    problem = folder_problem(folder, force=force)
    parent = folder.absolute().parent
    try:
        ours = _ours(folder)
        problem = problem or _conflict(folder, files, ours, force=force)
        if problem:
            message = f"--emit {folder}: {problem}"
            raise InputError(message)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name[:40]}-", dir=parent) as temporary:
            staged = Path(temporary) / "files"
            for name, text in files.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8", newline="\n")
                path.chmod(0o755 if name.endswith(".sh") else 0o644)
            marks = {name: _digest((staged / name).read_bytes()) for name in sorted(files)}
            (staged / MARK).write_text(json.dumps({"files": marks}, indent=1) + "\n", "utf-8")
            if not folder.exists():
                staged.replace(folder)
                return
            _remove(folder, [name for name in ours if name not in files], ours)
            for name in (*files, MARK):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (staged / name).replace(target)
    except OSError as error:
        message = f"--emit {folder}: cannot be written: {refused(error, folder)}"
        raise InputError(message) from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _ours(folder: Path) -> dict[str, str]:
    """Return the files that an earlier run wrote to the folder, with the hashes of their contents."""
    mark = folder / MARK
    if not mark.is_file() or mark.is_symlink():
        return {}
    try:
        names = json.loads(read_bytes(mark, most_bytes=JSON_BYTES))["files"]
    except (InputError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return {str(name): str(digest) for name, digest in names.items()} if isinstance(names, dict) else {}


def _changed(folder: Path, name: str, ours: Mapping[str, str]) -> bool:
    """Return whether a file is there that no run of ours wrote as it stands."""
    path = folder / name
    if not path.is_file():
        return path.exists() or path.is_symlink()
    return name not in ours or _digest(path.read_bytes()) != ours[name]


def _leaves(folder: Path, name: str) -> bool:
    """Return whether the way to a file leads out of the folder, by a link or by its name."""
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts:
        return True
    return any((folder / Path(*parts[: place + 1])).is_symlink() for place in range(len(parts)))


def _conflict(folder: Path, files: Mapping[str, str], ours: Mapping[str, str], *, force: bool) -> str:
    """Return what stands in the way of files, or an empty string."""
    for name in (*files, MARK):
        if _leaves(folder, name):
            return f"{name} is reached through a link; remove it, or name another folder"
        if (folder / name).is_dir():
            return f"{name} is a folder; remove it, or name another folder"
    changed = [] if force else [name for name in files if _changed(folder, name, ours)]
    if not changed:
        return ""
    whose = "was changed since" if changed[0] in ours else "is not of jevons"
    return f"{changed[0]} {whose}; name another folder, or add --force to write over it"


def _remove(folder: Path, names: Sequence[str], ours: Mapping[str, str]) -> None:
    """Remove files that an earlier run wrote, where they are as it left them, and folders that this empties."""
    for name in names:
        path = folder / name
        if _leaves(folder, name) or not path.is_file() or _changed(folder, name, ours):
            continue
        path.unlink()
        for above in path.parents:
            if above == folder or any(above.iterdir()):
                break
            above.rmdir()

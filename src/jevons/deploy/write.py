"""Writes a folder of files, whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jevons.errors import InputError

MARK = ".jevons-emit.json"
"""File that says that a folder is ours, and which files in it are."""


def folder_problem(folder: Path, *, force: bool = False) -> str:
    """Return why files must not be written to *folder*, or an empty string."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return "is a file; name a folder"
    if not folder.exists():
        parent = folder.absolute().parent
        return "" if parent.is_dir() else f"the folder {parent} does not exist"
    if force or not any(folder.iterdir()) or (folder / MARK).is_file():
        return ""
    return "the folder has files that are not of jevons; name another, or add --force to write among them"


def write_files(folder: Path, files: Mapping[str, str], *, force: bool = False) -> None:
    """Write files below *folder*, all of them or none; earlier files of ours that are no longer made go.

    Raises
    ------
    InputError
        If the folder holds files of somebody else and *force* is not set, or cannot be written.
    """
    problem = folder_problem(folder, force=force)
    if problem:
        message = f"--emit {folder}: {problem}"
        raise InputError(message)
    parent = folder.absolute().parent
    try:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=parent) as temporary:
            staged = Path(temporary) / "files"
            for name, text in files.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8", newline="\n")
                path.chmod(0o755 if name.endswith(".sh") else 0o644)
            (staged / MARK).write_text(json.dumps({"files": sorted(files)}, indent=1) + "\n", "utf-8")
            if not folder.exists():
                staged.replace(folder)
                return
            _remove_ours(folder)
            for name in (*files, MARK):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                (staged / name).replace(target)
    except OSError as error:
        message = f"--emit {folder}: cannot be written: {error.strerror or error}"
        raise InputError(message) from None


def _remove_ours(folder: Path) -> None:
    """Remove what an earlier run wrote to the folder."""
    mark = folder / MARK
    if not mark.is_file():
        return
    try:
        names = json.loads(mark.read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name in names if isinstance(names, list) else []:
        path = (folder / str(name)).absolute()
        if folder.absolute() in path.parents and ".." not in Path(str(name)).parts and path.is_file():
            path.unlink()
            if path.parent != folder.absolute() and not any(path.parent.iterdir()):
                shutil.rmtree(path.parent)

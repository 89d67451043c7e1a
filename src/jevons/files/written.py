"""What a script or manifest says around a server's command: files that it writes, units of systemd, jobs of Slurm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_HERE = re.compile(
    r"(?m)^(?P<command>[^\n#]*?)<<-?[ \t]*(?P<quote>[\"']?)(?P<end>\w+)(?P=quote)(?P<rest>[^\n]*)\n"
    r"(?P<body>(?:.*\n)*?)[ \t]*(?P=end)[ \t]*(?:\n|\Z)"
)
_TARGET = re.compile(r"(?<![\d&])>{1,2}[ \t]*([^\s;&|<>]+)|\btee[ \t]+(?:-\w+[ \t]+)*([^\s;&|<>]+)")
_SAID = re.compile(
    r"(?:^|[\s;&|(])(?:echo|printf)[ \t]+(?:-\w+[ \t]+)*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)')[ \t]*>{1,2}[ \t]*"
    r"([^\s;&|<>]+)"
)
_ESCAPED = re.compile(r"\\([nt\"\\$`])")
_MEANT = {"n": "\n", "t": "\t"}
_JOB = re.compile(r"(?m)^#SBATCH[ \t]+(?:--([\w-]+)(?:=|[ \t]+)|-([NnG])[ \t]*)([^\s#]+)")
_SLURM = {
    "nodes": ("SLURM_NNODES", "SLURM_JOB_NUM_NODES"), "N": ("SLURM_NNODES", "SLURM_JOB_NUM_NODES"),
    "ntasks": ("SLURM_NTASKS",), "n": ("SLURM_NTASKS",), "ntasks-per-node": ("SLURM_NTASKS_PER_NODE",),
    "gpus": ("SLURM_GPUS",), "G": ("SLURM_GPUS",), "gpus-per-task": ("SLURM_GPUS_PER_TASK",),
    "gpus-per-node": ("SLURM_GPUS_PER_NODE", "SLURM_GPUS_ON_NODE"), "gres": ("SLURM_GPUS_ON_NODE",),
}  # fmt: skip


def without_files(text: str) -> tuple[str, dict[str, str]]:
    r"""Return a shell text without the documents that it carries, and those that it writes to a file, by path.

    Examples
    --------
    >>> without_files("cat > a.yml <<EOF\nmax_batch_size: 8\nEOF\nls")
    ('ls', {'a.yml': 'max_batch_size: 8\n'})
    """
    files: dict[str, str] = {}

    def taken(match: re.Match[str]) -> str:
        target = _TARGET.search(f"{match['command']} {match['rest']}")
        if target is None:
            return match[0]  # a script that is run, as by `ssh host <<EOF`
        files[(target[1] or target[2]).strip("\"'")] = match["body"]
        return ""

    plain = _HERE.sub(taken, text) if "<<" in text else text
    for match in _SAID.finditer(plain) if ">" in plain else ():
        double, single, path = match.groups()
        said = double if double is not None else single
        files[path.strip("\"'")] = _ESCAPED.sub(lambda mark: _MEANT.get(mark[1], mark[1]), said)
    return plain, files


def files_of_manifest(documents: Any, depth: int = 0) -> dict[str, str]:
    """Return the texts of a manifest's ``ConfigMap`` and Compose's ``configs``, by name of file."""
    files: dict[str, str] = {}
    if isinstance(documents, list) and depth == 0:
        for document in documents:
            files |= files_of_manifest(document, depth + 1)
    if not isinstance(documents, dict):
        return files
    held = documents.get("data") if documents.get("kind") == "ConfigMap" else None
    files |= {str(name): text for name, text in held.items() if isinstance(text, str)} if isinstance(held, dict) else {}
    if documents.get("kind") == "List":
        files |= files_of_manifest(documents.get("items"), 0)
    configs = documents.get("configs")
    for name, entry in configs.items() if isinstance(configs, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("content"), str):
            files[str(name)] = entry["content"]
    return files


def file_named(path: str, files: Mapping[str, str]) -> str | None:
    """Return the text of a file that is written beside the command: by its path, else by its name alone."""
    if path in files:
        return files[path]
    name = path.rsplit("/", 1)[-1]
    return next((text for known, text in files.items() if known.rsplit("/", 1)[-1] == name), None)


def as_script(text: str) -> str:
    """Return a unit of systemd as the shell lines that it stands for, and a job of Slurm with its variables set."""
    if re.search(r"(?m)^\[Service\][ \t]*$", text):
        text = re.sub(r"(?m)^ExecStart(?:Pre|Post)=.*(?:\\\n.*)*$|^\[\w+\][ \t]*$", "", text)
        text = re.sub(r"(?m)^ExecStart=[-@:+!]*", "", text)
        text = re.sub(r"(?m)^Environment=", "export ", text)
    slurm: dict[str, str] = {}
    for name, short, value in _JOB.findall(text):
        count = value.rsplit(":", 1)[-1].partition("-")[0]
        if count.isdigit():
            slurm |= dict.fromkeys(_SLURM.get(name or short, ()), count)
    _share_out(slurm)
    stated = "".join(f"export {name}={count}\n" for name, count in slurm.items())
    return stated + text


def _share_out(slurm: dict[str, str]) -> None:
    """Set the accelerators of a node of a job that states those of a task, or of all nodes."""
    nodes = int(slurm.get("SLURM_NNODES", "1"))
    if "SLURM_GPUS_PER_TASK" in slurm:
        on_node = int(slurm["SLURM_GPUS_PER_TASK"]) * int(slurm.get("SLURM_NTASKS_PER_NODE", "1"))
    else:
        on_node = int(slurm.get("SLURM_GPUS", "0")) // max(nodes, 1)
    if on_node:
        slurm.setdefault("SLURM_GPUS_ON_NODE", str(on_node))

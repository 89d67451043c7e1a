"""All files of a fleet, by target."""

from __future__ import annotations

from collections.abc import Callable

from jevons.deploy.bench import RESULT, bench_files, load_words
from jevons.deploy.compose import compose_files
from jevons.deploy.flags import release_of
from jevons.deploy.images import image_is_known
from jevons.deploy.kubernetes import kubernetes_files
from jevons.deploy.operators import dynamo_files, llmd_files
from jevons.deploy.placement import words
from jevons.deploy.scripts import launch_files, launch_lines, replicas, warnings_of
from jevons.deploy.types import ENGINES, Handover
from jevons.errors import InputError, did_you_mean
from jevons.operators.engines import title_of

_MAKERS: dict[str, tuple[str, Callable[[Handover], dict[str, str]]]] = {
    "compose": ("Docker Compose", compose_files), "k8s": ("Kubernetes", kubernetes_files),
    "dynamo": ("Dynamo", dynamo_files), "llmd": ("llm-d", llmd_files),
}  # fmt: skip
"""Title of each target that is no engine, and what writes its files."""
TARGETS = (*ENGINES, *_MAKERS)
"""What a fleet is written for."""


def target_titles() -> dict[str, str]:
    """Return what each target is called."""
    return {name: title_of(name) for name in ENGINES} | {name: title for name, (title, _) in _MAKERS.items()}


def deployments(handover: Handover, target: str) -> dict[str, str]:
    """Return the files of a fleet for one target, by file name.

    Raises
    ------
    InputError
        If the target is unknown, or cannot run the fleet; the message says why.
    """
    if target not in TARGETS:
        message = f"target {target}: unknown.{did_you_mean(target, TARGETS)} Known: {', '.join(TARGETS)}."
        raise InputError(message)
    return launch_files(handover, target) if target in ENGINES else _MAKERS[target][1](handover)


def every_file(handover: Handover) -> dict[str, str]:
    """Return the files for all targets that can run a fleet, its load tests, and a README."""
    files: dict[str, str] = {}
    left: dict[str, str] = {}
    for target in TARGETS:
        try:
            files |= deployments(handover, target)
        except InputError as error:
            left[target] = str(error).removeprefix(f"{target}: ")
    files |= bench_files(handover)
    return {"README.md": _readme(handover, left), **files}


def _readme(handover: Handover, left: dict[str, str]) -> str:
    started = replicas(handover, handover.engine)
    lines = [f"# {handover.name}", "", handover.answer, "", "## Fleet", ""]
    lines += [f"- {words(replica)}" for replica in started]
    lines += [f"- {handover.accelerators} accelerators in all; load: {load_words(handover)}"]
    lines += ["", "## Start", ""]
    lines += ["| folder | what |", "|---|---|"]
    for engine in ENGINES:
        version = replicas(handover, engine)[0].release
        own = ", predicted" if engine == handover.engine else ""
        lines += [f"| `{engine}/` | commands for {title_of(engine)} {version}{own} |"]
    titles = {"compose": "Docker compose, a file for each kind of server", "k8s": "Kubernetes manifests",
              "dynamo": "NVIDIA Dynamo deployment", "llmd": "llm-d model servers and pool values"}  # fmt: skip
    lines += [f"| `{target}/` | {title} |" for target, title in titles.items() if target not in left]
    lines += ["| `bench/` | the load test |"]
    lines += ["", *(f"Left out: `{target}`: {why}." for target, why in left.items())]
    lines += ["", *(f"> Warning: {warning}" for warning in warnings_of(started))]
    vendor = handover.pools[0].deployment.accelerator.vendor
    if not image_is_known(handover.engine, vendor):
        lines += [
            f"> Warning: no image of {title_of(handover.engine)} for {vendor} is known; set one in the manifests."
        ]
    router = release_of(f"{handover.engine}_router")[0] if handover.engine != "trtllm" else None
    if router is not None:
        lines += ["", f"Routers come from PyPI: `pip install {handover.engine}-router=={router.version}`."]
    lines += [
        "", "## Measure", "",
        "Start the fleet, then run `bench/vllm-bench.sh` (or `bench/aiperf.sh`) with `URL` at its router.",
        f"`{RESULT}` beside it holds the result; `jevons validate` and `jevons calibrate` read it.", "",
        f"Options were read from the releases' sources on {release_of('vllm')[0].read}.",
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text


__all__ = ["TARGETS", "deployments", "every_file", "launch_lines", "target_titles"]

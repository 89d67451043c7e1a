"""Hands a fleet over: launch commands, manifests and the load test, for the engines and systems that people run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from jevons import deploy
from jevons.deploy.bundle import every_file
from jevons.deploy.engines import replica
from jevons.deploy.flags import shipped_table
from jevons.deploy.types import ENGINES, Handover, Pool, Traffic
from jevons.facts.per_facts import per_facts
from jevons.serving import Deployment, EngineFactors, engine
from jevons.serving.engines import with_server_defaults
from jevons.sizing.fleet import Fleet
from jevons.sizing.memory import longest_told
from jevons.sizing.service import Demand, Service

_LEAST_REQUESTS, _MOST_REQUESTS = 200, 5000
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_PLAIN = re.compile(r"[^A-Za-z0-9._/:@+-]+")
"""What a shell, YAML or compose could take for more than a name."""


def checkpoint_of(model: str, asked: str = "") -> str:
    """Return the weights to load for a model: the id that was asked for, else its maker's, else its name.

    A name from somebody's file goes into scripts: what is no letter, digit or one of ``._/:@+-`` becomes a dash.
    """
    if _HUB_ID.fullmatch(asked) and not asked.endswith(".json") and not Path(asked).exists():
        return _plain(asked)
    known, base = shipped_table("checkpoints"), model.removesuffix("-fp8")
    maker = known.get(base, "")
    if (
        model != base
        and model not in known
        and maker.startswith(tuple(shipped_table("eight_bit_checkpoints")["makers"]))
    ):
        return f"{maker}-FP8"
    return _plain(known.get(model, model))


def _plain(name: str) -> str:
    return _PLAIN.sub("-", name).lstrip("-") or "model"


def handover(
    fleet: Fleet, service: Service, demand: Demand | None = None, *, name: str = "", answer: str = "", asked: str = ""
) -> Handover:
    """Return a fleet with all that its commands need.

    Parameters
    ----------
    fleet : Fleet
        Of `jevons.size`.
    service : Service
        How it serves: engine and request lengths.
    demand : Demand, optional
        The load.
    name, answer : str
        Name for files and objects, and what was predicted.
    asked : str
        Model as it was asked for, which may be an id of a hub.
    """
    demand, model = demand or Demand(), fleet.deployment.model.name
    key = fleet.deployment.engine.name
    pools = [_pool(fleet.deployment, fleet.replicas, "decode" if fleet.prefill else "", service)]
    if fleet.prefill is not None:
        pools.insert(0, _pool(fleet.prefill, fleet.prefill_replicas, "prefill", service))
    rate = 0.0 if demand.users else fleet.rate_req_per_s
    counted = demand.requests or (fleet.observed.requests if fleet.observed else 0) or round(60 * max(rate, 1.0))
    traffic = Traffic(
        isl=service.isl, osl=service.osl, rate_req_per_s=float(f"{rate:.4g}"), users=demand.users,
        requests=min(max(counted, _LEAST_REQUESTS), _MOST_REQUESTS), cv=demand.cv, isl_cv=demand.isl_cv,
        osl_cv=demand.osl_cv, seed=demand.seed,
    )  # fmt: skip
    words = f"{fleet.words()} on {fleet.accelerators} {fleet.deployment.accelerator.id}"
    return Handover(
        name=_plain(name or model), answer=" ".join((answer or words).split()),
        checkpoint=checkpoint_of(model, asked), pools=tuple(pools), traffic=traffic,
        engine=key if key in ENGINES else "vllm", release=service.engine.partition("@")[2],
        factors=_limits(fleet.deployment, service),
    )  # fmt: skip


def _pool(deployment: Deployment, replicas: int, role: str, service: Service) -> Pool:
    """Return a pool, of replicas that are told the longest sequence where their cache holds less than the model's."""
    longest = longest_told(deployment, service.isl + service.osl)
    return Pool(deployment=deployment, replicas=replicas, role=role, max_model_len=longest)


def _limits(deployment: Deployment, service: Service) -> dict[str, EngineFactors]:
    """Return each engine's factors with the limits asked for, or those of its server on the device."""
    own, device = deployment.engine, deployment.accelerator
    running, step_tokens = service.max_batch or 0, service.step_tokens or 0
    return {
        name: own if name == own.name else with_server_defaults(_preset(name), device, running, step_tokens)
        for name in ENGINES
    }


@per_facts(8)
def _preset(name: str) -> EngineFactors:
    return engine(name)


def deployments(
    fleet: Fleet, target: str, *, service: Service, demand: Demand | None = None, name: str = "", asked: str = ""
) -> dict[str, str]:
    """Return the files of a fleet for a target, and the load tests that repeat its load, by file name.

    Parameters
    ----------
    fleet : Fleet
        Of `jevons.size`.
    target : str
        One of `jevons.deploy.TARGETS`: vllm, sglang, trtllm, compose, k8s, dynamo or llmd.
    service, demand, name, asked
        As in `handover`.

    Raises
    ------
    InputError
        If the target is unknown, or cannot run the fleet.
    """
    handed = handover(fleet, service, demand, name=name, asked=asked)
    return deploy.deployments(handed, target) | deploy.bench_files(handed)


def launch(handed: Handover) -> dict[str, list[str]]:
    """Return the command lines of one instance of each pool, by engine."""
    return {name: deploy.launch_lines(handed, name) for name in ENGINES}


def launch_warnings(handed: Handover) -> dict[str, list[str]]:
    """Return what each engine cannot express of the layout, or needs besides, by engine."""
    return {name: deploy.warnings_of([replica(handed, pool, name) for pool in handed.pools]) for name in ENGINES}


def emitted(handed: Mapping[str, Handover]) -> dict[str, str]:
    """Return the files of several fleets, each in a folder of its short name, and a list of them."""
    files: dict[str, str] = {}
    lines = ["# Fleets", ""]
    for short, handed_over in handed.items():
        files |= {f"{short}/{name}": text for name, text in every_file(handed_over).items()}
        lines.append(f"- [{short}]({short}/README.md): {handed_over.answer}")
    return {"README.md": "\n".join(lines) + "\n", **files}

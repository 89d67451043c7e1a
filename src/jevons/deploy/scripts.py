"""Shell scripts that start the replicas of a fleet, and its router."""

from __future__ import annotations

from jevons.deploy.engines import BOOTSTRAP_PORT, NIXL_PORT, command, replica
from jevons.deploy.images import devices_variable
from jevons.deploy.placement import per_server, placed, server_count, words
from jevons.deploy.types import Command, Handover, Replica, Site
from jevons.limits import ROUTED
from jevons.operators.engines import title_of

ROUTER_PORT = "9000"
FIRST_PORT = 8000
WEIGHTS = "/weights"
"""Where containers find the hub's cache."""


def replicas(handover: Handover, engine: str) -> list[Replica]:
    """Return how the pools of a fleet are started by an engine."""
    return [replica(handover, pool, engine) for pool in handover.pools]


def warnings_of(started: list[Replica]) -> list[str]:
    """Return every warning once."""
    warnings = [warning for launched in started for warning in launched.warnings]
    if too_many(started):
        count = sum(launched.instances for launched in started)
        warnings.append(f"No router command lists {count:,} instances: point a router at them by service discovery.")
    return list(dict.fromkeys(warnings))


def too_many(started: list[Replica]) -> bool:
    """Return whether a fleet has more instances than a router's command lists."""
    return sum(launched.instances for launched in started) > ROUTED


def launch_files(handover: Handover, engine: str) -> dict[str, str]:
    """Return the scripts of an engine by file name."""
    files: dict[str, str] = {}
    started = replicas(handover, engine)
    for launched in started:
        files[f"{engine}/{launched.label}.sh"] = _script(handover, launched)
        for name, text in command(handover, launched, Site(model=handover.checkpoint)).files:
            files[f"{engine}/{name}"] = text
    routing = router(handover, engine)
    if routing is not None:
        files[f"{engine}/router.sh"] = _router_script(routing)
        files |= {f"{engine}/{name}": text for name, text in routing.files}
    return files


def launch_lines(handover: Handover, engine: str) -> list[str]:
    """Return the command lines of one instance of each pool, a line a server, then that of the router."""
    lines = []
    for launched in replicas(handover, engine):
        for rank in range(launched.servers if engine != "trtllm" else 1):
            site = Site(model=handover.checkpoint, rank=str(rank), port=str(FIRST_PORT))
            lines.append(command(handover, launched, site).line())
    routing = router(handover, engine)
    return lines if routing is None else [*lines, routing.line()]


def _script(handover: Handover, launched: Replica) -> str:
    release = f"{title_of(launched.engine)} {launched.release}"
    head = ["#!/usr/bin/env bash", f"# {words(launched)}, {release}."]
    head += [f"# Warning: {warning}" for warning in launched.warnings]
    model = f'MODEL="${{MODEL:-{handover.checkpoint}}}"'
    body = _spanning(handover, launched) if launched.servers > 1 else _packed(handover, launched)
    return "\n".join([*head, *body[0], "set -euo pipefail", 'cd "$(dirname "$0")"', model, *body[1], ""])


def _packed(handover: Handover, launched: Replica) -> tuple[list[str], list[str]]:
    """Return usage and body of a script that starts the instances of one server."""
    each, devices = per_server(launched), launched.devices
    counts = ", ".join(f"{s.servers} with {s.instances}" for s in placed(launched))
    usage = [f"# Usage: ./{launched.label}.sh [INSTANCES]  on each of {server_count(launched)} server(s): {counts}."]
    if each == 1 and launched.instances == 1:
        launch = command(handover, launched, Site(model="$MODEL", port=str(FIRST_PORT)))
        return [f"# Usage: ./{launched.label}.sh"], [*_environment(launched, "0"), f"exec {launch.lines()}"]
    visible = devices_variable(launched.pool.deployment.accelerator.vendor)
    launch = command(handover, launched, Site(model="$MODEL", port=f"$(({FIRST_PORT} + i))"))
    body = [f'INSTANCES="${{1:-{each}}}"', "for ((i = 0; i < INSTANCES; i++)); do"]
    if visible:
        body += [f'  devices="$(seq -s, $((i * {devices})) $((i * {devices} + {devices - 1})))"']
        body += [f'  export {visible}="$devices"']
    body += [f"  {line}" for line in _environment(launched, "i")]
    body += [f"  {launch.lines(indent='    ')} &", "done", "wait"]
    return usage, body


def _spanning(handover: Handover, launched: Replica) -> tuple[list[str], list[str]]:
    """Return usage and body of a script that starts one server's part of an instance."""
    site = Site(model="$MODEL", port=str(FIRST_PORT), leader="$LEADER", rank="$RANK")
    if launched.engine == "trtllm":
        usage = [
            f"# Usage: ./{launched.label}.sh  once an instance, from a Slurm job; {launched.instances} instance(s)."
        ]
        return usage, [f"exec {command(handover, launched, site).lines()}"]
    on_each = f"on each of {launched.servers} servers an instance, RANK 0 to {launched.servers - 1};"
    usage = [f"# Usage: ./{launched.label}.sh RANK LEADER  {on_each}"]
    usage += [f"# LEADER is the address of rank 0. {launched.instances} instance(s)."]
    first = Site(model="$MODEL", port=str(FIRST_PORT), leader="$LEADER", rank="0")
    body = ['RANK="$1"', 'LEADER="$2"', *_environment(launched, "0"), 'if [ "$RANK" = 0 ]; then']
    body += [f"  exec {command(handover, launched, first).lines(indent='    ')}", "fi"]
    body += [f"exec {command(handover, launched, site).lines()}"]
    return usage, body


def _environment(launched: Replica, place: str) -> list[str]:
    """Return what a pool of a disaggregated fleet needs in its environment."""
    if launched.engine != "vllm" or not launched.pool.role:
        return []
    port = f"{NIXL_PORT}" if place == "0" else f"$(({NIXL_PORT} + 100 * {place}))"
    return ['export VLLM_NIXL_SIDE_CHANNEL_HOST="$(hostname -i)"', f'export VLLM_NIXL_SIDE_CHANNEL_PORT="{port}"']


def _addresses(launched: Replica, *, variable: str) -> list[str]:
    """Return the addresses of a pool's instances, where the servers' names are variables of the shell."""
    places = []
    server = 0
    for kind in placed(launched):
        if kind.rank:
            continue
        for _ in range(kind.servers):
            places += [f"http://${{{variable}_{server}}}:{FIRST_PORT + i}" for i in range(kind.instances)]
            server += 1
    return places


def router(handover: Handover, engine: str) -> Command | None:
    """Return the command that spreads requests over a fleet's instances; None where there is one, or too many."""
    started = replicas(handover, engine)
    if sum(launched.instances for launched in started) == 1 or too_many(started):
        return None
    if engine == "trtllm":
        name = "router.yaml"
        return Command(
            program=("trtllm-serve", "disaggregated"), options=(("-c", name),),
            files=((name, _trtllm_router(handover, started)),),
        )  # fmt: skip
    options: list[tuple[str, str | None]] = [("--host", "0.0.0.0"), ("--port", ROUTER_PORT)]  # noqa: S104
    program = ("vllm-router",) if engine == "vllm" else ("python", "-m", "sglang_router.launch_router")
    if not handover.disaggregated:
        addresses = _addresses(started[0], variable="SERVER")
        return Command(program=program, options=(*options, ("--worker-urls", None), *((a, None) for a in addresses)))
    options += [("--vllm-pd-disaggregation" if engine == "vllm" else "--pd-disaggregation", None)]
    for launched in started:
        for address in _addresses(launched, variable=launched.pool.role.upper()):
            options += [(f"--{launched.pool.role}", address)]
            options += [(str(BOOTSTRAP_PORT), None)] if engine == "sglang" and launched.pool.role == "prefill" else []
    return Command(program=program, options=tuple(options))


def _router_script(routing: Command) -> str:
    names = sorted(
        {word.split("${")[1].split("}")[0] for word in routing.words() if "${" in word},
        key=lambda name: (name.split("_")[0], int(name.split("_")[1])),
    )
    head = ["#!/usr/bin/env bash", "# Spreads requests over the fleet. Set the addresses of its servers:"]
    head += [f"#   export {name}=..." for name in names] or ["#   in router.yaml."]
    return "\n".join([*head, "set -euo pipefail", 'cd "$(dirname "$0")"', f"exec {routing.lines()}", ""])


def _trtllm_router(handover: Handover, started: list[Replica]) -> str:
    """Return the configuration of TensorRT-LLM's router; replace the names of servers by their addresses."""
    lines = ["# Replace the names of servers by their addresses.", "hostname: 0.0.0.0", f"port: {ROUTER_PORT}"]
    lines += ["backend: pytorch"]
    for launched in started:
        kind = "context_servers" if launched.pool.role == "prefill" else "generation_servers"
        variable = launched.pool.role or "server"
        addresses = [
            a.split("//")[1].replace("${", "").replace("}", "") for a in _addresses(launched, variable=variable)
        ]
        lines += [f"{kind}:", f"  num_instances: {len(addresses)}", "  urls:"]
        lines += [f"    - {address.replace('_', '-')}" for address in addresses]
    if not handover.disaggregated:
        lines += ["context_servers:", "  num_instances: 0"]
    return "\n".join(lines) + "\n"

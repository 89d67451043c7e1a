"""Docker compose files: one for each kind of server of a fleet."""

from __future__ import annotations

from typing import Any

from jevons.deploy.engines import NIXL_PORT, command
from jevons.deploy.images import devices_variable, image_of, router_container
from jevons.deploy.placement import Server, placed, words
from jevons.deploy.scripts import FIRST_PORT, WEIGHTS, replicas, router
from jevons.deploy.texts import yaml_text
from jevons.deploy.types import Command, Handover, Replica, Site
from jevons.errors import InputError
from jevons.operators.engines import title_of

"""Where a container finds the server's cache of weights, whatever the home of its user."""


def compose_files(handover: Handover) -> dict[str, str]:
    """Return the compose files of a fleet, by file name; each says on how many servers it runs.

    Raises
    ------
    InputError
        If containers of the accelerator are not started by Docker.
    """
    files: dict[str, str] = {}
    for replica in replicas(handover, handover.engine):
        if not devices_variable(replica.pool.deployment.accelerator.vendor):
            vendor = replica.pool.deployment.accelerator.vendor
            message = f"compose: accelerators of {vendor} have no compose recipe; use the commands or Kubernetes"
            raise InputError(message)
        if replica.engine == "trtllm" and replica.servers > 1:
            message = "compose: TensorRT-LLM over several servers starts through Slurm or MPI; use its script or Dynamo"
            raise InputError(message)
        kinds = list(placed(replica))
        for server in kinds:
            parts = [replica.label, f"rank{server.rank}" if replica.servers > 1 else ""]
            parts += [f"{server.instances}-instances" if len(kinds) > 1 and replica.servers == 1 else ""]
            name = "-".join(part for part in parts if part)
            files[f"compose/{name}.compose.yaml"] = _compose(handover, replica, server)
            site = Site(model=handover.checkpoint)
            files |= {f"compose/{file}": text for file, text in command(handover, replica, site).files}
    routing = router(handover, handover.engine)
    if routing is not None:
        files["compose/router.compose.yaml"] = _router(handover, routing)
        files |= {f"compose/{file}": text for file, text in routing.files}
    return files


def _router(handover: Handover, routing: Command) -> str:
    head = "# Spreads requests over the fleet; set the addresses of its servers in the environment.\n"
    image, words = router_container(handover, routing)
    service: dict[str, Any] = {"image": image, "entrypoint": [], "command": words, "network_mode": "host"}
    names = sorted({word.split("${")[1].split("}")[0] for word in routing.words() if "${" in word})
    service["environment"] = {name: f"${{{name}:?address of a server}}" for name in names}
    if routing.files:
        service["volumes"] = [f"./{name}:/config/{name}:ro" for name, _ in routing.files]
        service["working_dir"] = "/config"
    return head + yaml_text({"x-jevons": {"servers": 1, "accelerators": 0, "fleet": handover.name},
                             "services": {"router": service}})  # fmt: skip


def _compose(handover: Handover, replica: Replica, server: Server) -> str:
    head = [f"# {words(replica)}, {title_of(replica.engine)} {replica.release}."]
    head += [f"# This file runs on {server.servers} server(s), {server.devices} accelerators each."]
    head += ["# Set LEADER to the address of rank 0."] if server.rank or replica.servers > 1 else []
    head += [f"# Warning: {warning}" for warning in replica.warnings]
    services = {
        f"{replica.label}-{place}": _service(handover, replica, server, place) for place in range(server.instances)
    }
    content = {
        "x-jevons": {"servers": server.servers, "accelerators": server.devices, "fleet": handover.name},
        "services": services,
    }
    return "\n".join(head) + "\n" + yaml_text(content)


def _service(handover: Handover, replica: Replica, server: Server, place: int) -> dict[str, Any]:
    each, vendor = replica.devices_per_server, replica.pool.deployment.accelerator.vendor
    port = str(FIRST_PORT + place)
    site = Site(model=handover.checkpoint, port=port, leader="${LEADER:?address of rank 0}", rank=str(server.rank))
    launch = command(handover, replica, site)
    devices = [str(place * each + i) for i in range(each)]
    environment: dict[str, str] = {"HF_TOKEN": "${HF_TOKEN:-}", "HF_HOME": WEIGHTS} | dict(launch.env)
    if replica.engine == "vllm" and replica.pool.role:
        environment |= {"VLLM_NIXL_SIDE_CHANNEL_PORT": str(NIXL_PORT + 100 * place)}
        environment |= {"VLLM_NIXL_SIDE_CHANNEL_HOST": "${ADDRESS:?address of this server}"}
    service: dict[str, Any] = {
        "image": image_of(replica.engine, replica.release, vendor),
        "entrypoint": [],
        "command": launch.words(),
        "environment": environment,
        "network_mode": "host",
        "ipc": "host",
        "ulimits": {"memlock": -1, "stack": 67108864},
        "volumes": [f"${{HF_HOME:-~/.cache/huggingface}}:{WEIGHTS}"],
        "restart": "unless-stopped",
    }
    if server.rank == 0:
        service["healthcheck"] = _health(port)
    if launch.files:
        service["volumes"] = [*service["volumes"], *(f"./{name}:/config/{name}:ro" for name, _ in launch.files)]
        service["working_dir"] = "/config"
    if vendor == "NVIDIA":
        reservation = {"driver": "nvidia", "device_ids": devices, "capabilities": ["gpu"]}
        service["deploy"] = {"resources": {"reservations": {"devices": [reservation]}}}
    else:
        service["devices"] = ["/dev/kfd", "/dev/dri"]
        service["group_add"] = ["video"]
        service["environment"]["HIP_VISIBLE_DEVICES"] = ",".join(devices)
    return service


def _health(port: str) -> dict[str, Any]:
    """Return a check that the server answers; weights take minutes to load, an hour at worst."""
    asked = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port}/health', timeout=5)"
    return {
        "test": ["CMD", "python3", "-c", asked], "interval": "10s", "timeout": "10s", "retries": 3,
        "start_period": "3600s",
    }  # fmt: skip

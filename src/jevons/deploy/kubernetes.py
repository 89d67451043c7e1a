"""Kubernetes manifests: a Deployment for instances on one server, a LeaderWorkerSet for those that span several."""

from __future__ import annotations

from typing import Any

from jevons.deploy.engines import NIXL_PORT, command
from jevons.deploy.images import image_of, resource_of, router_container
from jevons.deploy.placement import words
from jevons.deploy.scripts import FIRST_PORT, ROUTER_PORT, WEIGHTS, replicas
from jevons.deploy.texts import object_name, yaml_text
from jevons.deploy.types import Command, Handover, Replica, Site
from jevons.errors import InputError
from jevons.operators.engines import title_of

Manifest = dict[str, Any]

_KEPT = "/var/lib/huggingface"
KEPT_NOTE = f"Each node keeps the weights in {_KEPT}; put a claim of your own there where hostPath is not allowed."
_LEADER, _RANK = "$LWS_LEADER_ADDRESS", "$LWS_WORKER_INDEX"


def kubernetes_files(handover: Handover) -> dict[str, str]:
    """Return the manifests of a fleet, by file name.

    Raises
    ------
    InputError
        If the engine's instances span servers and start through MPI, or its pools need a router of its own.
    """
    if handover.disaggregated and handover.engine == "trtllm":
        message = "k8s: pools of TensorRT-LLM need its own router; use its scripts or Dynamo"
        raise InputError(message)
    name, documents = object_name(handover.name), []
    head: list[str] = []
    for replica in replicas(handover, handover.engine):
        check_spans(replica, "k8s")
        head += [f"# {words(replica)}, {title_of(replica.engine)} {replica.release}."]
        head += [f"# Warning: {warning}" for warning in replica.warnings]
        label = f"{name}-{replica.label}"
        documents += workload(handover, replica, label, {"app": name, "role": replica.label})
        documents.append(service(label, {"app": name, "role": replica.label}, FIRST_PORT, leaders=replica.servers > 1))
    if handover.disaggregated or sum(replica.instances for replica in replicas(handover, handover.engine)) > 1:
        documents += _router(handover, name)
    head += ["# Needs a secret hf-token with the key HF_TOKEN.", f"# {KEPT_NOTE}"]
    return {"k8s/fleet.yaml": "\n".join(head) + "\n" + yaml_text(*documents)}


def check_spans(replica: Replica, target: str) -> None:
    """Refuse instances that Kubernetes does not start over several servers by itself.

    Raises
    ------
    InputError
        Naming what does.
    """
    if replica.engine == "trtllm" and replica.servers > 1:
        message = f"{target}: TensorRT-LLM over several servers starts through Slurm or MPI; use its script or Dynamo"
        raise InputError(message)


def workload(
    handover: Handover, replica: Replica, name: str, labels: dict[str, str], *, port: int = FIRST_PORT,
    before: list[Manifest] | None = None,
) -> list[Manifest]:  # fmt: skip
    """Return the objects that run a pool's instances."""
    config = _config(handover, replica, name)
    if replica.servers == 1:
        pod = _pod(handover, replica, Site(model=handover.checkpoint, port=str(port)), port, before, name)
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec: Manifest = {"replicas": replica.instances, "selector": {"matchLabels": labels}, "template": template}
        return [*config, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(name, labels), "spec": spec}]
    first = Site(model=handover.checkpoint, port=str(port), leader=_LEADER)
    other = Site(model=handover.checkpoint, port=str(port), leader=_LEADER, rank=_RANK)
    leader = _pod(handover, replica, first, port, before, name)
    worker = _pod(handover, replica, other, 0, None, name)
    group = {
        "size": replica.servers,
        "restartPolicy": "RecreateGroupOnPodRestart",
        "leaderTemplate": {"metadata": {"labels": labels | {"rank": "leader"}}, "spec": leader},
        "workerTemplate": {"metadata": {"labels": labels | {"rank": "worker"}}, "spec": worker},
    }
    return [
        *config,
        {
            "apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "metadata": _meta(name, labels),
            "spec": {"replicas": replica.instances, "leaderWorkerTemplate": group},
        },
    ]  # fmt: skip


def _meta(name: str, labels: dict[str, str]) -> Manifest:
    return {"name": name, "labels": labels}


def _config(handover: Handover, replica: Replica, name: str) -> list[Manifest]:
    launch = command(handover, replica, Site(model=handover.checkpoint))
    if not launch.files:
        return []
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(launch.files)}]


def _pod(
    handover: Handover, replica: Replica, site: Site, port: int, before: list[Manifest] | None, name: str
) -> Manifest:
    """Return the pod of one server of an instance; *port* is 0 where it answers no requests."""
    launch, vendor = command(handover, replica, site), replica.pool.deployment.accelerator.vendor
    container: Manifest = {"name": replica.label, "image": image_of(replica.engine, replica.release, vendor)}
    container |= _started(launch)
    container["env"] = _environment(replica)
    container["resources"] = {"limits": {resource_of(vendor): str(replica.devices_per_server)}}
    mounts = [{"name": "shm", "mountPath": "/dev/shm"}, {"name": "weights", "mountPath": WEIGHTS}]  # noqa: S108
    volumes: list[Manifest] = [
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        {"name": "weights", "hostPath": {"path": _KEPT, "type": "DirectoryOrCreate"}},
    ]
    if launch.files:
        mounts.append({"name": "config", "mountPath": "/config"})
        volumes.append({"name": "config", "configMap": {"name": name}})
        container["workingDir"] = "/config"
    if port:
        container["ports"] = [{"name": "http", "containerPort": port}]
        probe: Manifest = {"httpGet": {"path": "/health", "port": port}}
        container["startupProbe"] = probe | {"periodSeconds": 10, "failureThreshold": 360}
        container["readinessProbe"] = probe | {"periodSeconds": 5, "failureThreshold": 3}
    container["volumeMounts"] = mounts
    pod: Manifest = {"initContainers": before} if before else {}
    return pod | {"containers": [container], "volumes": volumes}


def _started(launch: Command) -> Manifest:
    words = launch.words()
    if any("$" in word for word in words):
        return {"command": ["/bin/sh", "-c", f"exec {launch.lines()}"]}
    return {"command": list(launch.program), "args": words[len(launch.program) :]}


def _environment(replica: Replica) -> list[Manifest]:
    env: list[Manifest] = [
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "HF_TOKEN", "optional": True}}},
        {"name": "HF_HOME", "value": WEIGHTS},
    ]
    if replica.engine == "vllm" and replica.pool.role:
        address = {"fieldRef": {"fieldPath": "status.podIP"}}
        env.append({"name": "VLLM_NIXL_SIDE_CHANNEL_HOST", "valueFrom": address})
        env.append({"name": "VLLM_NIXL_SIDE_CHANNEL_PORT", "value": str(NIXL_PORT)})
    return env


def service(name: str, labels: dict[str, str], port: int, *, leaders: bool = False) -> Manifest:
    """Return the service of a pool; of the leaders only where instances span servers."""
    selector = labels | ({"rank": "leader"} if leaders else {})
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": _meta(name, labels),
        "spec": {"selector": selector, "ports": [{"name": "http", "port": port, "targetPort": port}]},
    }  # fmt: skip


def _router(handover: Handover, name: str) -> list[Manifest]:
    """Return what spreads requests over instances, which it finds by their labels."""
    if handover.engine == "trtllm":
        return []  # its service spreads requests
    program = ("vllm-router",) if handover.engine == "vllm" else ("python", "-m", "sglang_router.launch_router")
    options: list[tuple[str, str | None]] = [("--host", "0.0.0.0"), ("--port", ROUTER_PORT)]  # noqa: S104
    options += [("--service-discovery", None), ("--service-discovery-port", str(FIRST_PORT))]
    options += [("--service-discovery-namespace", "$NAMESPACE")]
    leaders = {replica.label: replica.servers > 1 for replica in replicas(handover, handover.engine)}

    def selector(label: str) -> list[tuple[str, str | None]]:
        words = [f"app={name}", f"role={label}", *(["rank=leader"] if leaders[label] else [])]
        return [(word, None) for word in words]

    if handover.disaggregated:
        options += [("--vllm-pd-disaggregation" if handover.engine == "vllm" else "--pd-disaggregation", None)]
        for label in leaders:
            options += [(f"--{label}-selector", None), *selector(label)]
    else:
        options += [("--selector", None), *selector("serve")]
    image, words_ = router_container(handover, Command(program=program, options=tuple(options)))
    labels = {"app": name, "role": "router"}
    namespace = {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    container = {
        "name": "router", "image": image, "command": words_, "env": [namespace],
        "ports": [{"name": "http", "containerPort": int(ROUTER_PORT)}],
    }  # fmt: skip
    pod = {"serviceAccountName": f"{name}-router", "containers": [container]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return [
        *_permissions(f"{name}-router"),
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": _meta(f"{name}-router", labels),
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        service(f"{name}-router", labels, int(ROUTER_PORT)),
    ]  # fmt: skip


def _permissions(name: str) -> list[Manifest]:
    """Return the account with which a router reads the pods of its namespace."""
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules},
        {
            "apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name}],
        },
    ]  # fmt: skip

"""Deployments for what runs engines on Kubernetes: NVIDIA Dynamo and llm-d."""

from __future__ import annotations

from typing import Any

from jevons.deploy.engines import command, trtllm_config
from jevons.deploy.flags import release_of
from jevons.deploy.images import dynamo_image, resource_of
from jevons.deploy.kubernetes import KEPT_NOTE, workload
from jevons.deploy.placement import words
from jevons.deploy.scripts import replicas
from jevons.deploy.texts import object_name, yaml_text
from jevons.deploy.types import Handover, Replica, Site
from jevons.errors import InputError
from jevons.operators.engines import title_of

_DROPPED = {"--port", "--host", "--backend", "--config", "--gpus_per_node"}
"""Options of a server of one's own that Dynamo's workers do not take."""
_TRT_NAMES = {
    "--tp_size": "--tensor-parallel-size", "--pp_size": "--pipeline-parallel-size",
    "--ep_size": "--expert-parallel-size",
    "--max_batch_size": "--max-batch-size", "--max_num_tokens": "--max-num-tokens", "--max_seq_len": "--max-seq-len",
    "--kv_cache_free_gpu_memory_fraction": "--free-gpu-memory-fraction",
}  # fmt: skip
_SIDECAR = "ghcr.io/llm-d/llm-d-routing-sidecar:v0.5.0"


def dynamo_files(handover: Handover) -> dict[str, str]:
    """Return the DynamoGraphDeployment of a fleet: a frontend, and a worker component for each pool.

    Raises
    ------
    InputError
        If the accelerators are not NVIDIA's.
    """
    vendor = handover.pools[0].deployment.accelerator.vendor
    if vendor != "NVIDIA":
        message = f"dynamo: its images are for NVIDIA's accelerators, not {vendor}'s; use k8s"
        raise InputError(message)
    name, started = object_name(handover.name), replicas(handover, handover.engine)
    image = f"{dynamo_image(handover.engine)}:{release_of('dynamo_frontend')[0].version}"
    frontend = {"name": "main", "image": image, "command": ["python3", "-m", "dynamo.frontend"]}
    frontend["args"] = ["--http-port", "8000"]
    components: list[dict[str, Any]] = [
        {"name": "Frontend", "type": "frontend", "replicas": 1, "podTemplate": {"spec": {"containers": [frontend]}}}
    ]
    components += [_component(handover, replica, image, name) for replica in started]
    graph = {
        "apiVersion": "nvidia.com/v1beta1", "kind": "DynamoGraphDeployment", "metadata": {"name": name},
        "spec": {"backendFramework": handover.engine, "components": components},
    }  # fmt: skip
    documents: list[Any] = [graph]
    if handover.engine == "trtllm":
        data = {f"{replica.label}.config.yaml": trtllm_config(replica) for replica in started}
        documents.insert(0, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
    head = [f"# {words(replica)}, {title_of(replica.engine)} {replica.release}." for replica in started]
    head += [f"# Warning: {warning}" for replica in started for warning in replica.warnings]
    head += ["# Needs Dynamo's operator, and a secret hf-token-secret with HF_TOKEN."]
    return {"dynamo/deployment.yaml": "\n".join(head) + "\n" + yaml_text(*documents)}


def _component(handover: Handover, replica: Replica, image: str, name: str) -> dict[str, Any]:
    launch = command(handover, replica, Site(model=handover.checkpoint, managed=True))
    module = {"vllm": "dynamo.vllm", "sglang": "dynamo.sglang", "trtllm": "dynamo.trtllm"}[replica.engine]
    options = [(option, value) for option, value in launch.options if option not in _DROPPED]
    if replica.engine == "trtllm":
        options = [(_TRT_NAMES.get(option, option), value) for option, value in options]
        options += [("--extra-engine-args", f"/config/{replica.label}.config.yaml")]
    model = (
        []
        if replica.engine == "sglang"
        else [("--model-path" if replica.engine == "trtllm" else "--model", handover.checkpoint)]
    )
    role = [("--disaggregation-mode", replica.pool.role)] if replica.pool.role and replica.engine != "sglang" else []
    args = [word for pair in (*model, *options, *role) for word in pair if word is not None]
    gpus = {resource_of("NVIDIA"): str(replica.devices_per_server)}
    container: dict[str, Any] = {
        "name": "main", "image": image, "command": ["python3", "-m", module], "args": args,
        "envFrom": [{"secretRef": {"name": "hf-token-secret", "optional": True}}], "resources": {"limits": gpus},
    }  # fmt: skip
    pod: dict[str, Any] = {"containers": [container]}
    if replica.engine == "trtllm":
        container["volumeMounts"] = [{"name": "config", "mountPath": "/config"}]
        pod["volumes"] = [{"name": "config", "configMap": {"name": name}}]
    component: dict[str, Any] = {
        "name": replica.pool.role.capitalize() or "Worker", "type": replica.pool.role or "worker",
        "replicas": replica.instances,
        "podTemplate": {"spec": pod},
    }  # fmt: skip
    if replica.servers > 1:
        component["multinode"] = {"nodeCount": replica.servers}
    return component


def llmd_files(handover: Handover) -> dict[str, str]:
    """Return llm-d's model servers and the values of its inference pool's chart.

    Raises
    ------
    InputError
        If the engine is not vLLM.
    """
    if handover.engine != "vllm":
        message = f"llmd: manifests are written for vLLM, not {title_of(handover.engine)}; size with --engine vllm"
        raise InputError(message)
    name, documents, head = object_name(handover.name), [], []
    for replica in replicas(handover, "vllm"):
        head += [
            f"# {words(replica)}, vLLM {replica.release}.",
            *(f"# Warning: {warning}" for warning in replica.warnings),
        ]
        labels = {
            "llm-d.ai/inference-serving": "true",
            "llm-d.ai/model": name,
            "llm-d.ai/role": replica.pool.role or "both",
        }
        decode = replica.pool.role == "decode"
        documents += workload(
            handover, replica, f"{name}-{replica.label}", labels, port=8200 if decode else 8000,
            before=[_sidecar()] if decode else None,
        )  # fmt: skip
    head += ["# Needs a secret hf-token with the key HF_TOKEN, and the pool of inferencepool.values.yaml."]
    head += [f"# {KEPT_NOTE}"]
    return {
        "llmd/modelservers.yaml": "\n".join(head) + "\n" + yaml_text(*documents),
        "llmd/inferencepool.values.yaml": _pool_values(handover, name),
    }


def _sidecar() -> dict[str, Any]:
    """Return the proxy in front of a decode server, which sends prompts to a prefill server first."""
    return {
        "name": "routing-proxy", "image": _SIDECAR,
        "args": ["--port=8000", "--vllm-port=8200", "--connector=nixlv2", "--secure-proxy=false"],
        "ports": [{"containerPort": 8000}], "restartPolicy": "Always",
    }  # fmt: skip


def _pool_values(handover: Handover, name: str) -> str:
    """Return the values of the inferencepool chart of the Gateway API inference extension."""
    scorers: list[dict[str, Any]] = [{"pluginRef": "queue-scorer", "weight": 1.0}]
    plugins: list[dict[str, Any]] = [{"type": "queue-scorer"}]
    profiles: list[dict[str, Any]] = [{"name": "default", "plugins": scorers}]
    if handover.disaggregated:
        plugins += [{"type": kind} for kind in ("prefill-header-handler", "prefill-filter", "decode-filter")]
        plugins += [{"type": "pd-profile-handler", "parameters": {"threshold": 0, "hashBlockSize": 5}}]
        profiles = [
            {"name": role, "plugins": [{"pluginRef": f"{role}-filter"}, *scorers]} for role in ("prefill", "decode")
        ]
    config = {
        "apiVersion": "inference.networking.x-k8s.io/v1alpha1", "kind": "EndpointPickerConfig", "plugins": plugins,
        "schedulingProfiles": profiles,
    }  # fmt: skip
    values = {
        "inferenceExtension": {
            "replicas": 1, "pluginsConfigFile": "fleet.yaml", "pluginsCustomConfig": {"fleet.yaml": yaml_text(config)},
        },
        "inferencePool": {
            "targetPorts": [{"number": 8000}], "modelServerType": "vllm",
            "modelServers": {"matchLabels": {"llm-d.ai/inference-serving": "true", "llm-d.ai/model": name}},
        },
    }  # fmt: skip
    return "# Values of the chart inferencepool of the Gateway API inference extension.\n" + yaml_text(values)

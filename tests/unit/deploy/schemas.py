"""Small schemas of the manifests that are written: keys that must and may stand, and what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]
TEXT, COUNT, ANY = str, int, object

CONTAINER: Schema = {
    "name": TEXT, "image": TEXT, "command?": [TEXT], "args?": [TEXT], "env?": [ANY], "envFrom?": [ANY],
    "resources?": {"limits": Mapping}, "ports?": [{"name?": TEXT, "containerPort": COUNT}], "startupProbe?": Mapping,
    "readinessProbe?": Mapping, "volumeMounts?": [{"name": TEXT, "mountPath": TEXT}], "workingDir?": TEXT,
    "restartPolicy?": TEXT,
}  # fmt: skip
POD: Schema = {
    "containers": [CONTAINER], "initContainers?": [CONTAINER], "volumes?": [Mapping], "serviceAccountName?": TEXT,
}  # fmt: skip
META: Schema = {"name": TEXT, "labels?": Mapping}
TEMPLATE: Schema = {"metadata?": {"labels": Mapping}, "spec": POD}
KINDS: dict[str, tuple[str, Schema]] = {
    "Deployment": (
        "apps/v1",
        {"metadata": META, "spec": {"replicas": COUNT, "selector": {"matchLabels": Mapping}, "template": TEMPLATE}},
    ),
    "LeaderWorkerSet": (
        "leaderworkerset.x-k8s.io/v1",
        {
            "metadata": META,
            "spec": {
                "replicas": COUNT,
                "leaderWorkerTemplate": {
                    "size": COUNT, "restartPolicy": TEXT, "leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE,
                },
            },
        },
    ),
    "Service": ("v1", {"metadata": META, "spec": {"selector": Mapping, "ports": [Mapping]}}),
    "ConfigMap": ("v1", {"metadata": META, "data": Mapping}),
    "ServiceAccount": ("v1", {"metadata": META}),
    "Role": ("rbac.authorization.k8s.io/v1", {"metadata": META, "rules": [Mapping]}),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", {"metadata": META, "roleRef": Mapping, "subjects": [Mapping]}),
    "DynamoGraphDeployment": (
        "nvidia.com/v1beta1",
        {
            "metadata": META,
            "spec": {
                "backendFramework": TEXT,
                "components": [
                    {
                        "name": TEXT, "type": TEXT, "replicas": COUNT, "podTemplate": {"spec": POD},
                        "multinode?": {"nodeCount": COUNT},
                    }
                ],
            },
        },
    ),
}  # fmt: skip
COMPOSE: Schema = {
    "x-jevons": {"servers": COUNT, "accelerators": COUNT, "fleet": TEXT},
    "services": Mapping,
}
COMPOSE_SERVICE: Schema = {
    "image": TEXT, "entrypoint": [ANY], "command": [TEXT], "environment": Mapping, "network_mode": TEXT, "ipc?": TEXT,
    "ulimits?": Mapping, "volumes?": [TEXT], "restart?": TEXT, "deploy?": Mapping, "working_dir?": TEXT,
    "devices?": [TEXT], "group_add?": [TEXT],
    "healthcheck?": {"test": [TEXT], "interval": TEXT, "timeout": TEXT, "retries": COUNT, "start_period": TEXT},
}  # fmt: skip


def faults(value: Any, schema: Any, path: str = "") -> list[str]:
    """Return where a value is not of its schema."""
    if isinstance(schema, dict):
        if not isinstance(value, Mapping):
            return [f"{path}: not a mapping"]
        known = {key.rstrip("?"): part for key, part in schema.items()}
        lacking = [f"{path}.{key}: missing" for key in schema if not key.endswith("?") and key not in value]
        unknown = [f"{path}.{key}: unknown" for key in value if key not in known]
        inside = [f for key in value if key in known for f in faults(value[key], known[key], f"{path}.{key}")]
        return lacking + unknown + inside
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{path}: not a list"]
        return [f for i, item in enumerate(value) for f in faults(item, schema[0], f"{path}[{i}]")]
    return [] if isinstance(value, schema) else [f"{path}: {value!r} is no {schema.__name__}"]


def manifest_faults(document: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with one Kubernetes object."""
    kind = str(document.get("kind"))
    if kind not in KINDS:
        return [f"{kind}: unknown kind"]
    version, schema = KINDS[kind]
    rest = {key: value for key, value in document.items() if key not in {"kind", "apiVersion"}}
    wrong = [] if document.get("apiVersion") == version else [f"{kind}: apiVersion {document.get('apiVersion')}"]
    return wrong + faults(rest, schema, kind)

"""Launch commands of a replica for vLLM, SGLang and TensorRT-LLM."""

from __future__ import annotations

import json
from collections.abc import Callable

from jevons.deploy.flags import Release, release_of, shipped_table
from jevons.deploy.types import Command, Handover, Pool, Replica, Site, servers_of
from jevons.operators.engines import engine_number, title_of
from jevons.serving import Deployment, EngineFactors
from jevons.serving.precisions import weight_precision

Options = list[tuple[str, str | None]]

_EIGHT_BIT = {"fp8", "fp8_block"}
_NO_HEAD = "ID-OF-AN-EAGLE-3-HEAD"
"""What stands where no head is known that drafts for a model without layers of its own that predict ahead."""
_RPC_PORT, _INIT_PORT = "13345", "5000"
BOOTSTRAP_PORT = 8998
"""Where SGLang's prefill replicas wait for decode replicas."""
NIXL_PORT = 5600
"""Where vLLM's replicas tell one another how to reach their caches; of the first replica on a server."""


def replica(handover: Handover, pool: Pool, engine: str) -> Replica:
    """Return how a replica of a pool is started by an engine, without its commands."""
    layout = pool.deployment.layout
    release, warnings = _release(handover, engine)
    copies = layout.dp if layout.dp > 1 and not layout.dp_attention else 1
    per_server = pool.deployment.accelerator.node_devices
    devices = pool.deployment.devices // copies
    warnings = [*warnings, *_precision_warnings(pool.deployment, engine), *_layout_warnings(pool.deployment, engine)]
    warnings += _draft_warnings(pool.deployment)
    if pool.deployment.engine.name != engine:
        warnings.append(
            f"The prediction was made for the engine {pool.deployment.engine.name}; "
            f"`jevons size --engine {engine}` predicts {title_of(engine)}."
        )
    return Replica(
        pool=pool, engine=engine, release=release.version, servers=servers_of(devices, per_server), copies=copies,
        warnings=tuple(" ".join(warning.split()) for warning in warnings),
    )  # fmt: skip


def _release(handover: Handover, engine: str) -> tuple[Release, list[str]]:
    release, warning = release_of(engine, handover.release if handover.engine == engine else "")
    return release, [warning] if warning else []


def command(handover: Handover, started: Replica, site: Site) -> Command:
    """Return the command of one server of a replica."""
    makers: dict[str, Callable[[Handover, Replica, Site], Command]] = {
        "vllm": _vllm, "sglang": _sglang, "trtllm": _trtllm,
    }  # fmt: skip
    return makers[started.engine](handover, started, site)


def _limits(handover: Handover, started: Replica) -> EngineFactors:
    return handover.factors.get(started.engine, started.pool.deployment.engine)


def _memory_frac(started: Replica, limits: EngineFactors) -> str:
    own = started.pool.deployment
    frac = (
        own.memory_frac
        if own.memory_frac is not None and own.engine.name == started.engine
        else limits.batching.memory_frac
    )
    return f"{frac:g}"


def _vllm(handover: Handover, started: Replica, site: Site) -> Command:
    deployment, limits = started.pool.deployment, _limits(handover, started)
    layout = deployment.layout
    options: Options = [("--port", site.port), ("--tensor-parallel-size", str(layout.tp))]
    options += [("--pipeline-parallel-size", str(layout.pp))] if layout.pp > 1 else []
    first = site.rank == "0"
    if layout.dp_attention and layout.dp > 1:
        options += [("--data-parallel-size", str(layout.dp))]
        if started.servers > 1 and not site.managed:
            local = layout.dp // started.servers
            options += [("--data-parallel-size-local", str(local))]
            start = str(int(site.rank) * local) if site.rank.isdigit() else f"$(({site.rank.lstrip('$')} * {local}))"
            options += [] if first else [("--data-parallel-start-rank", start)]
            options += [("--data-parallel-address", site.leader), ("--data-parallel-rpc-port", _RPC_PORT)]
    elif started.servers > 1 and not site.managed:
        options += [("--nnodes", str(started.servers)), ("--node-rank", site.rank), ("--master-addr", site.leader)]
    if layout.ep > 1:
        options += [("--enable-expert-parallel", None)]
        if layout.dp_attention and layout.dp > 1:
            high = "deepep_high_throughput" if started.pool.role == "prefill" else "deepep_low_latency"
            options += [("--all2all-backend", high)]
            two_batches = engine_number("vllm", "two_batch_overlap_frac") or 1.0
            options += [("--enable-dbo", None)] if limits.kernels.ep_overlap_frac >= two_batches else []
    if layout.redundant_experts:
        options += [("--enable-eplb", None)]
        options += [("--eplb-config", json.dumps({"num_redundant_experts": layout.redundant_experts}))]
    options += [("--max-model-len", str(started.pool.max_model_len))] if started.pool.max_model_len else []
    options += [
        ("--max-num-seqs", str(limits.batching.max_batch)),
        ("--max-num-batched-tokens", str(limits.batching.step_tokens)),
    ]
    options += [("--gpu-memory-utilization", _memory_frac(started, limits))]
    options += _quantised(deployment) + _kv(deployment, "fp8")
    if deployment.draft_tokens:
        head = draft_head(deployment)
        draft = {"method": "eagle3", "model": head} if head else {"method": "mtp"}
        options += [("--speculative-config", json.dumps(draft | {"num_speculative_tokens": deployment.draft_tokens}))]
    options += [("--enforce-eager", None)] if deployment.eager else []
    if started.pool.role:
        role = "kv_producer" if started.pool.role == "prefill" else "kv_consumer"
        options += [("--kv-transfer-config", json.dumps({"kv_connector": "NixlConnector", "kv_role": role}))]
    options += [] if first else [("--headless", None)]
    return Command(program=("vllm", "serve", site.model), options=tuple(options))


def _sglang(handover: Handover, started: Replica, site: Site) -> Command:
    deployment, limits = started.pool.deployment, _limits(handover, started)
    layout, release = deployment.layout, release_of("sglang", started.release)[0]
    ranks = layout.dp if layout.dp_attention else 1
    world = layout.tp * ranks
    options: Options = [("--model-path", site.model), ("--host", "0.0.0.0"), ("--port", site.port)]  # noqa: S104
    options += [("--tp-size", str(world))]
    options += [("--pp-size", str(layout.pp))] if layout.pp > 1 else []
    if ranks > 1 and release.has("attn-dp-size"):
        options += [("--attn-dp-size", str(ranks))]
    elif ranks > 1:
        options += [("--dp-size", str(ranks)), ("--enable-dp-attention", None)]
    options += [("--ep-size", str(layout.ep))] if layout.ep > 1 else []
    if layout.ep == world and ranks > 1 and layout.ep > 1:
        mode = {"prefill": "normal", "decode": "low_latency"}.get(started.pool.role, "auto")
        options += [("--moe-a2a-backend", "deepep"), ("--deepep-mode", mode)]
        hidden = limits.kernels.ep_overlap_frac > 0.0 and release.has("enable-two-batch-overlap")
        options += [("--enable-two-batch-overlap", None)] if hidden else []
    if layout.redundant_experts:
        options += [("--enable-eplb", None), ("--ep-num-redundant-experts", str(layout.redundant_experts))]
    if started.servers > 1 and not site.managed:
        options += [("--nnodes", str(started.servers)), ("--node-rank", site.rank)]
        options += [("--dist-init-addr", f"{site.leader}:{_INIT_PORT}")]
    options += [("--context-length", str(started.pool.max_model_len))] if started.pool.max_model_len else []
    # Both are of the whole server, which divides them by its attention ranks.
    options += [("--max-running-requests", str(limits.batching.max_batch * ranks))]
    options += [("--chunked-prefill-size", str(limits.batching.step_tokens * ranks))]
    options += [("--mem-fraction-static", _memory_frac(started, limits))]
    options += _quantised(deployment) + _kv(deployment, "fp8_e4m3")
    if deployment.draft_tokens:
        head = draft_head(deployment)
        options += [("--speculative-algorithm", "EAGLE3" if head else "EAGLE")]
        options += [("--speculative-draft-model-path", head)] if head else []
        options += [("--speculative-num-steps", str(deployment.draft_tokens))]
        options += [("--speculative-eagle-topk", "1")]
        options += [("--speculative-num-draft-tokens", str(deployment.draft_tokens + 1))]
    options += [("--disable-cuda-graph", None)] if deployment.eager else []
    if started.pool.role:
        options += [("--disaggregation-mode", started.pool.role), ("--disaggregation-transfer-backend", "nixl")]
        options += [("--disaggregation-bootstrap-port", str(BOOTSTRAP_PORT))] if started.pool.role == "prefill" else []
    return Command(program=("python", "-m", "sglang.launch_server"), options=tuple(options))


def _trtllm(handover: Handover, started: Replica, site: Site) -> Command:
    deployment, limits = started.pool.deployment, _limits(handover, started)
    layout, ranks = deployment.layout, deployment.layout.dp if deployment.layout.dp_attention else 1
    name = f"{started.label}.config.yaml"
    options: Options = [("--host", "0.0.0.0"), ("--port", site.port), ("--backend", "pytorch")]  # noqa: S104
    options += [("--tp_size", str(layout.tp * ranks))]
    options += [("--pp_size", str(layout.pp))] if layout.pp > 1 else []
    options += [("--ep_size", str(layout.ep))] if layout.ep > 1 else []
    options += [("--gpus_per_node", str(started.devices_per_server))] if started.servers > 1 else []
    options += [
        ("--max_batch_size", str(limits.batching.max_batch)),
        ("--max_num_tokens", str(limits.batching.step_tokens)),
    ]
    options += [("--max_seq_len", str(started.pool.max_model_len))] if started.pool.max_model_len else []
    options += [("--kv_cache_free_gpu_memory_fraction", _memory_frac(started, limits)), ("--config", name)]
    program: tuple[str, ...] = ("trtllm-serve", site.model)
    if started.servers > 1 and not site.managed:
        tasks = ("-N", str(started.servers), "--ntasks-per-node", str(started.devices_per_server))
        program = ("srun", *tasks, "--mpi=pmix", "trtllm-llmapi-launch", *program)
    return Command(program=program, options=tuple(options), files=((name, trtllm_config(started)),))


def trtllm_config(started: Replica) -> str:
    """Return the configuration file of TensorRT-LLM: what its command line has no options for."""
    deployment = started.pool.deployment
    lines = ["# Read by trtllm-serve --config."]
    lines += [f"enable_attention_dp: {'true' if deployment.layout.dp_attention else 'false'}"]
    lines += ["kv_cache_config:", f"  dtype: {'fp8' if deployment.kv_precision == 'fp8' else 'auto'}"]
    lines += ["  enable_block_reuse: true"]
    lines += ["cuda_graph_config: null"] if deployment.eager else ["cuda_graph_config:", "  enable_padding: true"]
    if deployment.draft_tokens:
        head, count = draft_head(deployment), deployment.draft_tokens
        own = ["  decoding_type: MTP", f"  num_nextn_predict_layers: {count}"]
        apart = ["  decoding_type: Eagle", f"  max_draft_len: {count}", f"  speculative_model_dir: {head}"]
        lines += ["speculative_config:", *(apart if head else own)]
    if started.pool.role:
        lines += ["disable_overlap_scheduler: true"] if started.pool.role == "prefill" else []
        lines += ["cache_transceiver_config:", "  backend: DEFAULT"]
    return "\n".join(lines) + "\n"


def draft_head(deployment: Deployment) -> str:
    """Return the head that drafts for a model without layers of its own that predict ahead; empty where it has some."""
    known = shipped_table("draft_heads")
    if deployment.model.mtp_layers or deployment.model.name.startswith(tuple(known["own_layers"])):
        return ""
    return str(known["heads"].get(deployment.model.name.removesuffix("-fp8"), _NO_HEAD))


def _draft_warnings(deployment: Deployment) -> list[str]:
    if not deployment.draft_tokens or draft_head(deployment) != _NO_HEAD:
        return []
    return [f"{deployment.model.name} has no layers that predict ahead: put the id of an EAGLE-3 head for {_NO_HEAD}."]


def _shipped(deployment: Deployment) -> set[str]:
    shipped = deployment.model.weight_precision
    return {shipped.dense, shipped.experts}


def _stored(deployment: Deployment) -> set[str]:
    stored = weight_precision(deployment)
    return {stored.dense, stored.experts}


def _quantised(deployment: Deployment) -> Options:
    """Return the option that quantises a 16-bit checkpoint as it is loaded, where the layout asks for that."""
    if _stored(deployment) <= _EIGHT_BIT and _shipped(deployment) <= {"bf16", "fp16"}:
        return [("--quantization", "fp8")]
    return []


def _kv(deployment: Deployment, eight: str) -> Options:
    return [("--kv-cache-dtype", eight)] if deployment.kv_precision == "fp8" else []


def _precision_warnings(deployment: Deployment, engine: str) -> list[str]:
    """Return what weights and cache need that no option of the engine gives."""
    warnings, shipped, stored = [], _shipped(deployment), _stored(deployment)
    wanted = "/".join(sorted(stored))
    if stored != shipped and (engine == "trtllm" or not _quantised(deployment)):
        warnings.append(
            f"The prediction is for {wanted} weights and {deployment.model.name} ships in {'/'.join(sorted(shipped))}: "
            f"set MODEL to a checkpoint in {wanted}."
        )
    if deployment.kv_precision not in {"bf16", "fp16", "fp8", "auto"}:
        warnings.append(f"A {deployment.kv_precision} cache has no option here: the engine's own is used.")
    return warnings


def _layout_warnings(deployment: Deployment, engine: str) -> list[str]:
    """Return where an engine cannot express a layout, and what the command runs instead."""
    layout, warnings = deployment.layout, []
    group, per_server = layout.expert_group, deployment.accelerator.node_devices
    if engine == "vllm" and 1 < layout.ep < group:
        warnings.append(
            f"vLLM's expert-parallel size is TP x DP: the command runs ep{group}, the prediction is for ep{layout.ep}. "
            f"`--ep {group}` predicts it."
        )
    if engine == "vllm" and layout.dp_attention and layout.tp * layout.pp > per_server:
        warnings.append(
            f"One attention rank of tp{layout.tp} pp{layout.pp} spans servers of {per_server}: add "
            "`--data-parallel-backend ray` and start a Ray cluster first."
        )
    if engine == "trtllm" and layout.dp_attention and layout.tp > 1:
        warnings.append(
            f"TensorRT-LLM's attention ranks are single devices: the command runs tp1 dp{layout.tp * layout.dp}-"
            f"attention, the prediction is for tp{layout.tp} dp{layout.dp}-attention."
        )
    if engine == "trtllm" and layout.redundant_experts:
        warnings.append(f"{layout.redundant_experts} redundant experts need moe_config.load_balancer in the config.")
    return warnings

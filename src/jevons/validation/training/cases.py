"""What a measured training row says about its job and layout; nothing measured is read here."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from jevons.errors import InputError
from jevons.facts import FactValue, default_facts
from jevons.hardware import Accelerator, Cluster, accelerator
from jevons.models import ModelSpec, load
from jevons.models.types import Attention, FeedForward, LayerGroup
from jevons.schema import shortened
from jevons.training import ScriptedLaunch, TrainingJob, TrainingSoftware, scripted_launch
from jevons.validation.names import device_id, plain

Row = Mapping[str, str]

# First match wins. Names whose architecture a shipped configuration holds.
_SHIPPED = (
    (r"^deepseek ?v?3", "deepseek-v3"), (r"^qwen3 235b", "qwen3-235b-a22b"), (r"^qwen3 30b", "qwen3-30b-a3b"),
    (r"^qwen3 next", "qwen3-next-80b-a3b"), (r"^gpt oss 120b", "gpt-oss-120b"), (r"^gpt oss 20b", "gpt-oss-20b"),
    (r"^kimi k2", "kimi-k2"), (r"^llama ?4 maverick", "llama-4-maverick-17b-128e"),
    (r"^llama ?4 scout", "llama-4-scout-17b-16e"), (r"^nemotron 3 nano", "nemotron-3-nano-30b-a3b"),
    (r"^nemotron 3 super", "nemotron-3-super-120b-a12b"), (r"^nemotron 3 ultra", "nemotron-3-ultra-550b-a55b"),
    (r"^llama ?3(\.\d)? 405b", "llama-3.1-405b"), (r"^llama ?3(\.\d)? 70b", "llama-3-70b"),
    (r"^llama ?3(\.\d)? 8b", "llama-3-8b"), (r"^(maxtext )?llama ?2 70b", "llama-2-70b"),
    (r"^llama ?2 13b", "llama-2-13b"), (r"^llama ?2 7b", "llama-2-7b"), (r"^mixtral 8x7b", "mixtral-8x7b"),
    (r"^mixtral 8x22b", "mixtral-8x22b"), (r"^mistral 7b", "mistral-7b"), (r"^gemma ?3 12b", "gemma-3-12b"),
    (r"^mpt (125m|350m|760m|1b|3b|7b|13b|30b|70b)$", "mpt-{}"), (r"^(paxml )?gpt ?3? ?175b$", "gpt-3-175b"),
    (r"^grok ?1", "grok-1"),
)  # fmt: skip
_PRECISIONS = (
    (r"nvfp4|fp4", "fp4"), (r"fp8|mxfp8", "fp8"), (r"bf16|fp16|bfloat16|float16", "bf16"),
)  # fmt: skip
_EXPERT_TP = re.compile(r"\bETP=(\d+)")
_ACCUMULATES = re.compile(r"\b(?:ga|grad_accum)=(\d+)", re.IGNORECASE)
_NODE_LINKS = re.compile(r"(\d+)\s*x\s*(?:Omni-Path\s*)?(\d+)\s*G(?:bps)?(?:\s+per node|\s+NICs)?", re.IGNORECASE)
_NODE_RATE = re.compile(r"with (\d+) Gbps node-node", re.IGNORECASE)
_MEMORY = re.compile(r"(\d+)\s?GB")
_WATTS = re.compile(r"(\d{3,4})\s?W\b")
_DEVICES_PER_NODE = 8
_EAGER = re.compile(r"composer|torchtitan|pytorch fsdp")
_HEAD_DIM = 128
_RELEASE = re.compile(r"(\d\d)\.(\d\d)\b.*NeMo")
_UNPRINTED_RECOMPUTE = re.compile(r"recomputation are from the simulator's default .* not from the table")
_NEMO = re.compile(r"NeMo ?(\d\d)\.(\d\d)\b")
_STEP_TOKENS = re.compile(r"total_weights\(tokens\) per step=(\d{1,12})\b")
_EVEN = re.compile(r"force-balanced|forced balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCase:
    """The configuration of one measured row.

    Parameters
    ----------
    job : TrainingJob
        Model, cluster, batch.
    printed : tuple of (str, int)
        Layout fields that the row states: ``tp pp vpp cp ep etp zero micro_batch``.
    recompute : str
        As printed, empty where it is not.
    assumed : tuple of str
        What the row does not print and we chose.
    hidden_exchange : bool
        Whether the row states that expert exchange is overlapped.
    sequence_parallel : bool
        Whether the software shares norms among tensor-parallel devices; Megatron does since 2022.
    """

    job: TrainingJob
    printed: tuple[tuple[str, int], ...]
    recompute: str
    assumed: tuple[str, ...]
    hidden_exchange: bool = False
    sequence_parallel: bool = True

    def fixed(self) -> dict[str, int]:
        """Return the printed layout fields."""
        return dict(self.printed)


_LARGEST = 1e13
_FULLY_SHARDED = {"tp": 1, "pp": 1, "vpp": 1, "cp": 1, "zero": 3}
"""How MaxText's recipes on TPUs spread a model: weights shared by all devices, one pass a step."""


def _fact(name: str) -> FactValue:
    return default_facts().get(f"training_benchmark.{name}")


def benchmark(name: str) -> float:
    """Return a figure of the runs whose rows are read: the fact ``training_benchmark.<name>``."""
    return _fact(name).number


def read_training_case(row: Row) -> TrainingCase:
    """Return the configuration that a row of training measurements states.

    Raises
    ------
    InputError
        Naming what is missing or unknown.
    """
    assumed: list[str] = []
    device = row_device(row)
    devices = _whole(row, "n_gpus") or _missing("number of devices")
    adapters = "lora" in f"{row.get('model', '')} {row.get('notes', '')}".lower()
    seq_len = _whole(row, "seq_len")
    if not seq_len and adapters and "mlperf" in row.get("source_title", "").lower():
        seq_len = round(benchmark("lora_seq_len"))
        assumed.append("seq_len of the benchmark's rules")
    tokens = _STEP_TOKENS.search(row.get("notes", ""))
    batch = _whole(row, "global_batch")
    if not seq_len and not batch and tokens:
        seq_len = round(benchmark("maxtext_seq_len"))
        batch = max(int(tokens[1]) // seq_len, 1)
        assumed.append("seq_len of MaxText's recipes")
    if not seq_len:
        _missing("sequence length")
    batch = batch or _missing("global batch")
    precision = row_precision(row, device)
    if not row.get("precision", "").strip():
        assumed.append(f"precision {precision}")
    title = row.get("framework", "").lower()
    software = _software(row, device, devices)
    model = row_model(row)
    job = TrainingJob(
        model=model,
        cluster=Cluster(device, devices),
        seq_len=seq_len,
        global_batch=batch,
        precision=precision,
        adapters=adapters,
        power_frac=row_power_frac(row, device),
        software=software,
        even_experts=_EVEN.search(row.get("notes", "")) is not None,
        mtp=bool(model.mtp_layers) and "w/o mtp" not in row.get("model", "").lower(),
    )
    printed = _printed(row, job)
    recompute = "" if _UNPRINTED_RECOMPUTE.search(row.get("notes", "")) else _recompute(row.get("recompute", ""))
    if recompute == "selective" and "torchtitan" in title:
        recompute = "alternate"
    if not recompute and _fully_sharded(row, job) and not model.is_moe:
        recompute = "alternate"
        assumed.append("recompute of MaxText's recipes, which keep what attention projects")
    names = ("tp", "pp", "vpp", "micro_batch")
    assumed += [name for name in names if name not in printed and not (name == "vpp" and printed.get("pp") == 1)]
    if not recompute:
        assumed.append("recompute")
    overlap = "1f1b overlap" in row.get("notes", "").lower()
    shared = software.flash or (recompute == "selective" and "no sequence parallelism" not in row.get("notes", ""))
    return TrainingCase(
        job=job,
        printed=tuple(sorted(printed.items())),
        recompute=recompute,
        assumed=tuple(assumed),
        hidden_exchange=overlap,
        sequence_parallel=shared,
    )


def _software(row: Row, device: Accelerator, devices: int) -> TrainingSoftware:
    """Return what the row's framework, its notes and the generation of its device say of the software."""
    title, notes = row.get("framework", "").lower(), row.get("notes", "").lower()
    older = re.search(r"megatron|deepspeed", title) is not None and device.id.startswith(("a100", "v100"))
    native, copies = _EAGER.search(title) is not None, "nanotron" in title
    compiled = "torch.compile" in notes
    leaks = copies and row.get("after_pp_fix", "").lower() == "false"
    return TrainingSoftware(
        flash=not older,
        older_attention="composer" in title,
        ampere_attention=native or copies or _before_hopper_attention(row),
        eager=copies or (native and not compiled),
        eager_norms="torchtitan" in title and not compiled,
        eager_memory=copies,
        kept_frac=benchmark("leaky_pipeline_ratio") if leaks else 1.0,
        overlap=not older,
        tp_overlap=not (native or copies) or "async tp" in notes,
        graphed=_graphed(row, device),
        scripted=_scripted(row, devices) if copies else None,
    )


def _scripted(row: Row, devices: int) -> ScriptedLaunch:
    """Return nanotron's launches on links as slow as the row's own collectives say, with the wait that a fix ended."""
    shipped = scripted_launch()
    gather, reduce = (_size_in(row.get(name, "")) for name in ("all_gather_gb_s", "all_reduce_gb_s"))
    hop = 1.0
    if gather and devices > benchmark("few_devices"):
        sound, ring = benchmark("gather_s_per_bytes"), devices * benchmark("gather_device_s_per_bytes")
        hop = min(max((1e-9 / gather - sound) / ring, 1.0), benchmark("slowest_link_ratio"))
    faulty = 0.0 < 1e9 * reduce < benchmark("faulty_bytes_per_s") and devices <= benchmark("faulty_devices")
    waits = faulty or (row.get("after_pp_fix", "").lower() == "false" and devices > _DEVICES_PER_NODE)
    return replace(
        shipped,
        rank_s=hop * shipped.rank_s,
        replica_s=hop * shipped.replica_s,
        hand_over_s=shipped.hand_over_s if waits else 0.0,
    )


def row_device(row: Row) -> Accelerator:
    """Return the device with the memory and network that the row states."""
    text = row.get("gpu", "")
    text = re.sub(r"\bDGX-", "", text).replace("TPU Trillium (v6e)", "TPU v6e").replace("TPU-trillium", "TPU v6e")
    device = accelerator(device_id(text))
    memory = _MEMORY.search(text)
    if memory and float(memory[1]) * 1e9 > device.hbm_bytes:
        device = replace(device, hbm_bytes=float(memory[1]) * 1e9)
    if "HBM2e" in text and device.id.startswith("h100"):
        device = replace(device, hbm_bytes_per_s=benchmark("hbm2e_bytes_per_s"))
    rate = None
    links = _NODE_LINKS.search(text)
    between = _NODE_RATE.search(row.get("date_or_version", ""))
    if links:
        rate = float(links[1]) * float(links[2]) * 1e9
    elif between:
        rate = float(between[1]) * 1e9
    if rate:
        each = rate / 8.0 / _DEVICES_PER_NODE
        device = replace(device, scaleout=replace(device.scaleout, bytes_per_s=each))
    return device


def row_power_frac(row: Row, device: Accelerator) -> float:
    """Return the power limit that the row states over the device's own; 1 where it states none below."""
    watts = _WATTS.search(row.get("gpu", ""))
    return min(float(watts[1]) / device.tdp_w, 1.0) if watts else 1.0


def row_precision(row: Row, device: Accelerator) -> str:
    """Return the precision of the row's matrix products; the best 8-bit the device has where none is printed."""
    text = row.get("precision", "").lower()
    for pattern, name in _PRECISIONS:
        if re.search(pattern, text):
            return name
    if text.strip():
        message = f"unknown precision `{text}`"
        raise InputError(message)
    return "fp8" if device.supports("fp8") else "bf16"


def row_model(row: Row) -> ModelSpec:
    """Return the shipped architecture of the row's name with the layers it prints, or one built from its columns."""
    name = plain(re.sub(r"\(.*?\)", "", row.get("model", "")))
    layers = _whole(row, "n_layers")
    for pattern, config in _SHIPPED:
        match = re.match(pattern, name)
        if match:
            shipped = config.format(*match.groups())
            spec = load(shipped)
            heads = _whole(row, "n_heads")
            if len(spec.layers) == 1 and heads and heads != spec.layers[0].attention.heads:
                break
            return spec if not layers or layers == spec.n_layers else _shortened(spec, layers)
    tied = "tied_embeddings" in row
    return _from_columns(*(row.get(field, "") for field in _SHAPE), name, tied=tied)


_SHAPE = ("n_layers", "hidden", "n_heads", "n_kv_heads", "ffn", "vocab", "experts", "experts_active", "params_b")


def _shortened(spec: ModelSpec, layers: int) -> ModelSpec:
    if len(spec.layers) > 1:
        return spec
    return replace(spec, layers=(replace(spec.layers[0], count=layers),))


@functools.cache
def _from_columns(*cells: str, tied: bool) -> ModelSpec:
    """Return a decoder of the printed sizes: gated or not, and where *tied* is possible with one embedding or two.

    The one that comes nearest the printed parameter count.
    """
    *numbers, name = cells
    sizes = [_size_in(cell) for cell in numbers]
    layers, hidden, heads, kv, ffn, vocab, experts, top = (int(size) for size in sizes[:8])
    heads = heads or hidden // _HEAD_DIM
    if not (layers and hidden and 0 < heads <= hidden):
        message = f"unknown model `{name}`, and its shape is not printed"
        raise InputError(message)
    inner, width = ffn or 4 * hidden, hidden // heads
    attention = Attention(kind="gqa", heads=heads, kv_heads=kv or heads, head_dim=width, v_head_dim=width)
    candidates = []
    for gated in (False, True):
        if experts:
            block = FeedForward(
                kind="moe", gated=gated, experts=experts, experts_per_token=top or 1, expert_inner=inner
            )
        else:
            block = FeedForward(kind="dense", hidden_inner=inner, gated=gated)
        candidates += [
            ModelSpec(
                name=name,
                architecture="decoder",
                hidden=hidden,
                vocab=vocab or round(benchmark("gpt2_vocab")),
                layers=(LayerGroup(layers, attention, block),),
                tied_embeddings=shared,
            )
            for shared in ((False, True) if tied else (False,))
        ]
    stated = sizes[8] * 1e9
    if not stated:
        return candidates[0]
    return min(candidates, key=lambda spec: abs(spec.parameters_total - stated))


def _printed(row: Row, job: TrainingJob) -> dict[str, int]:
    fields = {"tp": "tp", "pp": "pp", "vpp": "vpp", "cp": "cp", "ep": "ep", "zero_stage": "zero",
              "micro_batch": "micro_batch"}  # fmt: skip
    printed = {name: size for column, name in fields.items() if (size := _whole(row, column))}
    if row.get("zero_stage", "").strip() == "0":
        printed["zero"] = 0
    if not job.model.is_moe:
        printed["ep"] = 1
    if "tp" in printed:
        printed.setdefault("cp", 1)
    if printed.get("pp") == 1:
        printed["vpp"] = 1
    if "fsdp=on" in row.get("notes", "").lower() or "ZeRO-3" in row.get("framework", ""):
        printed["zero"] = 3
    if _fully_sharded(row, job):
        printed = _FULLY_SHARDED | printed
        printed.setdefault("micro_batch", max(1, job.global_batch // job.cluster.devices))
    expert_tp = _EXPERT_TP.search(row.get("notes", ""))
    if expert_tp and printed.get("tp", 1) % int(expert_tp[1]) == 0:
        printed["etp"] = int(expert_tp[1])
    accumulated = _ACCUMULATES.search(row.get("notes", ""))
    if accumulated and "micro_batch" not in printed and "tp" in printed and "pp" in printed:
        dp = job.cluster.devices // (printed["tp"] * printed["pp"] * printed["cp"])
        printed["micro_batch"] = max(1, job.global_batch // (dp * int(accumulated[1])))
    return printed


def _graphed(row: Row, device: Accelerator) -> bool:
    """Return whether experts' rows are padded to a capacity, or the software holds whole passes in graphs.

    NVIDIA's containers do the latter since the middle of 2026, on Blackwell: on Hopper the same layouts run no faster
    than before.
    """
    release, since = _RELEASE.match(row.get("date_or_version", "")), str(_fact("graphed_since").value)
    captured = release is not None and (int(release[1]), int(release[2])) >= tuple(map(int, since.split(".")))
    return (captured and device.supports("fp4")) or "tokendrop" in row.get("model", "").lower()


def _fully_sharded(row: Row, job: TrainingJob) -> bool:
    """Return whether the row is of MaxText's recipes on TPUs."""
    return "maxtext" in row.get("framework", "").lower() and job.cluster.accelerator.id.startswith("tpu")


def _before_hopper_attention(row: Row) -> bool:
    """Return whether the row's NeMo container is older than attention kernels written for Hopper."""
    release, since = _NEMO.search(row.get("date_or_version", "")), str(_fact("hopper_attention_since").value)
    return release is not None and (int(release[1]), int(release[2])) < tuple(map(int, since.split(".")))


def _recompute(text: str) -> str:
    text = text.strip().lower()
    if not text:
        return ""
    if text.startswith("none"):
        return "none"
    return "full" if text.startswith("full") else "selective"


def _whole(row: Row, column: str) -> int:
    return int(_size_in(row.get(column, "")))


def _size_in(cell: str) -> float:
    """Return a printed number, 0 where the cell holds none.

    Raises
    ------
    InputError
        If it is larger than anything that a row can mean.
    """
    text = cell.strip()
    value = float(text) if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII) else 0.0
    if value > _LARGEST:
        message = f"`{shortened(text)}`: must be at most {_LARGEST:g}"
        raise InputError(message)
    return value


def _missing(what: str) -> int:
    message = f"the row prints no {what}"
    raise InputError(message)

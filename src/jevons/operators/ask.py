"""The operators as a user asks for them: plain numbers and a device's name in, time with interval and bound out.

The stages call `jevons.operators.kernels`, which take arrays and devices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from jevons import options as o
from jevons.errors import InputError

if TYPE_CHECKING:
    from jevons.hardware import Accelerator
    from jevons.operators.result import OpResult

_MOST = 1e9

ROWS = o.Option(help="Rows of the left matrix: tokens", low=1, high=_MOST)
COLUMNS = o.Option(help="Columns of the weights: output width", low=1, high=_MOST)
INNER_WIDTH = o.Option(help="Inner (contracted) dimension", low=1, high=_MOST)
COUNT = o.Option(help="Number of products of that shape in one kernel launch", low=1, high=_MOST)


def _lower(given: Any, _name: str) -> str:
    return str(given).lower()


def _precisions() -> Sequence[str]:
    from jevons.operators.types import PRECISION_ALIASES, PRECISIONS

    return [*PRECISIONS, *PRECISION_ALIASES]


PRODUCT_PRECISION = o.Option(
    help="Precision of the products: bf16, fp8, fp8_block, fp4, int8, or weights only: int4, mxfp4, …", parse=_lower,
    choices=_precisions, metavar="NAME",
)  # fmt: skip
ENGINE = replace(o.ENGINE, help="Engine whose measured kernels are used, such as vllm; `jevons engines` lists them")
BATCH = o.Option(help="Sequences", low=1, high=_MOST)
NEW_TOKENS = o.Option(help="New tokens of each sequence; in decode the tokens in its cache", low=1, high=_MOST)
CACHED = o.Option(help="Tokens of each sequence already in the cache (prefill)", low=0, high=_MOST)
PHASE = o.Option(help="prefill or decode", choices=lambda: ("prefill", "decode"), metavar="PHASE")
HEADS = o.Option(help="Query heads on one device", low=1, high=65536)
KV_HEADS = o.Option(help="KV heads on one device", low=1, high=65536)
HEAD_DIM = o.Option(help="Width of a head", low=1, high=65536)
WINDOW = o.Option(help="Sliding window, 0 for none", unit="tokens", low=0, high=_MOST)
QUERY_TOKENS = o.Option(help="New tokens per sequence in decode, more than one with drafting", low=1, high=4096)
_LATENT = 512
"""Width of the latent of DeepSeek's models."""
LATENT = o.Option(help="Width of the cached latent", low=1, high=65536)
ROTARY = o.Option(help="Width of the rotary part of a key", low=1, high=65536)
GROUP_TOKENS = o.Option(help="Tokens of the whole expert-parallel group", low=1, high=_MOST)
HIDDEN = o.Option(help="Width of the model", low=1, high=1_000_000)
EXPERT_WIDTH = o.Option(help="Inner width of one expert", low=1, high=1_000_000)
EXPERTS = o.Option(help="Routed experts of the layer", low=1, high=1_000_000)
TOP = o.Option(help="Experts that a token visits", low=1, high=1_000_000)
IMBALANCE = o.Option(help="Rows of this rank over the mean of all ranks", low=1, high=1e6)
MESSAGE = o.Option(
    help="Size of the message on each device, such as 64MiB; of all devices together for a gather", unit="bytes",
    above=0, high=1e15, parse=o.data_bytes, metavar="BYTES",
)  # fmt: skip
LIBRARY = o.Option(
    help="custom (the engine's kernel in a captured graph) or nccl", choices=lambda: ("custom", "nccl"), metavar="NAME"
)
ACROSS = o.Option(help="Send between scale-up domains, over the network")


@o.declared
def gemm(
    m: Annotated[int, ROWS],
    n: Annotated[int, COLUMNS],
    k: Annotated[int, INNER_WIDTH],
    *,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    precision: Annotated[str, PRODUCT_PRECISION] = "bf16",
    count: Annotated[int, COUNT] = 1,
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time one matrix product ``C[m, n] = A[m, k] B[k, n]`` on one accelerator, B being the weights.

    Returns
    -------
    OpResult
        With `.time_s`, its 80 % interval `.low` to `.high`, `.bound`, achieved rates and `.explain("time_s")`.

    Raises
    ------
    InputError
        If a size is below 1, or the device unknown, or the precision one that it does not multiply in.

    Examples
    --------
    >>> import jevons
    >>> product = jevons.operators.gemm(4096, 8192, 8192, gpu="h100_sxm", precision="fp8")
    >>> product.bound, product.low < product.time_s < product.high
    ('compute', True)
    """
    from jevons.operators import answers

    return answers.gemm(answers.asked(gpu, engine, hardware), m=m, n=n, k=k, precision=precision, count=count)


@o.declared
def attention(
    batch: Annotated[int, BATCH],
    tokens: Annotated[int, NEW_TOKENS],
    heads: Annotated[int, HEADS] = 32,
    kv_heads: Annotated[int, KV_HEADS] = 8,
    head_dim: Annotated[int, HEAD_DIM] = 128,
    *,
    phase: Annotated[str, PHASE] = "prefill",
    cached: Annotated[int, CACHED] = 0,
    window: Annotated[int, WINDOW] = 0,
    query_tokens: Annotated[int, QUERY_TOKENS] = 1,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    precision: Annotated[str, PRODUCT_PRECISION] = "bf16",
    kv_precision: Annotated[str, o.KV_PRECISION] = "bf16",
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time attention with grouped KV heads on one accelerator: of a prompt (causal), or of one decode step.

    Returns
    -------
    OpResult
        With `.time_s`, its 80 % interval `.low` to `.high`, `.bound` and achieved rates. Projections are products of
        their own.

    Raises
    ------
    InputError
        If a size is below its minimum, there are more KV heads than heads, or device or precision is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.attention(64, 4096, 32, 8, 128, phase="decode", gpu="h200_sxm").bound
    'memory'
    """
    from jevons.operators import answers

    _check_phase(phase, cached=cached, query_tokens=query_tokens, precision=precision)
    return answers.attention(
        answers.asked(gpu, engine, hardware), batch=batch, tokens=tokens, heads=heads, kv_heads=kv_heads,
        head_dim=head_dim, phase=phase, cached=cached, window=window, query_tokens=query_tokens, precision=precision,
        kv_precision=kv_precision,
    )  # fmt: skip


@o.declared
def mla(
    batch: Annotated[int, BATCH],
    tokens: Annotated[int, NEW_TOKENS],
    heads: Annotated[int, HEADS] = 128,
    *,
    phase: Annotated[str, PHASE] = "prefill",
    cached: Annotated[int, CACHED] = 0,
    query_tokens: Annotated[int, QUERY_TOKENS] = 1,
    latent: Annotated[int, LATENT] = _LATENT,
    rotary: Annotated[int, ROTARY] = 64,
    head_dim: Annotated[int, HEAD_DIM] = 128,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    precision: Annotated[str, PRODUCT_PRECISION] = "bf16",
    kv_precision: Annotated[str, o.KV_PRECISION] = "bf16",
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time latent attention (MLA) on one accelerator: of a prompt (expanded), or of one decode step (absorbed).

    Returns
    -------
    OpResult
        With `.time_s`, its 80 % interval `.low` to `.high`, `.bound` and achieved rates. Projections are products of
        their own.

    Raises
    ------
    InputError
        If a size is below its minimum, or device or precision is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.mla(64, 4096, phase="decode", gpu="h200_sxm").time_s < 1e-3
    True
    """
    from jevons.operators import answers

    _check_phase(phase, cached=cached, query_tokens=query_tokens, precision=precision)
    if phase == "prefill" and latent != _LATENT:
        message = f"--latent {latent}: has no effect in prefill, which multiplies keys and values; omit it"
        raise InputError(message)
    return answers.mla(
        answers.asked(gpu, engine, hardware), batch=batch, tokens=tokens, heads=heads, phase=phase, cached=cached,
        query_tokens=query_tokens, latent=latent, rotary=rotary, head_dim=head_dim, precision=precision,
        kv_precision=kv_precision,
    )  # fmt: skip


@o.declared
def moe(
    tokens: Annotated[int, GROUP_TOKENS],
    hidden: Annotated[int, HIDDEN] = 7168,
    expert_width: Annotated[int, EXPERT_WIDTH] = 2048,
    experts: Annotated[int, EXPERTS] = 256,
    experts_per_token: Annotated[int, TOP] = 8,
    *,
    ep: Annotated[int, o.EP] = 1,
    tp: Annotated[int, o.TP] = 1,
    imbalance: Annotated[float, IMBALANCE] = 1.0,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    precision: Annotated[str, PRODUCT_PRECISION] = "bf16",
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time one accelerator's share of a layer of routed experts (gate, up and down), sorting and summing included.

    Returns
    -------
    OpResult
        With `.time_s`, its 80 % interval `.low` to `.high`, `.bound` and achieved rates. The router, shared experts and
        the exchange between devices are not included.

    Raises
    ------
    InputError
        If a size is below 1, tokens visit more experts than there are, or device or precision is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.moe(64, 7168, 2048, 256, 8, ep=8, gpu="h200_sxm", precision="fp8_block").bound
    'memory'
    """
    from jevons.operators import answers

    if experts_per_token > experts:
        message = f"--experts-per-token {experts_per_token}: must be at most the {experts} experts of the layer"
        raise InputError(message)
    if ep > experts:
        message = f"--ep {ep}: must be at most the {experts} experts of the layer"
        raise InputError(message)
    most = min(experts_per_token, experts / ep) * ep / experts_per_token
    if imbalance > most * (1 + 1e-9):
        message = (
            f"--imbalance {imbalance:g}: must be at most {most:g}, a rank that each token visits as often as it can"
        )
        raise InputError(message)
    return answers.moe(
        answers.asked(gpu, engine, hardware), tokens=tokens, hidden=hidden, expert_width=expert_width, experts=experts,
        experts_per_token=experts_per_token, ep=ep, tp=tp, imbalance=imbalance, precision=precision,
    )  # fmt: skip


@o.declared
def all_reduce(
    message: Annotated[float | str, MESSAGE],
    *,
    gpus: Annotated[int, o.GPUS] = 8,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    library: Annotated[str, LIBRARY] = "custom",
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time an all-reduce: every device ends with the sum of what all held.

    Returns
    -------
    OpResult
        With `.time_s`, its 80 % interval `.low` to `.high`, `.bound` (link or launch) and the share of the bandwidth.

    Raises
    ------
    InputError
        If the message has no size, or the device is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.all_reduce("64 MiB", gpus=8, gpu="h200_sxm").bound
    'link'
    """
    from jevons.operators import answers

    return answers.collective(
        answers.asked(gpu, engine, hardware), "all_reduce", o.number_of(message), gpus, library=library
    )  # fmt: skip


@o.declared
def all_gather(
    message: Annotated[float | str, MESSAGE],
    *,
    gpus: Annotated[int, o.GPUS] = 8,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time an all-gather: every device ends with the whole message, of which each held a part.

    Returns
    -------
    OpResult
        As of `all_reduce`.

    Raises
    ------
    InputError
        If the message has no size, or the device is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.all_gather("64 MiB", gpus=8, gpu="h200_sxm").gpus
    8
    """
    return _nccl("all_gather", message, gpus, (gpu, engine, hardware))


@o.declared
def reduce_scatter(
    message: Annotated[float | str, MESSAGE],
    *,
    gpus: Annotated[int, o.GPUS] = 8,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time a reduce-scatter: the message on every device is summed, and each keeps its part of the sum.

    Returns
    -------
    OpResult
        As of `all_reduce`.

    Raises
    ------
    InputError
        If the message has no size, or the device is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.reduce_scatter("64 MiB", gpus=8, gpu="h200_sxm").gpus
    8
    """
    return _nccl("reduce_scatter", message, gpus, (gpu, engine, hardware))


@o.declared
def all_to_all(
    message: Annotated[float | str, MESSAGE],
    *,
    gpus: Annotated[int, o.GPUS] = 8,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time an all-to-all: each device holds an equal part of its message for every other.

    Returns
    -------
    OpResult
        As of `all_reduce`.

    Raises
    ------
    InputError
        If the message has no size, or the device is unknown.

    Examples
    --------
    >>> import jevons
    >>> jevons.operators.all_to_all("64 MiB", gpus=8, gpu="h200_sxm").gpus
    8
    """
    return _nccl("all_to_all", message, gpus, (gpu, engine, hardware))


@o.declared
def point_to_point(
    message: Annotated[float | str, MESSAGE],
    *,
    across: Annotated[bool, ACROSS] = False,
    gpu: Annotated[str | Accelerator, o.GPU] = "h100_sxm",
    hardware: Annotated[Path | str | None, o.HARDWARE] = None,
    engine: Annotated[str, ENGINE] = "vllm",
) -> OpResult:
    """Time sending a message from one device to another, in the scale-up domain or over the network.

    Returns
    -------
    OpResult
        As of `all_reduce`.

    Raises
    ------
    InputError
        If the message has no size, or the device is unknown.

    Examples
    --------
    >>> import jevons
    >>> near, far = (jevons.operators.point_to_point("64 MiB", across=a) for a in (False, True))
    >>> near.time_s < far.time_s
    True
    """
    from jevons.operators import answers

    return answers.point_to_point(answers.asked(gpu, engine, hardware), o.number_of(message), across=across)


def _nccl(
    operation: str, message: float | str, gpus: int, device: tuple[str | Accelerator, str, Path | str | None]
) -> OpResult:
    from jevons.operators import answers

    return answers.collective(answers.asked(*device), operation, o.number_of(message), gpus, library="nccl")


def _check_phase(phase: str, *, cached: int, query_tokens: int, precision: str) -> None:
    """Refuse options that say nothing in a phase."""
    if phase == "decode" and cached:
        message = f"--cached {cached}: has no effect in decode, where --tokens counts the cache; omit it"
        raise InputError(message)
    if phase == "decode" and precision not in {"bf16", "fp16"}:
        message = f"--precision {precision}: decode multiplies in 16 bits; give --kv-precision for the cache"
        raise InputError(message)
    if phase == "prefill" and query_tokens != 1:
        message = f"--query-tokens {query_tokens}: has no effect in prefill; omit it"
        raise InputError(message)

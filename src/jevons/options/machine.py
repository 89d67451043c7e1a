"""Options of the machine that runs a model: accelerators, engine, layout, precision, memory, batching."""

from __future__ import annotations

from jevons.options.option import Option
from jevons.options.parse import device_file

MODEL = Option(help="Model: a shipped name (`jevons models list`) or the path of a config.json", metavar="MODEL")
GPU = Option(help="Accelerator, such as h100_sxm or 'NVIDIA H100 80GB', or a YAML file of your own", metavar="NAME")
DEVICE = Option(help="Accelerator in any common spelling, or a YAML file of your own", metavar="NAME")
HARDWARE = Option(
    help="YAML file that describes an accelerator of your own",
    parse=device_file, metavar="FILE",
)  # fmt: skip
GPU_KINDS = Option(
    help="Accelerator, such as h100_sxm; or kinds of replicas with their number, such as h100_sxm:6,h20:4",
    metavar="NAME",
)
CANDIDATES = Option(help="Candidate accelerators, separated by commas, such as h100_sxm,h20", metavar="NAMES")
MACHINE_GPUS = Option(
    help="Accelerators of the machines, separated by commas; h20,h200_sxm in China and h100_sxm,h200_sxm elsewhere "
    "where not given",
    metavar="NAMES",
)
GPUS = Option(help="Number of accelerators", low=1, high=1_000_000)
FLEET_GPUS = Option(help="Maximum number of accelerators in the whole fleet", low=1, high=1_000_000)
MAX_REPLICA_GPUS = Option(help="Maximum accelerators per replica", low=1, high=4096)
ENGINE = Option(help="Serving engine, such as vllm or vllm@0.13; `jevons engines` lists them", metavar="NAME")
ENGINE_VERSION = Option(
    help="Release of the engine, such as 0.11.0, as in vllm@0.11; the newest on file by default", metavar="RELEASE"
)
EAGER = Option(help="Run without captured graphs (--enforce-eager)")
PRECISION = Option(help="Precision of the weights: native (as shipped), bf16, fp8, int8 and others", metavar="NAME")
SIZE_PRECISION = Option(
    help="Precision of the weights: auto (as shipped where quantised, else bf16 and fp8), native, bf16, fp8, int8 "
    "and others",
    metavar="NAMES",
)
KV_PRECISION = Option(help="Precision of the KV cache: bf16, fp8 and others", metavar="NAME")
TP = Option(help="Tensor-parallel degree", low=1, high=4096)
PP = Option(help="Pipeline stages", low=1, high=4096)
EP = Option(help="Expert-parallel degree", low=1, high=4096)
DP = Option(help="Data-parallel degree", low=1, high=4096)
DP_ATTENTION = Option(help="Data-parallel attention: ranks share one set of experts")
MAX_NUM_SEQS = Option(
    help="Maximum requests running on a replica at once; the engine's default on that device if omitted",
    low=1, high=1_000_000,
)  # fmt: skip
MAX_NUM_BATCHED_TOKENS = Option(
    help="Maximum tokens in one engine step; the engine's default on that device if omitted", unit="tokens",
    low=1, high=1_048_576,
)  # fmt: skip
MAX_MODEL_LEN = Option(
    help="Longest sequence served, prompt and output; the model's own context by default", unit="tokens",
    low=1, high=100_000_000,
)  # fmt: skip
GPU_MEMORY_UTILIZATION = Option(
    help="Share of device memory that the engine may use; the engine's own by default", above=0, high=1
)
KV_TOKENS = Option(help="Tokens that the KV cache of a replica holds", unit="tokens", low=16, high=10**12)
HOST_GB = Option(help="Host memory that extends the KV cache, per accelerator", unit="GB", low=0, high=1e6)
SWAP = Option(help="Swap the KV cache of preempted requests to host memory instead of recomputing it")
DRAFT_TOKENS = Option(help="Draft tokens per step of speculative decoding", low=0, high=16)
DRAFT_MODEL = Option(
    help="Model that drafts: a shipped name, a config.json, or ngram for a look-up; by default "
    "the model's own multi-token-prediction layers, or a one-layer EAGLE head",
    metavar="MODEL",
)  # fmt: skip
DRAFT_ACCEPTANCE = Option(
    help="Probability that a draft token is accepted; the engine's where not given", low=0, high=0.999
)

"""Options of a training run that others have too, and those of its cluster."""

from __future__ import annotations

from jevons.options.option import Option

SEQ_LEN = Option(help="Tokens per sequence", unit="tokens", low=1, high=100_000_000)
TRAIN_PRECISION = Option(
    help="Format of the matrix products: bf16, fp8, fp8_block, mxfp8, nvfp4 or mxfp4", metavar="NAME"
)
VPP = Option(help="Virtual pipeline stages per accelerator", low=1, high=4096)
CP = Option(help="Context-parallel degree: accelerators that share a sequence", low=1, high=4096)
ETP = Option(help="Tensor-parallel degree of routed experts", low=1, high=4096)
SHARD = Option(help="Replicas among which states are sharded (HSDP)", low=1, high=1_000_000)
STAGES = Option(help="Layers of each pipeline stage, first to last, such as 9,10,10,9", metavar="COUNTS")
OVERSUBSCRIPTION = Option(help="Oversubscription of the fabric: injection over bisection bandwidth", low=1, high=1000)
POD = Option(help="Accelerators of a rail-optimised pod, within which nothing is oversubscribed", low=0, high=1_000_000)
SCALE_TO = Option(help="Also print a scaling curve, up to this many accelerators", low=1, high=1_000_000)
SITE_MW = Option(help="Power of the site that servers may use", unit="MW", above=0, high=1e6)

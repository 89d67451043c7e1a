"""What a trainer keeps of each parameter: optimizer, types of states and gradients, adapters, and the software."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jevons.errors import InputError, did_you_mean
from jevons.models.formulas import attention_gemms, feed_forward_gemms
from jevons.models.types import WEIGHT_BITS

if TYPE_CHECKING:
    from jevons.models import LayerGroup, ModelSpec

MOMENT_BYTES: Mapping[str, float] = {
    "adamw": 8.0,
    "adamw_bf16": 4.0,
    "adamw_8bit": 2.0 + 2.0 * 4.0 / 256.0,
    "lion": 4.0,
    "muon": 4.0,
    "sgd_momentum": 4.0,
    "sgd": 0.0,
    "adafactor": 0.0,
}
"""Bytes per parameter of an optimizer's own states, without master weights.

Two moments in 32, 16 or 8 bits (a 32-bit scale for each 256 numbers); one for Lion, Muon's matrices and momentum;
rows and columns alone for Adafactor, which are under a thousandth of the parameters.
"""

SPELLINGS: Mapping[str, str] = {
    "adam": "adamw", "adamw_torch": "adamw", "adamw_torch_fused": "adamw", "adamw_hf": "adamw", "adamw_fused": "adamw",
    "fused_adam": "adamw", "adamw_bnb_8bit": "adamw_8bit", "paged_adamw_8bit": "adamw_8bit", "adam8bit": "adamw_8bit",
    "adam_8bit": "adamw_8bit", "adamw8bit": "adamw_8bit", "adamw_torch_8bit": "adamw_8bit", "sgdm": "sgd_momentum",
    "lion_32bit": "lion", "paged_adamw_32bit": "adamw", "paged_adamw": "adamw",
}  # fmt: skip
"""Names of the same in Megatron, DeepSpeed and the HF Trainer."""

FRAMEWORKS = ("megatron", "deepspeed", "fsdp")
LORA_TARGETS = ("all", "attention", "mlp")
FROZEN = ("bf16", "fp8", "int8", "nf4", "nf4_double", "mxfp4", "nvfp4")
_MASTER = 4.0
_HALF = 2.0
_ADAPTER_BYTES = 4.0  # PEFT trains adapters in 32 bits where the base is in fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters over frozen weights.

    Parameters
    ----------
    rank : int
        Of both factors.
    targets : str
        Linear layers that have adapters: ``all``, ``attention`` or ``mlp``; each routed expert has its own.
    frozen : str
        Format of the frozen linear layers, one of `FROZEN`; embeddings and head stay whole.
    """

    rank: int = 16
    targets: str = "all"
    frozen: str = "bf16"

    @property
    def frozen_bytes(self) -> float:
        """Bytes per frozen weight with its scales."""
        return WEIGHT_BITS[self.frozen] / 8.0

    @property
    def quantised(self) -> bool:
        """Whether frozen weights are expanded before every product."""
        return self.frozen_bytes < _HALF

    @property
    def end_bytes(self) -> float:
        """Bytes per parameter of embeddings and head: 32 bits beside quantised layers, as PEFT prepares a model."""
        return 4.0 if self.quantised else _HALF

    def parameters(self, model: ModelSpec) -> float:
        """Return the trained parameters of all layers."""
        return float(sum(group.count * self._layer(group, model.hidden) for group in model.layers))

    def sides(self, group: LayerGroup, hidden: int) -> tuple[float, float]:
        """Return the inputs and outputs of all linear layers outside routed experts that have adapters, summed."""
        a, block = group.attention, group.feed_forward
        both = 2 if block.gated else 1
        joined = {"attn_qkv": 2 if a.keys_are_values else 3, "ffn_up": both, "shared_up": both}
        gemms = attention_gemms(a, hidden) if self.targets != "mlp" else []
        gemms += feed_forward_gemms(block, hidden) if self.targets != "attention" else []
        gemms = [gemm for gemm in gemms if gemm.name != "router"]
        return float(sum(joined.get(g.name, 1) * g.k for g in gemms)), float(sum(g.n for g in gemms))

    def _layer(self, group: LayerGroup, hidden: int) -> float:
        block, sides = group.feed_forward, 2 if group.feed_forward.gated else 1
        total = self.rank * sum(self.sides(group, hidden))
        if block.kind == "moe" and self.targets != "attention":
            total += block.experts * (sides + 1) * self.rank * ((block.latent or hidden) + block.expert_inner)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a trainer keeps of each trained parameter.

    Parameters
    ----------
    optimizer : str
        One of `MOMENT_BYTES`.
    gradient_dtype : str
        ``fp32`` or ``bf16``, in which gradients are summed over micro-batches and exchanged; ``none`` where each
        parameter is updated in the backward pass, as soon as its gradient is there in 16 bits, and none are kept.
    master_weights : bool
        Whether weights are kept in 32 bits too; without, moments that are not in 8 bits have the weights' 16.
    framework : str
        One of `FRAMEWORKS`: FSDP keeps 32-bit weights in place of a 16-bit and a master copy.
    fused_loss : bool
        Whether logits and loss are worked out in chunks, so that they are never held whole.
    """

    optimizer: str = "adamw"
    gradient_dtype: str = "fp32"
    master_weights: bool = True
    framework: str = "megatron"
    fused_loss: bool = False

    @property
    def native(self) -> bool:
        """Whether operators are PyTorch's own, one kernel each."""
        return self.framework != "megatron"

    @property
    def weight_bytes(self) -> float:
        """Bytes per parameter of the weights that a device keeps between steps."""
        return _MASTER if self.framework == "fsdp" and self.master_weights else _HALF

    @property
    def keeps_gradients(self) -> bool:
        """Whether gradients are held until all of a step's are there."""
        return self.gradient_dtype != "none"

    @property
    def gradient_bytes(self) -> float:
        """Bytes per parameter of a gradient."""
        return _MASTER if self.gradient_dtype == "fp32" else _HALF

    @property
    def optimizer_bytes(self) -> float:
        """Bytes per parameter of optimizer states, with master weights where they are kept apart."""
        moments = MOMENT_BYTES[self.optimizer]
        if not self.master_weights:
            return moments if self.optimizer in {"adamw_8bit", "adamw_bf16"} else 0.5 * moments
        return moments + (_MASTER if self.framework != "fsdp" else 0.0)

    @property
    def adapter_bytes(self) -> float:
        """Bytes per adapter parameter: weight, gradient and optimizer states."""
        return 2.0 * _ADAPTER_BYTES + MOMENT_BYTES[self.optimizer]

    def update_flop(self, parameters: float, width: float, newton_schulz_steps: float) -> float:
        """Return the work of an update beyond reading and writing states [FLOP]: Muon's orthogonalisation.

        Each step is about six products of a matrix' smaller side with the matrix.
        """
        return newton_schulz_steps * 6.0 * parameters * width if self.optimizer == "muon" else 0.0


def optimizer_of(name: str) -> str:
    """Return an optimizer by any of its names.

    Raises
    ------
    InputError
        If it is unknown.
    """
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    plain = SPELLINGS.get(plain, plain)
    if plain not in MOMENT_BYTES:
        known = list(MOMENT_BYTES)
        message = f"--optimizer {name}: unknown.{did_you_mean(plain, known)} Known: {', '.join(known)}."
        raise InputError(message)
    return plain

"""A model as the other stages read it: sizes, layers and counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from jevons.models import formulas
from jevons.models.types import WEIGHT_BITS, LayerGroup, WeightPrecision
from jevons.named import Described


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ModelSpec(Described):
    """A decoder read from its config.json.

    Parameters
    ----------
    name, architecture : str
        Name it was loaded by, and the publisher's architecture.
    hidden, vocab : int
        Width, and rows of the embedding.
    layers : tuple of LayerGroup
        All layers, those of one make together.
    tied_embeddings : bool
        Whether the head reuses the embedding.
    mtp_layers : int
        Extra layers that predict further tokens; left out of the totals.
    max_context : int
        Longest sequence in tokens; 0 where the file does not say.
    weight_precision : WeightPrecision
        As shipped.
    kv_precision : str
        Of the cache by default.
    position_embeddings : int
        Learned positions (GPT-2 and relatives), 0 for rotary.
    table_parameters : int
        Of embedding tables beside the vocabulary's own that devices hold, such as those of n-grams.
    norms_per_layer : int
        Vectors of the hidden size that norms hold per layer.
    vision_parameters : int
        Of the tower that reads images, kept in 16 bits; left out of the totals.
    free_images : bool
        Whether an image takes as many tokens as it is large, and no fixed number.
    warnings : tuple of str
        What the file says that is not understood, and how it was read instead.
    file : str
        The user's config.json, or its folder; for a shipped architecture empty, or the spelling that says another
        context than the name alone.
    """

    _kind: ClassVar[str] = "model"

    name: str
    architecture: str
    hidden: int
    vocab: int
    layers: tuple[LayerGroup, ...]
    tied_embeddings: bool = False
    mtp_layers: int = 0
    max_context: int = 0
    weight_precision: WeightPrecision = field(default_factory=WeightPrecision)
    kv_precision: str = "bf16"
    position_embeddings: int = 0
    table_parameters: int = 0
    norms_per_layer: int = 2
    vision_parameters: int = 0
    free_images: bool = False
    warnings: tuple[str, ...] = ()
    file: str = ""

    def stretched_to(self, tokens: int) -> str:
        """Return how to ask for a longer context than the model's own, as it has with stretched rotations."""
        if self.file and Path(self.file).exists():
            return "state its rope_scaling in the config.json"
        return f"stretched, as by YaRN, it is the model {self.name}-{math.ceil(tokens / 1024)}k"

    def __repr__(self) -> str:
        """Return sizes in a line, with units."""
        context = f"{self.max_context:,} tokens" if self.max_context else "not stated"
        return (
            f"<{self.name}: {self.parameters_total / 1e9:.3g} bn parameters, {self.parameters_active / 1e9:.3g} bn "
            f"active, KV {self.kv_bytes_per_token():,.0f} bytes/token, context {context}>"
        )

    @property
    def parameters(self) -> int:
        """All text parameters; the same as `parameters_total`."""
        return self.parameters_total

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return sum(group.count for group in self.layers)

    @property
    def is_moe(self) -> bool:
        """Whether any layer routes tokens to experts."""
        return any(group.feed_forward.kind == "moe" for group in self.layers)

    @property
    def parameters_embedding(self) -> int:
        """Parameters of the input embedding and its tables, and of the head where it is not tied."""
        whole = self.vocab * (1 if self.tied_embeddings else 2) + self.position_embeddings
        return whole * self.hidden + self.table_parameters

    @property
    def parameters_total(self) -> int:
        """All text parameters without the multi-token-prediction layers."""
        inside = sum(group.count * formulas.layer_parameters(self, group) for group in self.layers)
        return inside + self.parameters_embedding + self.hidden

    @property
    def parameters_active(self) -> int:
        """Parameters that one token is multiplied with: routed experts as taken, the head, but no embedding look-up."""
        inside = sum(group.count * formulas.layer_parameters(self, group, active=True) for group in self.layers)
        return inside + self.vocab * self.hidden + self.hidden

    def kv_bytes_per_token(self, kv_precision: str | None = None) -> float:
        """Return the cache that one more token adds in a long sequence, layers with a window left out [bytes]."""
        element_bytes = WEIGHT_BITS[kv_precision or self.kv_precision] / 8
        growing = [group for group in self.layers if group.attention.window is None]
        growing_bytes = formulas.cached_bytes_per_token(growing, element_bytes)
        return growing_bytes or formulas.cached_bytes_per_token(self.layers, element_bytes)

    def state_bytes_per_sequence(self, kv_precision: str | None = None) -> float:
        """Return what a sequence keeps whatever its length: recurrent states, and full windows [bytes]."""
        element_bytes = WEIGHT_BITS[kv_precision or self.kv_precision] / 8
        total = 0.0
        grows = any(g.attention.window is None and g.attention.cached_elements_per_token for g in self.layers)
        for group in self.layers:
            attention = group.attention
            total += group.count * formulas.kept_bytes(attention, element_bytes)
            if attention.window is not None and grows:
                total += group.count * attention.window * formulas.cached_bytes(attention, element_bytes)
        return total

    def weight_bytes(self, precision: str | None = None) -> float:
        """Return the weights' size as shipped, or with all matrices in one precision and embeddings in 16 bits."""
        chosen = WeightPrecision.uniform(precision) if precision else self.weight_precision
        return formulas.weight_bytes(self, chosen)

    def flop_per_token(self, context: int = 0) -> float:
        """Return the work of one token's forward pass: 2 per active matrix parameter, and attention over *context*."""
        return formulas.flop_per_token(self, context)

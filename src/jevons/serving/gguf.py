"""What names of GGUF files and their types of tensors say: the model, and the precision of its weights."""

from __future__ import annotations

import re

_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_QUANTISED = re.compile(r"[-_. ]((?:UD-)?(?:I?Q\d\w*|BF16|F16|F32|MXFP4\w*))$", re.IGNORECASE)
_OF_TYPE = re.compile(r"\b(I?Q\d[\w]*|BF16|F16|F32|MXFP4)(?: - (Small|Medium|Large))?", re.IGNORECASE)


def gguf_name(file: str) -> tuple[str, str]:
    """Return model and precision of a GGUF file's name.

    Examples
    --------
    >>> gguf_name("models/Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf")
    ('Meta-Llama-3.1-8B-Instruct', 'q4_k_m')
    """
    name = _SHARD.sub("", re.split(r"[/\\]", file.strip())[-1].removesuffix(".gguf"))
    quantised = _QUANTISED.search(name)
    return (name[: quantised.start()], precision_named(quantised[1])) if quantised else (name, "")


def precision_named(text: str) -> str:
    """Return the precision of words such as ``Q4_K - Medium`` or ``F16``, empty where they name none."""
    type_words = _OF_TYPE.search(text)
    if type_words is None:
        return ""
    name = type_words[1].lower() + (f"_{type_words[2][0].lower()}" if type_words[2] else "")
    return {"f16": "fp16", "f32": "fp32"}.get(name, name)

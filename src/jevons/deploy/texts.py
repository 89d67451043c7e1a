"""Text of YAML files and of names."""

from __future__ import annotations

import copy
import io
import re
from typing import Any


def yaml_text(*documents: Any) -> str:
    """Return documents as YAML, block style, keys in their order."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import walk_tree

    writer = YAML()
    writer.representer.ignore_aliases = lambda *_: True
    writer.default_flow_style = False
    writer.width = 4096
    writer.indent(mapping=2, sequence=4, offset=2)
    parts = []
    for document in copy.deepcopy(documents):
        walk_tree(document)  # texts of several lines as blocks
        stream = io.StringIO()
        writer.dump(document, stream)
        parts.append(stream.getvalue())
    return "---\n".join(parts)


def object_name(text: str, most: int = 40) -> str:
    """Return a text as a name that Kubernetes takes."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:most].rstrip("-") or "model"

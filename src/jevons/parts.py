"""Dataclasses made of parts: one with many fields names its groups, and each group is a dataclass of its own."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any, Self


class Part:
    """A group of fields that belong together, such as the prices among a market's inputs."""

    __slots__ = ()


class Grouped:
    """A dataclass some of whose fields are a `Part` each; no two parts have a field of the same name."""

    __slots__ = ()

    @classmethod
    def of(cls, **fields: Any) -> Self:
        """Return the object whose own fields and whose parts' have these values, each under its own name."""
        parts, part_of = _parts(cls)
        own = {name: value for name, value in fields.items() if name not in part_of}
        for part, kind in parts.items():
            inner = {name: value for name, value in fields.items() if part_of.get(name) == part}
            if inner or part not in own:
                own[part] = kind(**inner)
        return cls(**own)

    def replace(self, **fields: Any) -> Self:
        """Return the object with other values of these *fields*, its own or its parts'."""
        _, part_of = _parts(type(self))
        changed = {name: value for name, value in fields.items() if name not in part_of}
        for part in dict.fromkeys(part_of[name] for name in fields if name in part_of):
            inner = {name: value for name, value in fields.items() if part_of.get(name) == part}
            changed[part] = dataclasses.replace(changed.get(part, getattr(self, part)), **inner)
        return dataclasses.replace(self, **changed)  # type: ignore[type-var]

    def field(self, name: str) -> Any:
        """Return a field, its own or that of one of its parts, by its name."""
        part = _parts(type(self))[1].get(name)
        return getattr(self if part is None else getattr(self, part), name)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of its own fields and of those of its parts, in the order of declaration."""
        parts, _ = _parts(cls)
        names: list[str] = []
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            names += (
                [inner.name for inner in dataclasses.fields(parts[field.name])] if field.name in parts else [field.name]
            )
        return tuple(names)

    def flat(self) -> dict[str, Any]:
        """Return its own fields and those of its parts by name, in the order of declaration."""
        return {name: self.field(name) for name in self.names()}


def _parts(kind: Any) -> tuple[dict[str, type[Any]], dict[str, str]]:
    """Return the parts of a grouped class by name, and the part that each of their fields lies in."""
    return _read(kind)


@functools.cache
def _read(kind: type[Any]) -> tuple[dict[str, type[Any]], dict[str, str]]:
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    parts = {n: hints[n] for n in names if isinstance(hints[n], type) and issubclass(hints[n], Part)}
    return parts, {field.name: part for part, inner in parts.items() for field in dataclasses.fields(inner)}

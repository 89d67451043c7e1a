"""Kernels of parts give what Python gives, compiled as one and, of releases of numba not tested with, the plain way."""

import numpy as np
import pytest
from numba.core.errors import TypingError
from numba.core.registry import cpu_target

from jevons.serving import kernel_parts


def made():
    options = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

    @kernel_parts.part(forceinline=True, **options)
    def shifted(values, place, by):
        return values[place] * 3 + by

    @kernel_parts.part(**options)
    def add_up(values, by):
        total = 0
        for place in range(len(values)):
            total += shifted(values, place, by) if values[place] > by else shifted(values, place, -by)
        return total

    @kernel_parts.kernel(error_model="numpy")
    def run(values):
        room = np.zeros(4, np.int64)
        for place in range(4):
            room[place] = add_up(values, place) + shifted(values, place, 7)
        return room.sum()

    return run


def expected(values):
    def shifted(place, by):
        return values[place] * 3 + by

    return sum(sum(shifted(i, by if v > by else -by) for i, v in enumerate(values)) + shifted(by, 7) for by in range(4))


@pytest.mark.parametrize("tested", [True, False])
def test_nested_and_shared_parts_give_what_python_gives(monkeypatch, tested):
    monkeypatch.setattr(kernel_parts, "IS_TESTED", tested)
    values = np.array([5, 1, -4, 9, 2], dtype=np.int64)
    assert made()(values) == expected(values.tolist())


def test_a_part_is_neither_linked_nor_optimised_by_itself():
    run = made()
    run(np.arange(5))
    (compiled,) = run.overloads.values()
    assert isinstance(compiled.library, kernel_parts._WholeLibrary)
    needed = kernel_parts._reached(compiled.library, {})
    own = [library for library in needed if isinstance(library, kernel_parts._PartLibrary)]
    assert {library.name.split(".")[-1] for library in own} == {"shifted", "add_up"}
    assert all(library.get_pointer_to_function("any") == 0 for library in own)


def test_types_are_remembered_while_kernels_are_compiled_alone():
    @kernel_parts.kernel()
    def wrong(values):
        return values.nothing_of_the_kind

    with pytest.raises(TypingError):
        wrong(np.arange(3))
    assert "resolve_function_type" not in vars(cpu_target.typing_context)

"""Compiles functions of one kernel as parts of it, which is optimised once, as a whole.

Numba optimises each function with all that it calls, and again as a part of each function that calls it: of the kernels
here, which lie six deep, that is half of what a first use waits for. It also looks up the type of each operation among
dozens of overloads, most of them of other containers. A part is neither linked nor optimised before the kernel that it
belongs to, and an operation on types met before has the type that it had then.

All of this is inside of numba: of releases that it is not tested with, functions are compiled the plain way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numba
from llvmlite.binding import Linkage  # type: ignore[import-untyped]
from numba import _dynfunc, njit
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.types import Array, BaseTuple, Boolean, Float, Function, Integer, NoneType, Type  # type: ignore[attr-defined]

TESTED = (61, 68)
"""First and last minor release of numba 0."""

IS_TESTED = numba.version_info.major == 0 and TESTED[0] <= numba.version_info.minor <= TESTED[1]


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code of a part: kept as it is lowered, for the whole to link."""

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout  # noqa: SLF001 - of the class above

    def finalize(self) -> None:
        """Say that nothing is added any more."""
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True


class _WholeLibrary(JITCodeLibrary):  # type: ignore[misc]
    """Code of a kernel, with that of all of its parts."""

    def finalize(self) -> None:
        """Link the parts, and theirs; optimise the whole."""
        self._linking_libraries = list(_reached(self, {}))
        super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal  # what nobody else calls loses the arguments that it does not need
        super()._optimize_final_module()


def _reached(library: Any, seen: dict[Any, None]) -> dict[Any, None]:
    """Return the libraries that one needs, through its parts."""
    for needed in library._linking_libraries:  # noqa: SLF001 - numba has no other way to it
        if needed not in seen:
            seen[needed] = None
            if isinstance(needed, _PartLibrary):
                _reached(needed, seen)
    return seen


class _Compiler(Compiler):  # type: ignore[misc]
    """Numba's compiler with a library of ours."""

    library_class: type[JITCodeLibrary]

    def compile_extra(self, func: Any) -> Any:
        """Return the result of compiling a function."""
        context = self.state.targetctx
        self.state.library = self.library_class(context.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        with _remembered_types(self.state.typingctx):
            return super().compile_extra(func)


class _PartCompiler(_Compiler):
    library_class = _PartLibrary

    def compile_extra(self, func: Any) -> Any:
        """Return the result of compiling a function that Python cannot call."""
        self.state.targetctx.get_executable = _without_entry  # of this compilation's own copy
        return super().compile_extra(func)


class _WholeCompiler(_Compiler):
    library_class = _WholeLibrary


def _without_entry(library: Any, fndesc: Any, env: Any) -> Any:
    """Return what numba keeps for a part's entry from Python, of which there is none: to call it ends the process."""
    name = fndesc.qualname.split(".")[-1]
    return _dynfunc.make_function(fndesc.lookup_module(), name, "a part of kernels", 0, env, (library,))


_PLAIN = (Integer, Float, Boolean, Array, BaseTuple, NoneType)


@contextmanager
def _remembered_types(context: Any) -> Iterator[None]:
    """Let operations of builtin functions on plain types be resolved once."""
    resolve = context.resolve_function_type
    if hasattr(resolve, "met"):
        yield
        return

    def resolve_function_type(func: Any, args: Any, kws: Any) -> Any:
        is_builtin = isinstance(func, Function) or not isinstance(func, Type)
        if kws or not is_builtin or not all(isinstance(kind, _PLAIN) for kind in args):
            return resolve(func, args, kws)
        key = func, tuple(args)
        found = _MET.get(key)
        if found is None:
            found = _MET[key] = resolve(func, args, kws)
        return found

    resolve_function_type.met = _MET  # type: ignore[attr-defined]
    context.resolve_function_type = resolve_function_type
    try:
        yield
    finally:
        del context.resolve_function_type


_MET: dict[Any, Any] = {}


def part(**options: Any) -> Any:
    """Return a decorator for functions that kernels alone call."""
    return njit(**options, **({"pipeline_class": _PartCompiler} if IS_TESTED else {}))


def kernel(**options: Any) -> Any:
    """Return a decorator for functions that call parts, and that Python may call."""
    return njit(**options, **({"pipeline_class": _WholeCompiler} if IS_TESTED else {}))

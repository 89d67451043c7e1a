"""Objects that answer to names which they do not have: with the name here, as other tools call it or nearly spelled."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import jevons
from jevons.errors import NoSuchNameError, did_you_mean

_WORDS = {
    "to_frame().to_pandas()": "to_pandas dataframe data_frame as_pandas pandas",
    "to_frame()": "to_polars df frame polars as_frame table data",
    "to_json()": "to_dict json as_dict asdict dict items values get model_dump record records",
    'save("result.csv")': "to_csv write_csv csv",
    'save("result.xlsx")': "to_excel write_excel excel xlsx",
    'save("result.json")': "write dump export to_file",
    "answer": "summary text describe conclusion message",
    "tables": "show report print result results details",
    "plot": "figure figures chart charts draw picture pictures",
    "output_tok_per_s": "throughput tokens_per_s tok_per_s tokens_per_second",
    "goodput_req_per_s": "goodput",
    "per_hour": "hourly cost_per_hour price_per_hour hour price total cost",
    "cost_per_mtok": "cost_per_million price_per_mtok cost price",
    "parameters_total": "params n_params num_params num_parameters parameter_count size total_parameters",
    "parameters_active": "active active_params active_parameters",
    "n_layers": "num_layers layer_count depth num_hidden_layers",
    "hidden": "hidden_size d_model width dim",
    "vocab": "vocab_size vocabulary",
    "max_context": "context context_length max_model_len max_position_embeddings context_window",
    "weight_bytes()": "weights bytes weights_bytes memory size_bytes",
    "hbm_bytes": "memory memory_gb memory_bytes vram vram_gb hbm hbm_gb capacity ram mem",
    "hbm_bytes_per_s": "bandwidth memory_bandwidth mem_bw bw hbm_bandwidth",
    "peak_flop_per_s": "flops tflops peak peaks peak_flops compute fp8_flops bf16_flops fp16_flops fp8 bf16 flop_per_s",
    "tdp_w": "power tdp watts power_w",
    "scaleup": "nvlink link interconnect",
    "accelerators": "gpus devices n_gpus num_gpus gpu_count",
    "pareto": "fleets front options candidates alternatives",
    'to_json()["best"]["launch"]': "launch command commands",
    "values": "value history",
    "start": "date day since",
    "mfu_frac": "mfu utilization utilisation",
    "days": "time duration time_days",
    "rows": "cells data",
    "head": "title",
}
_OTHER_WORDS: dict[str, list[str]] = {}
for _name, _spelled in _WORDS.items():
    for _word in _spelled.split():
        _OTHER_WORDS.setdefault(_word, []).append(_name)


def unknown_attribute(what: str, name: str, known: Iterable[str]) -> AttributeError:
    """Return the error of a name that *what* lacks: it offers the one here that likely was meant, else all."""
    names = sorted({public for public in known if not public.startswith("_")})
    meant = next((word for word in _OTHER_WORDS.get(name.lower(), ()) if _stem(word) in names), "")
    near = f" Use `.{meant}`." if meant else did_you_mean(name, names)
    listed = f" It has {', '.join(names)}." if names else ""
    return AttributeError(f"{what} has no attribute `{name}`.{near or listed}")


def _stem(name: str) -> str:
    """Return the attribute that an expression such as ``to_frame().to_pandas()`` begins with."""
    return name.partition("(")[0]


@functools.singledispatch
def as_argument(_given: object) -> str | None:
    """Return the name or file by which functions find an object again; None for one that has neither.

    The stage that reads a kind of object from its name registers how to go back.

    Raises
    ------
    InputError
        If the object was changed, so that they would find another.
    """
    return None


class Named:
    """A base of classes whose unknown attributes are answered with the name here."""

    __slots__ = ()

    __iter__: Any = None

    def __getitem__(self, name: Any) -> Any:
        """Return an attribute by its name in brackets.

        Raises
        ------
        NoSuchNameError
            If there is none of that name.
        """
        try:
            return getattr(self, str(name))
        except AttributeError as error:
            message = str(error) or f"{type(self).__name__} has no entry `{name}`"
            raise NoSuchNameError(message) from None

    if not TYPE_CHECKING:  # checkers know the fields

        def __getattr__(self, name: str) -> Any:
            """Refuse a name that the object lacks; `AttributeError` says which it has."""
            if name.startswith("_"):
                raise AttributeError(name)
            if hasattr(type(self), name):  # a property that failed says so itself
                return object.__getattribute__(self, name)
            raise unknown_attribute(type(self).__name__, name, dir(type(self)))


class Described(Named):
    """A base of parts, such as a device or a model, that are read as results are: the result that describes them.

    A subclass sets `_kind`; the package knows where the result of that kind is made of a part (`jevons.face`).
    """

    __slots__ = ()

    _kind: ClassVar[str]

    def _result(self) -> Any:
        return jevons.face(self._kind, "result")(self)

    @property
    def tables(self) -> Any:
        """What is known of it, as named tables."""
        return self._result().tables

    def to_frame(self, table: str | int | None = None) -> Any:
        """Return a table of it as a polars frame; the one with its figures where none is named."""
        return self._result().to_frame(table)

    def to_json(self) -> dict[str, Any]:
        """Return it in the types that JSON has, values in base units."""
        content: dict[str, Any] = self._result().to_json()
        return content

    def _repr_html_(self) -> str:
        """Return it in a sentence and its tables, for a notebook."""
        result = self._result()
        shown = (table for table in result.tables.values() if not table.detail or table.name == result.main_table)
        return f"<p>{html.escape(result.answer)}</p>{''.join(table._repr_html_() for table in shown)}"


class Record(dict[str, Any]):
    """A part of an answer: a dictionary whose entries are attributes too, such as ``run.ttft_s.p99``."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Return an entry, or say which there are."""
            if name.startswith("_"):
                raise AttributeError(name)
            if name not in self:
                message = "this part of the answer"
                raise unknown_attribute(message, name, map(str, self))
            return self[name]

        def __dir__(self) -> list[str]:
            """Return the entries beside the attributes of a dictionary."""
            return sorted({*super().__dir__(), *map(str, self)})

    def __missing__(self, name: str) -> Any:
        """Refuse an entry that is not there."""
        names = [str(member) for member in self]
        message = f"no entry `{name}`.{did_you_mean(str(name), names) or f' There are {names}.'}"
        raise NoSuchNameError(message)


def recorded(value: Any) -> Any:
    """Return plain values with every dictionary as a `Record`."""
    if isinstance(value, Mapping):
        return Record({name: recorded(item) for name, item in value.items()})
    if isinstance(value, list):
        return [recorded(item) for item in value]
    return value

"""Shipped architectures by name, and the many spellings of their names."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jevons.errors import InputError, did_you_mean
from jevons.files import changed_ns
from jevons.models.checkpoints import quantised
from jevons.models.read import read_config
from jevons.models.spec import ModelSpec
from jevons.models.types import GGUF
from jevons.named import as_argument
from jevons.schema import read_yaml, shortened

_CONFIGS = Path(__file__).parent / "configs"
_NAMES = Path(__file__).parent / "names.yaml"
_MOST_MEANT = 6

# Ends of a checkpoint's name that state the precision of its weights; what quantised them may stand before or after.
_TOOL = r"[-.](?:quantized[-.])?(?:(?:awq|gptq|bnb|mlx|autoround|modelopt|unsloth|dynamic)-)*"
_AFTER = r"(-(mixed-)?(awq|gptq|autoround|ct))?"
_SUFFIXES = (
    (rf"{_TOOL}(nvfp4|fp4)(a16)?(-v\d)?$", "nvfp4"),
    (rf"{_TOOL}(w-)?mxfp4(-a-fp8)?(-v\d)?(-preview)?$", "mxfp4"),
    (rf"{_TOOL}fp8(-dynamic|-static-pertensor|-block|-kv)*$", "fp8"),
    (rf"{_TOOL}(w8a8|w8a16|int8|8bit|int8-int8){_AFTER}$", "int8"),
    (rf"{_TOOL}(w4a16|w4a8|int4|4bit)(-g\d+)?{_AFTER}$", "int4"),
    (r"[-.](awq|gptq|autoround)$", "int4"),
    (r"[-.](bf16|fp16)$", "bf16"),
)
_LLAMA_CPP = re.compile(r"gguf|ggml|[-.](i?q\d[_-]\w+|q\d)$")
_DROPPED = re.compile(
    r"[-_](instruct|chat|hf|it|base|thinking|reasoning|pt|\d{4}|v[01]([.-][0-9])?|rl|sft|dpo|preview|exp|latest)(?=$|[-_])"
)

_LENGTH = re.compile(r"-(\d{1,4})k(?=-|$)")
"""Part of a name that says how many tokens are read, in 1,024: `qwen3-8b-128k`, whose rotations are stretched."""

# Parts that are trained for a model, not versions of it.
_OTHER_PARTS = re.compile(r"eagle|medusa|speculator|draft|adapter|lora|reward|embedding")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A shipped architecture's name, and what the spelling says besides.

    The weights' precision, and the longest context where that of the release is another than the shipped one; else 0.
    """

    spec_name: str
    precision_hint: str | None
    context: int = 0


def names() -> list[str]:
    """Return the names of the shipped architectures."""
    return sorted(path.stem for path in _CONFIGS.glob("*.json"))


def resolve(name: str) -> Resolved:
    """Return the shipped architecture that *name* spells, such as ``meta-llama/Meta-Llama-3.1-8B-Instruct-FP8``.

    Maker, case, punctuation, dates and words such as ``instruct`` do not matter. Tags of Ollama mean what they fetch.
    The beginning of a name will do where no other begins so: ``llama 4 maverick``; so will its end, by which
    fine-tuned models name what they start from: ``Hermes-3-Llama-3.1-8B``.

    Raises
    ------
    InputError
        If none is shipped, or several are meant; near names are offered.

    Examples
    --------
    >>> resolve("Llama 3.1 8B Instruct").spec_name, resolve("Qwen/Qwen3-32B-AWQ").precision_hint
    ('llama-3.1-8b', 'int4')
    """
    last = re.split(r"/|--", name.strip())[-1].lower().removeprefix("ollama run ")
    plain = re.sub(r"[\s_:]+", "-", last.removesuffix(":latest"))
    plain = re.sub(r"(\d)-([bmt])(?=$|-)", r"\1\2", plain)
    long = _LENGTH.search(plain)
    ending = long[0] if long is not None and long.end() == len(plain) else ""  # stands behind the precision
    plain, hint = _without_gguf(plain.removesuffix(ending), name)
    for pattern, precision in _SUFFIXES:
        shorter = re.sub(pattern, "", plain)
        if shorter != plain:
            plain, hint = shorter, hint or precision
    plain += ending
    found, longer = _spelled(plain)
    if not found and long is not None:
        found, longer = _spelled(plain.replace(long[0], "", 1))
    if found:
        return Resolved(found, hint, _context(found, plain))
    known, closed = names(), other_names()[1]
    if any(re.match(rf"{re.escape(unpublished)}(?![a-z0-9]*[0-9]b)", plain) for unpublished in closed):
        message = (
            f"unknown model `{shortened(name)}`: its maker publishes no sizes; give an open model, or a config.json"
        )
        raise InputError(message)
    told = (
        f" It may be {' or '.join(f'`{shipped}`' for shipped in sorted(longer))}."
        if 0 < len(longer) <= _MOST_MEANT
        else ""
    )
    message = (
        f"unknown model `{shortened(name)}`.{told or did_you_mean(plain, known)} `jevons models list` shows all; "
        "or give a config.json."
    )
    raise InputError(message)


def _spelled(plain: str) -> tuple[str, set[str]]:
    """Return the shipped name that one in lower case with dashes spells, or an empty one, and those that begin so."""
    known = names()
    spellings = _spellings(plain)
    others, _ = other_names()
    found = plain if plain in known else others.get(plain, "")
    found = found or next((candidate for candidate in spellings if candidate in known), "")
    found = found or next((others[candidate] for candidate in spellings if candidate in others), "")
    if found:
        return found, set()
    longer = {
        shipped for shipped in known for candidate in spellings if candidate and shipped.startswith(f"{candidate}-")
    }
    if len(longer) == 1:
        return longer.pop(), set()
    tuned = [shipped for shipped in known if any(form.endswith(f"-{shipped}") for form in spellings)]
    return "" if longer or _OTHER_PARTS.search(plain) else max(tuned, key=len, default=""), longer


def _context(shipped: str, plain: str) -> int:
    """Return the tokens that a release of a shipped model's sizes reads, as its name says; 0 where it says nothing."""
    releases = _names_on_file()["reads"].get(shipped, {})
    for part, tokens in releases.items():
        if re.search(rf"(^|-){re.escape(str(part))}(-|$)", plain):
            return int(tokens)
    stated = _LENGTH.search(plain)
    return 1024 * int(stated[1]) if stated is not None and not _LENGTH.search(shipped) else 0


@functools.cache
def _names_on_file() -> dict[str, Any]:
    return dict(read_yaml(_NAMES).root)


@functools.cache
def other_names() -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the shipped model of each other name, and the beginnings of names whose makers publish no sizes."""
    listed = _names_on_file()
    others = {str(other): str(model) for model, names_of_one in listed["means"].items() for other in names_of_one}
    return others, tuple(str(name) for name in listed["closed"])


def _without_gguf(plain: str, name: str) -> tuple[str, str | None]:
    """Return a name without the ending of a file of llama.cpp, and the type of weights that it states.

    Raises
    ------
    InputError
        If the name is of such files and states no type.
    """
    stated = re.search(r"[-.](?:ud-)?(i?q\d[_-][\w-]+?)(?:[-.]gguf)?$", re.sub(r"[-.](gguf|ggml)(?=[-.])", "", plain))
    if stated:
        kind = stated[1].replace("-", "_").removesuffix("_xl")
        kind = next((spelling for spelling in (kind, f"{kind}_m") if spelling in GGUF), None)
        if kind is not None:
            shorter = re.sub(r"[-.](gguf|ggml)(?=[-.]|$)", "", plain)
            return shorter[: shorter.rindex(stated[1])].rstrip("-.").removesuffix("-ud"), kind
    if _LLAMA_CPP.search(plain):
        message = (
            f"model `{shortened(name)}`: a file of llama.cpp of unknown type; give the model, and its type as"
            " --precision, such as q4_k_m"
        )
        raise InputError(message)
    return plain, None


def maker_of(name: str) -> str:
    """Return who published a checkpoint, in lower case; empty where the name does not say.

    Examples
    --------
    >>> maker_of("meta-llama/Llama-3.1-405B-Instruct-FP8"), maker_of("llama-3.1-405b-fp8")
    ('meta-llama', '')
    """
    owner, separator, _ = name.strip().lower().rpartition("/")
    return owner.rsplit("/", 1)[-1] if separator else ""


def base_name(name: str) -> str:
    """Return a model's name without the precision that it ends with.

    Examples
    --------
    >>> base_name("qwen3-235b-a22b-fp8"), base_name("llama-3.1-8b")
    ('qwen3-235b-a22b', 'llama-3.1-8b')
    """
    for pattern, _ in _SUFFIXES:
        name = re.sub(pattern, "", name)
    return name


def _is_config(name_or_path: str) -> bool:
    """Return whether a model is given as a config.json or a folder that may hold one."""
    if name_or_path.endswith(".json"):
        return True
    try:
        return bool(name_or_path.strip()) and Path(name_or_path).is_dir()
    except OSError:  # longer than a file's name can be
        return False


def _spellings(plain: str) -> list[str]:
    forms = [plain, _DROPPED.sub("", plain)]
    forms += [form.removeprefix("meta-").removeprefix("nvidia-") for form in forms]
    forms += [re.sub(r"(?<=-)(\d)-(\d)(?=-)", r"\1.\2", form) for form in forms]
    forms += [re.sub(r"^((?:[a-z]+-)?(?:llama|gemma|phi|glm))([0-9])", r"\1-\2", form) for form in forms]
    forms += [re.sub(r"-(dense|moe)(?=-)", "", form) for form in forms]
    forms += [re.sub(r"^(granite|mistral-small)([0-9])", r"\1-\2", form) for form in forms]
    forms += [re.sub(r"(\d)p(\d)", r"\1.\2", form) for form in forms]
    return forms


def load(name_or_path: str, *, name: str | None = None) -> ModelSpec:
    """Return the architecture of a shipped name or of a config.json.

    Parameters
    ----------
    name_or_path : str
        Shipped name in any common spelling, or the path of a config.json or of its folder. A name that ends with a
        precision, such as ``-FP8`` or ``-AWQ``, gives weights as checkpoints of that precision have them.
    name : str, optional
        Name to give the model.

    Raises
    ------
    InputError
        If it is neither a shipped name nor a readable config.json.
    """
    given = str(name_or_path)
    return _own(given, name, _stamp(Path(given))) if _is_config(given) else _shipped_as(given, name)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return when the files that a model is read from were last changed: a changed file is read again."""
    folder = path.parent if path.suffix == ".json" else path
    return tuple(changed_ns(file) for file in (path, folder / "config.json", folder / "hf_quant_config.json"))


@functools.lru_cache(maxsize=256)
def _own(path: str, name: str | None, _stamp: tuple[int, ...]) -> ModelSpec:
    return replace(read_config(Path(path), name=name), file=path)


@functools.lru_cache(maxsize=256)
def _shipped_as(name_or_path: str, name: str | None) -> ModelSpec:
    named = resolve(name_or_path)
    shipped = read_config(_CONFIGS / f"{named.spec_name}.json", name=named.spec_name)
    maker = maker_of(name_or_path)
    if named.context:
        shipped = replace(shipped, max_context=named.context, file=name_or_path)
    spec = quantised(shipped, named.precision_hint, maker)
    if spec.weight_precision != shipped.weight_precision:
        own = "" if spec == quantised(shipped, named.precision_hint) else f"{maker}/"
        return replace(spec, name=name or f"{own}{named.spec_name}-{named.precision_hint}")
    return spec if name is None else replace(spec, name=name)


@as_argument.register
def _(spec: ModelSpec) -> str:
    """Return the name or file by which functions find the model again."""
    name = spec.file or spec.name
    if load(name, name=spec.name) != spec:
        message = f"the model {spec.name} differs from the one on file; give a config.json that describes yours"
        raise InputError(message)
    return name

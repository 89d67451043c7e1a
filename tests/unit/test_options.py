"""Options are declared once; functions and commands check, parse and explain them alike."""

import inspect
from typing import Annotated, TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jevons
from jevons.errors import InputError
from jevons.options import Default, Option, as_argument, bare_time, call_parsed, declared, duration_s, parameters
from jevons.options.numbers import number_of_text

LIMIT = Option(help="Limit on time to first token", unit="s", above=0, parse=duration_s)
COUNT = Option(help="Number of accelerators", low=1, high=64)
KIND = Option(help="Engine", choices=lambda: ("vllm", "sglang"))


@declared
def answer(
    gpus: Annotated[int, COUNT],
    *,
    ttft: Annotated[float | str | None, LIMIT] = None,
    engine: Annotated[str, KIND] = "vllm",
) -> tuple:
    """Return what was understood.

    Returns
    -------
    tuple
        All of it.
    """
    if gpus == 13:
        message = "--gpus 13: a replica takes 8; use another --max-replica-gpus"
        raise InputError(message)
    return gpus, ttft, engine


def test_text_and_numbers_become_the_value_the_function_works_with():
    assert answer(8, ttft="300ms") == (8, 0.3, "vllm")
    assert answer(8, ttft=1) == (8, 1.0, "vllm")
    assert answer(8) == (8, None, "vllm")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gpus": 0}, "gpus=0: must be at least 1"),
        ({"gpus": 65}, "gpus=65: must be at most 64"),
        ({"gpus": float("nan")}, "gpus=nan: must be a finite number"),
        ({"gpus": 1, "ttft": "soon"}, "ttft=soon: write a time with its unit"),
        ({"gpus": 1, "ttft": 0}, "ttft=0: must be above 0 s"),
        ({"gpus": 1, "engine": "vlm"}, "engine=vlm: unknown. Did you mean `vllm`"),
        ({"gpus": 13}, "gpus=13: a replica takes 8; use another max_replica_gpus"),
    ],
)
def test_library_errors_name_the_argument(arguments, message):
    with pytest.raises(InputError) as error:
        answer(**arguments)
    assert message in str(error.value)


def test_command_errors_name_the_flag():
    with pytest.raises(InputError, match="--gpus 13: a replica takes 8; use another --max-replica-gpus"):
        call_parsed(answer, {"gpus": 13})


def test_help_has_every_parameter_with_unit_and_default():
    text = answer.__doc__
    assert "ttft : float | str | None, default None" in text
    assert "Limit on time to first token [s]." in text
    assert text.index("Parameters") < text.index("Returns")


def test_parameters_keep_their_order_and_their_flags():
    assert [(one.name, one.flag, one.positional) for one in parameters(answer)] == [
        ("gpus", "gpus", True),
        ("ttft", "ttft", False),
        ("engine", "engine", False),
    ]


@given(st.floats(1e-6, 1e5))
def test_a_time_is_the_same_in_every_unit(seconds):
    assert duration_s(f"{seconds * 1e3!r}ms", "ttft") == pytest.approx(seconds)
    assert duration_s(f"{seconds!r} s", "ttft") == pytest.approx(seconds)
    assert duration_s(seconds, "ttft") == pytest.approx(seconds)


def test_words_that_are_no_options_stay():
    assert as_argument("a -- b, x--y and --tp") == "a -- b, x--y and tp"
    assert as_argument("write --tp, as in\n  vllm serve X --tp 2") == "write tp, as in\n  vllm serve X --tp 2"


def test_a_bare_time_says_its_unit_and_an_unlikely_one_is_doubted():
    ttft = next(one for one in parameters(jevons.size) if one.name == "ttft")
    tpot = next(one for one in parameters(jevons.size) if one.name == "tpot")
    assert bare_time("0.3", ttft) == ("--ttft 0.3 is taken as 0.3 s (300 ms)", False)
    assert bare_time("20", tpot) == ("--tpot 20 is taken as 20 seconds; for milliseconds write 20ms", True)
    assert bare_time("300ms", ttft) == ("", False)


class Shared(TypedDict, total=False):
    gpus: Annotated[int | None, COUNT]
    engine: Annotated[str, KIND, Default("vllm")]


@declared
def grouped(*, ttft: Annotated[float | str | None, LIMIT] = None, **shared: Unpack[Shared]) -> tuple:
    """Return what was understood."""
    return ttft, shared["gpus"], shared["engine"]


def test_options_of_a_group_are_options_of_the_function():
    assert grouped(ttft="2s", gpus=4) == (2.0, 4, "vllm")
    assert list(inspect.signature(grouped).parameters) == ["ttft", "gpus", "engine"]
    assert "engine : str, default 'vllm'\n    Engine." in grouped.__doc__
    with pytest.raises(InputError, match="gpus=65: must be at most 64"):
        grouped(gpus=65)
    with pytest.raises(TypeError, match="gpu"):
        grouped(gpu="h20")


# Where a default of its own is part of what the command answers.
OWN_DEFAULTS = {
    "precision": "a search tries several, a job trains in 16 bits, a server runs what was shipped",
    "max-replica-gpus": "the cost of a model is that of its cheapest replica, however large",
    "site": "a firm's own machines stand near it, those of a cloud where power is cheap",
    "utilisation": "an own machine's is a fact, a price per hour assumes one",
    "draws": "each study converges at its own number", "seed": "a forecast is published with its own",
}  # fmt: skip


def test_an_option_has_one_default_over_all_commands():
    stated: dict[str, set[str]] = {}
    for name in ("simulate", "size", "cost", "buy_rent_api", "memory", "train", "plan", "compare", "value", "track"):
        for one in parameters(getattr(jevons, name)):
            if one.default not in {None, inspect.Parameter.empty, ""}:
                stated.setdefault(one.flag, set()).add(repr(one.default))
    differing = {flag: sorted(defaults) for flag, defaults in stated.items() if len(defaults) > 1}
    assert differing.keys() <= OWN_DEFAULTS.keys(), differing


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e7", 10**7), ("10_000_000", 10**7), ("10,000,000", 10**7), ("10M", 10**7), ("10 million", 10**7),
        ("1k", 1000),
        ("0.5k", 500), ("1.1M", 1_100_000), (" 64 ", 64), ("5.0", 5), ("+5", 5), ("-5", -5), ("2k tokens", 2000),
    ],
)  # fmt: skip
def test_whole_numbers_are_read_as_people_write_them(text, number):
    read = number_of_text(text, Option(help="Length", unit="tokens"), "isl", whole=True)
    assert (read, type(read)) == (number, int)


@pytest.mark.parametrize(
    "text", ["1.5", "1,5", "0,5", "1,0000", "12,34", "0x10", "ten", "", "1e-3", "nan", "5%", "5 GB"]
)
def test_what_is_no_whole_number_is_refused_with_what_is_accepted(text):
    with pytest.raises(InputError, match=r"--isl .*such as (1000, 1_000, 1e3 or 1k|\d+\.\d+)"):
        number_of_text(text, Option(help="Length", unit="tokens"), "isl", whole=True)


@pytest.mark.parametrize(
    ("text", "option", "number"),
    [
        ("50%", Option(help="Share", high=1), 0.5), ("60 %", Option(help="Share", share=True), 0.6),
        ("120 req/min", Option(help="Rate", unit="req/s"), 2.0), ("250 GB", Option(help="Memory", unit="GB"), 250.0),
        ("10 rps", Option(help="Rate", unit="req/s"), 10.0), ("300 rpm", Option(help="Rate", unit="req/s"), 5.0),
        ("300/min", Option(help="Rate", unit="req/s"), 5.0), ("5/s", Option(help="Rate", unit="req/s"), 5.0),
        ("2 days", Option(help="Time", unit="h"), 48.0), ("1_000.5", COUNT, 1000.5), (".5", COUNT, 0.5),
    ],
)  # fmt: skip
def test_numbers_may_have_the_unit_of_their_option(text, option, number):
    assert number_of_text(text, option, "x", whole=False) == pytest.approx(number)


@pytest.mark.parametrize("text", ["50%", "0,5", "x", "", "1/2", "5 GB", "5/m", "5 tok/s"])
def test_percent_and_units_that_an_option_has_not_are_refused(text):
    with pytest.raises(InputError, match="--rate .*such as"):
        number_of_text(text, Option(help="Rate", unit="req/s"), "rate", whole=False)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_as_python_writes_it(number):
    assert number_of_text(repr(number), COUNT, "x", whole=False) == number


@pytest.mark.parametrize(
    ("text", "seconds"), [("30 s", 30.0), ("1,000 ms", 1.0), ("2 minutes", 120.0), ("1_000ms", 1.0)]
)
def test_times_are_read_as_people_write_them(text, seconds):
    assert duration_s(text, "ttft") == seconds


@pytest.mark.parametrize("text", ["5m", "300 MS", "0,5 s", "1,5s", "s", "1 fortnight"])
def test_a_time_that_may_mean_two_is_refused(text):
    with pytest.raises(InputError, match="write a time with its unit, such as 300ms or 1.5s"):
        duration_s(text, "ttft")


def test_an_infinite_rate_is_answered_with_how_to_say_what_it_means():
    with pytest.raises(jevons.InputError, match="all requests come at once, give concurrency and requests"):
        jevons.simulate("llama-3.1-8b", rate=float("inf"))

"""Every bound of the program that is not an option's own: its value, unit and reason, stated once.

Modules take the numbers from here, and `docs/reference/limits.md` is made of `LIMITS`. Bounds of single options and of
fields of files stand where these are declared.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES, MAX_ROWS = "JEVONS_MAX_BYTES", "JEVONS_MAX_ROWS"
"""Environment variables that raise the bounds on bytes and on rows, for all files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One bound.

    Parameters
    ----------
    part : str
        Heading under which it is listed.
    what : str
        Quantity that is bounded.
    most : float
        Greatest value.
    unit : str
        Unit of that value.
    reason : str
        Why there is a bound.
    raised_by : str
        Environment variable that raises it; empty where nothing does.
    """

    part: str
    what: str
    most: float
    unit: str
    reason: str
    raised_by: str = ""


LIMITS: list[Limit] = []


def _stated(part: str, what: str, most: int, unit: str, reason: str, raised_by: str = "") -> int:
    """Return a bound after listing it."""
    LIMITS.append(Limit(part=part, what=what, most=most, unit=unit, reason=reason, raised_by=raised_by))
    return most


_FILES = "Files read"
_HOLDS = "the file is held in memory, with a few times its size beside it"
TRACE_BYTES = _stated(_FILES, "trace, as stored and as unpacked", 1_000_000_000, "bytes", _HOLDS, MAX_BYTES)
TRACE_ROWS = _stated(_FILES, "requests of a trace", 50_000_000, "rows", "a request takes some 100 bytes", MAX_ROWS)
TRACE_HASHES = _stated(_FILES, "block hashes of a trace", 50_000_000, "hashes", "a hash takes 8 bytes", MAX_ROWS)
JSON_LINE_BYTES = _stated(
    _FILES, "one line of a JSON trace", 100_000_000, "bytes", "parsed values take many times as much", MAX_BYTES
)
JSON_BYTES = _stated(_FILES, "JSON document", 100_000_000, "bytes", "parsed values take many times as much", MAX_BYTES)
CONFIG_BYTES = _stated(
    _FILES, "`config.json` of a model", 10_000_000, "bytes", "published ones have some 10,000", MAX_BYTES
)
CSV_BYTES = _stated(_FILES, "measured rows or outcomes (CSV)", 100_000_000, "bytes", _HOLDS, MAX_BYTES)
CSV_ROWS = _stated(_FILES, "measured rows or outcomes (CSV)", 1_000_000, "rows", _HOLDS, MAX_ROWS)
HISTORY_BYTES = _stated(
    _FILES,
    "history for `jevons study growth` (CSV)",
    10_000_000,
    "bytes",
    "a row is a period",
    MAX_BYTES,
)
FIELD_CHARACTERS = _stated(_FILES, "one cell of a CSV file", 131_072, "characters", "the csv module's own bound")
DOCUMENT_BYTES = _stated(
    _FILES,
    "scenario, load file or facts (YAML)",
    4_000_000,
    "bytes",
    "a megabyte takes seconds",
    MAX_BYTES,
)
YAML_DEPTH = _stated(_FILES, "nesting of a YAML file", 60, "levels", "deeper ones overflow the parser's stack")
YAML_NODES = _stated(_FILES, "entries of a YAML file", 100_000, "entries", "aliases multiply without end")
ANNOUNCEMENT_BYTES = _stated(
    _FILES, "text for `jevons read`", 4_000_000, "bytes", "an announcement has some 10,000", MAX_BYTES
)
SENTENCES = _stated(_FILES, "sentences for `jevons read`", 5000, "sentences", "an annual report has as many")
SENTENCE_CHARACTERS = _stated(_FILES, "sentence for `jevons read`", 1000, "characters", "longer ones are read in parts")
UNPACKED_RATIO = _stated(
    _FILES, "unpacked over stored size, beyond 100 MB", 250, "times", "such a file is made to fill memory", MAX_BYTES
)
PARQUET_FOOTER_BYTES = _stated(_FILES, "footer of a Parquet file", 4_000_000, "bytes", "it is read before any check")
PARQUET_CELL_BYTES = _stated(_FILES, "cell of a Parquet trace", 256, "bytes", "a time or a number has fewer")
NAME_BYTES = _stated(_FILES, "name of a file", 255, "bytes", "file systems take no more")

_LOADS = "Loads and simulation"
STREAMED_REQUESTS = _stated(
    _LOADS, "requests of one simulation", 10**9, "requests",
    "of constant, Poisson or gamma arrivals at one rate, served in turn by equal replicas; "
    "10⁸ took 99 s of one core and 0.6 GB",
)  # fmt: skip
REQUESTS = _stated(
    _LOADS, "requests of one simulation that are kept: of any other load", 200_000_000, "requests",
    "each is kept until the end, for exact percentiles: fewer where memory is short",
)  # fmt: skip
KEPT_REQUESTS = _stated(
    _LOADS, "requests beyond which those of a load that can be drawn in parts are not kept", 5_000_000, "requests",
    "percentiles are then of bins of 0.02 %, and no table has a row for each request",
)  # fmt: skip
UNANSWERED = _stated(
    _LOADS, "requests unanswered at once, of those not kept", 20_000_000, "requests", "each takes some 200 bytes"
)  # fmt: skip
REQUEST_BYTES = _stated(
    _LOADS, "memory of a simulated request that is kept", 250, "bytes", "a load that finds no room is refused"
)
REQUEST_TOKENS = _stated(_LOADS, "prompt or output of a request", 100_000_000, "tokens", "longer than any context")
BATCH = _stated(_LOADS, "requests running on a replica", 1 << 20, "requests", "step times are tabulated by batch")
STEP_TOKENS = _stated(_LOADS, "prompt tokens of one step", 1 << 17, "tokens", "step times are tabulated by tokens")
RUNNING_SLOTS = _stated(
    _LOADS, "requests running on all replicas of a fleet together", 20_000_000, "requests", "each takes some 80 bytes"
)
REPLICAS = _stated(_LOADS, "replicas", 100_000, "replicas", "each has a state of its own")
PRIORITIES = _stated(_LOADS, "different priorities", 256, "classes", "each has a queue of its own")
DRAFTS = _stated(_LOADS, "draft tokens per step", 16, "tokens", "engines take fewer")
CACHE_KEYS = _stated(_LOADS, "entries of all prefix caches together", 300_000_000, "blocks", "an entry takes 24 bytes")
SWEEP_RATES = _stated(_LOADS, "rates of `--sweep-rates`", 100, "rates", "each is a simulation")
RATE_STAGES = _stated(_LOADS, "stages of `--rate-stages`", 100, "stages", "a longer course is a trace")
BURSTS = _stated(_LOADS, "bursts of a load", 4_000_000, "bursts", "all are drawn before the first request")
TURNS = _stated(_LOADS, "turns of a conversation", 1000, "turns", "a prompt repeats all of them")
DRAWN_TURNS = _stated(
    _LOADS, "turns drawn beyond those kept", 50_000_000, "turns", "conversations that began before the load"
)
PROMPT_BLOCKS = _stated(_LOADS, "prompt blocks of a load", 100_000_000, "blocks", "each has a hash of 8 bytes")
SIMULATED_FAILURES = _stated(_LOADS, "failures of replicas", 10_000_000, "failures", "all are drawn before the start")
TIMELINE_BINS = _stated(_LOADS, "bins of a timeline", 100_000, "bins", "more than a picture shows")

_SIZING = "Sizing and training"
SIZE_RUNS = _stated(_SIZING, "simulations of a finalist", 100, "runs", "the interval narrows with the root of it")
REPLICA_TP = _stated(_SIZING, "tensor-parallel degree chosen unasked", 64, "accelerators", "domains are as large")
RUN_FAILURES = _stated(_SIZING, "failures of a training run", 200_000, "failures", "each is drawn, in every draw")
ROUTED = _stated(
    _SIZING,
    "engine instances whose addresses a router's command lists",
    256,
    "instances",
    "more are found by discovery",
)

_MODELS = "Models"
CONFIG_NUMBER = _stated(_MODELS, "a size in a `config.json`", 100_000_000, "elements", "above every published model")
LAYERS = _stated(_MODELS, "layers", 10_000, "layers", "above every published model")

_PLANS = "Scenarios and studies"
AMOUNT = _stated(_PLANS, "an amount", 10**18, "SI units", "a linear program would lose its digits")
ACCELERATORS = _stated(
    _PLANS, "accelerators of one kind: in service, on their way, or a quarter's supply", 10**8, "accelerators",
    "several times as many as have been sold of all kinds",
)  # fmt: skip
ADOPTERS = _stated(_PLANS, "adopters of a segment", 10**11, "users or firms", "more than there are people")
DAY_CALLS = _stated(
    _PLANS,
    "calls, or device-hours, of an adopter a day",
    10**9,
    "",
    "ten thousand a second, as of the largest services",
)
CALL_TOKENS = _stated(_PLANS, "input or output tokens of a call", 10**9, "tokens", "no context is nearly as long")
FACTOR = _stated(_PLANS, "a factor on efficiency, software or device-seconds", 10**6, "", "more than all gains so far")
DEVICE_PRICE = _stated(_PLANS, "the price of an accelerator", 10**12, "units of the currency", "above every price list")
UNIT_PRICE = _stated(
    _PLANS, "a price of a million tokens, an hour, a watt or a kilowatt-hour", 10**9, "units of the currency",
    "above every price list",
)  # fmt: skip
SITE_W = _stated(_PLANS, "power of a site", 10**13, "W", "more than all power stations of the world give")
YEARS_APART = _stated(
    _PLANS, "years between `as_of` and the start", 20, "years", "facts say nothing of times so far away"
)
YEARS_PAST_FACTS = _stated(
    _PLANS, "years from the newest fact on file to `as_of`", 3, "years", "prices and chips of then are unknown"
)
SWEEP_POINTS = _stated(_PLANS, "points of `jevons study sweep`", 100_000, "points", "each is a plan")
SQL_S = _stated(_PLANS, "time of `jevons study open --sql`", 20, "s", "a join may have no end")
SQL_BYTES = _stated(
    _PLANS, "memory of `jevons study open --sql`", 1_000_000_000, "bytes", "nothing is written to disk meanwhile"
)
SQL_ROWS = _stated(
    _PLANS, "rows that `jevons study open --sql` gives", 1_000_000, "rows", "each takes some 100 bytes a cell", MAX_ROWS
)

_ROWS = "Measured rows (`jevons validate`)"
CELL = _stated(_ROWS, "a number in a cell of serving rows", 10**9, "", "beyond it a printed figure is a mistake")
MEASURED = _stated(_ROWS, "a measured figure", 10**12, "", "beyond it a printed figure is a mistake")
ROW_DEVICES = _stated(_ROWS, "accelerators of a row", 100_000, "accelerators", "above every published run")
ROW_EXPERTS = _stated(_ROWS, "experts of an operator row", 100_000, "experts", "above every published model")
REPLAYED_TOKENS = _stated(_ROWS, "tokens of a replayed run", 1_000_000_000, "tokens", "a run then takes minutes")

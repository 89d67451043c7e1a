"""Wrong input: one clear message with place, value and remedy; exit 2 or 3; nothing written; no traceback."""

import json
import os
import re

import pytest

LLAMA = ("--model", "llama-3.1-8b")


def placed(expected, path):
    """Return a message in which ``s.yaml[TEXT]`` is the line and column where that text stands in the file."""

    def place(match):
        before = path.read_text(encoding="utf-8").partition(match[1])[0].split("\n")
        return f"s.yaml:{len(before)}:{len(before[-1]) + 1}:"

    return re.sub(r"s\.yaml\[(.+?)\]:", place, expected)


FILE_FAULTS = {
    "unknown key": (
        ("  ai_share", "  ai_shar"),
        "s.yaml[ai_shar:]: expansion.ai_shar: unknown field. Did you me",
    ),
    "missing key": (("  markup: 1.3\n", ""), "market: needs `markup`"),
    "wrong unit": (
        ("power: 1 MW", "power: 1 TB"),
        "s.yaml[power: 1 TB]: hardware.sites.north.power: unit `TB` ",
    ),
    "no unit": (("power: 1 MW", "power: 1"), "`1` has no unit; write it like `1 W`"),
    "negative price": (("input: 0.3", "input: -0.3"), "small.price.input: -0.3 CNY/Mtok: must be at least 0 CNY/Mtok"),
    "out of bounds": (("utilisation_cap: 0.7", "utilisation_cap: 70"), "utilisation_cap: 70: must be at most 1"),
    "date before facts": (("2025-02-24", "2024-01-01"), "`h20.price_cny` has no value on 2024-01-01: its first became"),
    "no date": (("2025-02-24", "soon"), "s.yaml[as_of]: as_of: needs the date"),
    "date and time": (("2025-02-24", "2025-02-24T10:00:00"), "needs the date"),
    "key twice": (
        ("  markup: 1.3", "  markup: 1.3\n  markup: 1.4"),
        "s.yaml[markup: 1.4]: market.markup: the key is g",
    ),
    "nan": (("markup: 1.3", "markup: .nan"), "s.yaml[.nan]: market.markup: `.nan` is not a finite number"),
    "overflow": (("markup: 1.3", "markup: 1e999"), "`1e999` is not a finite number"),
    "overflow with unit": (("power: 1 MW", "power: 1e999 MW"), "`1e999 MW` is not a finite number"),
    "huge integer": (("markup: 1.3", f"markup: {'9' * 400}"), "is not a finite number"),
    "text for number": (("quarters: 4", 'quarters: "4"'), 'quarters: "4": must be a whole number'),
    "words for number": (("markup: 1.3", "markup: lots"), "`lots` is not an amount; write a number"),
    "list for number": (("markup: 1.3", "markup: [1.3]"), "`[1.3]` is not an amount"),
    "no quarters": (("quarters: 4", "quarters: 0"), "s.yaml[quarters: 0]: quarters: 0: must be at least 2"),
    "many quarters": (("quarters: 4", "quarters: 1000"), "quarters: 1000: must be at most 40"),
    "no quarter": (("2025-Q1", "2025-Q5"), "s.yaml[start]: start: `2025-Q5` is not a quarter; write it like 2025-Q3"),
    "bad ban": (("2025-Q4", "Q4"), "ban_from: `Q4` is not a quarter"),
    "ban without date": (("      ban_from: 2025-Q4\n", ""), "`ban_probability` needs `ban_from`"),
    "unknown device": (
        ("    h20:\n", "    h21:\n"),
        "s.yaml[h21:]: hardware.devices.h21: unknown accelerator. Did you m",
    ),
    "unknown model": (
        ("qwen2.5-7b", "qwen2.5-8b"),
        "architecture: unknown model `qwen2.5-8b`. Did you mean `qwen2.5-7b`",
    ),
    "missing config": (("qwen2.5-7b", "config.json"), "serving.models.small.architecture: "),
    "unknown precision": (
        ("      most_devices: 2", "      precision: fp9"),
        "unknown precision `fp9`. Did you mean `fp8`",
    ),
    "unknown engine": (
        ("engine: sglang", "engine: sglng"),
        "serving.engine: unknown engine `sglng`. Did you mean `sglang`",
    ),
    "unknown segment model": (("model: small", "model: smal"), "`smal` is not in serving.models. Did you mean `small`"),
    "unknown prefix": (("site.china_north", "site.china_nort"), "no fact begins with `site.china_nort`. Did you mean"),
    "unknown fact": (("fact: h20.price_cny", "fact: h20.prise_cny"), "Did you mean `h20.price_cny`"),
    "fact of another unit": (("fact: h20.price_cny", "fact: h20.tdp_w"), "unit `W` does not measure"),
    "fact that is text": (("fact: l20.price_cny", "fact: l20.name"), "is text (`NVIDIA L20`), not a number"),
    "half a range": (("l20.price_cny", "l20.price_cny, low: 10000 CNY"), "give both `low` and `high`"),
    "low above mode": (("low: 4 MW", "low: 9 MW"), "low 9 MW, mode 6 MW, high 8 MW are not in rising order"),
    "negative low": (("low: 4 MW", "low: -4 MW"), "limit: low -4 MW: must be at least 0 W"),
    "no source": ((', source: "made up"', ""), "missing: source"),
    "empty source": (('source: "made up"', 'source: ""'), "must say in words where the range comes from"),
    "python tag": (
        ("markup: 1.3", 'markup: !!python/object/apply:os.system ["true"]'),
        "s.yaml[!!python]: market.markup: tag",
    ),
    "growth above wacc": (("wacc: 10 %", "wacc: 2 %"), "terminal_growth: reaches 0.03: must stay below cost.wacc"),
    "escape codes": (("markup: 1.3", 'markup: "\\e[31mred"'), "`\\x1b[31mred` is not an amount"),
    "not YAML": (("markup: 1.3", "markup: [1.3"), "is not valid YAML"),
    "two documents": (("study:", "---\nstudy:"), "found another document"),
    "beyond all size": (
        ("budget: 0.6 bn CNY", "budget: 1e300 CNY"),
        "budget: 1e300 CNY: must be at most 1e+18",
    ),
    "demand beyond all size": (
        ("calls_growth: 1.5", "calls_growth: 1e9"),
        "s.yaml[shops:]: market.segments.shops: asks for up to 1e18 calls a day",
    ),
    "more accelerators than there are": (
        ("installed: 300", "installed: 1e18"),
        "s.yaml[installed: 1e18]: hardware.devices.h20.installed: 1e+18: must be at most 1e+08 (is it a count",
    ),
    "devices past their life": (
        ("installed_age: 2 quarters", "installed_age: 30 quarters"),
        "s.yaml[installed_age: 30]: hardware.devices.h20.installed_age: 30 quarters: none of these devices stands",
    ),
    "more supply than there is": (
        ("supply: 400", "supply: 1e17"),
        "s.yaml[supply: 1e17]: hardware.devices.h20.supply: 1e+17: must be at most 1e+08 (is it a count",
    ),
    "no price of an accelerator": (
        ("low: 110000 CNY, high: 175000 CNY", "low: 110000 CNY, high: 1e15 CNY"),
        "hardware.devices.h20.price: high 1e15 CNY: must be at most 1e+12 CNY (is it the price of one?)",
    ),
    "no power of a site": (
        ("power: 1 MW", "power: 1e15 W"),
        "s.yaml[power: 1e15 W]: hardware.sites.north.power: 1e15 W: must be at most 1e+13 W in size",
    ),
    "no price of a token": (
        ("input: 0.3 CNY/Mtok", "input: 1e12 CNY/Mtok"),
        "price.input: 1e12 CNY/Mtok: must be at most 1e+09 CNY/Mtok in size; is it in the right unit?",
    ),
    "no tokens of a call": (
        ("input_tokens: 1500", "input_tokens: 1.5e18"),
        "s.yaml[input_tokens: 1.5e18]: market.segments.shops.input_tokens: 1.5e+18: must be at most 1e+09 (is it",
    ),
    "more adopters than people": (
        ("adopters: 2000000", "adopters: 2e17"),
        "market.segments.shops.adopters: 2e+17: must be at most 1e+11 (is it a count of users or firms?)",
    ),
    "elasticity beyond all size": (
        ("elasticity: -0.4", "elasticity: -100"),
        "s.yaml[elasticity: -100]: market.segments.shops.elasticity: -100: must be at least -20",
    ),
    "elasticity beyond all size once scaled": (
        ("elasticity: -0.4", "elasticity: -15"),
        "s.yaml[elasticity: -15]: market.segments.shops.elasticity: reaches -30 with market.elasticity_scale up to 2",
    ),
    "no margin": (("terminal_margin: 0.17", "terminal_margin: 0"), "finance.terminal_margin: 0: must leave a profit"),
    "all taxed": (
        ("tax: 0.18", "tax: 1"),
        "s.yaml[terminal_margin]: finance.terminal_margin: 0.17: must leave a profit",
    ),
    "start long ago": (("2025-Q1", "1900-Q1"), "s.yaml[start]: start: 1900-Q1: lies 125 years from as_of, 2025-02-24"),
    "one draw": (("draws: 0", "draws: 1"), "s.yaml[draws: 1]: study.draws: 1: one draw has no interval"),
    "low above high": (("low: 0.5, mode: 1.0, high: 2.0", "low: 2.0, mode: 1.0, high: 0.5"), "are not in rising order"),
    "no price": (
        ("      price: {input: 0.3 CNY/Mtok, cached: 0.3 CNY/Mtok, output: 0.6 CNY/Mtok}\n", ""),
        "s.yaml[small:]: serving.models.small: needs `price`",
    ),
    "alias without anchor": (
        ("markup: 1.3", "markup: *none"),
        "s.yaml[*none]: is not valid YAML: found undefined",
    ),
    "unknown correlation": (
        ("draws: 0", "draws: 0\n  correlations:\n    - {between: [market.markup, market.elasticity_scale], rank: 0.5}"),
        "s.yaml[{between]: study.correlations.0: `market.markup` is no uncertain amount",
    ),
}


@pytest.mark.parametrize("name", FILE_FAULTS)
def test_a_fault_of_the_file_is_one_message_with_its_place(jevons, scenario, tmp_path, name):
    change, expected = FILE_FAULTS[name]
    path = scenario(change)
    ran = jevons("plan", path, "--json", "--out", tmp_path / "out.json")
    assert (ran.code, ran.out) == (2, "")
    assert placed(expected, path) in ran.err
    assert ran.err.startswith(str(tmp_path / "s.yaml"))
    assert "\x1b" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["s.yaml"]


def test_all_faults_are_reported_in_file_order(jevons, scenario):
    ran = jevons("plan", scenario(("power: 1 MW", "power: 1 TB"), ("markup: 1.3", "markup: lots"), ("tax", "tacks")))
    lines = [int(line.split("s.yaml:")[1].split(":")[0]) for line in ran.err.splitlines()]
    assert len(lines) == 4  # the missing `tax` and the unknown `tacks` are two
    assert lines == sorted(lines)


IMPOSSIBLE = """draws: 0
  correlations:
    - {between: [market.elasticity_scale, serving.software_gain], rank: 0.9}
    - {between: [serving.software_gain, hardware.devices.h20.price], rank: 0.9}
    - {between: [market.elasticity_scale, hardware.devices.h20.price], rank: -0.9}"""


def test_impossible_correlations_are_refused_before_anything_runs(jevons, scenario):
    path = scenario(("draws: 0", IMPOSSIBLE))
    ran = jevons("plan", path)
    assert ran.code == 2
    assert placed("s.yaml[correlations]: study.correlations: no joint distribution", path) in ran.err


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ([("budget: 0.6 bn CNY", "budget: 0 CNY")], "Binding limits: budget."),
        ([("supply: 400", "supply: 0"), ("supply: 200", "supply: 0")], "Binding limits: chip supply."),
        ([("devices: 100", "devices: 10000000")], "training reserve"),
    ],
    ids=["budget", "supply", "training"],
)
def test_no_feasible_plan_exits_3_and_names_the_limit(jevons, scenario, tmp_path, changes, limit):
    ran = jevons("plan", scenario(*changes), "--json", "--out", tmp_path / "out.json")
    assert (ran.code, ran.out) == (3, "")
    assert limit in ran.err
    assert "Binding limits: " in ran.err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize("command", ["plan", "value"])
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.mkdir(), "is a folder"),
        (lambda p: p.write_bytes(bytes(range(256))), "is not UTF-8 text"),
        (lambda p: p.write_text("a: " + "x" * 5_000_000), "at most so many are read"),
        (lambda p: p.write_text(""), "is empty"),
        (lambda p: p.write_text("- a\n"), "must be a mapping of sections"),
        (lambda p: p.write_text("as_of: 2025-02-24\n"), "needs `hardware`"),
        (lambda p: p.write_text("a: " + "[" * 100_000), "is nested more than"),
        (lambda p: p.write_text("a: [" + "1," * 300_000 + "1]"), "has too many entries"),
        (lambda p: p.write_text("a: &a [*a, *a]"), "aliases that multiply"),
        (lambda p: p.write_text("x: &x {b: 1}\na:\n  <<: *x\n"), "merging with `<<` is not supported"),
    ],
)
def test_files_that_are_no_scenario(jevons, tmp_path, command, make, expected):
    path = tmp_path / "s.yaml"
    make(path)
    ran = jevons(command, path)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err
    assert ran.err.startswith(str(path))


def test_a_file_without_an_end_is_not_read_to_its_end(jevons):
    assert "is a device, not a file" in jevons("plan", "/dev/zero").err


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("none/out.json", "does not exist; create it first"),
        ("out.txt", "the ending must be .json, .csv, .parquet, .xlsx, .html, .zip or .nc"),
        ("folder.json", "is a folder, not a file; name a file in it"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_the_work(jevons, scenario, tmp_path, out, expected):
    (tmp_path / "folder.json").mkdir()
    ran = jevons("plan", scenario(("budget: 0.6 bn CNY", "budget: 0 CNY")), "--out", tmp_path / out)
    assert ran.code == 2  # not 3: the plan was not begun
    assert expected in ran.err


def test_a_read_only_file_is_not_replaced(jevons, scenario, tmp_path, monkeypatch):
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    monkeypatch.setattr(
        os, "access", lambda path, mode: mode != os.W_OK or path != kept
    )  # the superuser may write anywhere
    ran = jevons("plan", scenario(), "--out", kept)
    assert (ran.code, kept.read_text()) == (2, "mine")
    assert "the file is read-only; name another" in ran.err


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("2024-09,2e9\n", ":3: 2 cells under 3 columns; give one cell for each"),
        ("2024-09,2e9,1,7,8\n", ":3: 5 cells under 3 columns"),
        ("2024-01,2e9,1\n", "does not come after 2024-05-31"),
        ("2024-09,-2e9,1\n", "tokens_per_day `-2e9` is not a number above 0"),
        ("2024-09,nan,1\n", "tokens_per_day `nan` is not a number above 0"),
        ("", "1 row; growth needs two dates or more"),
    ],
)
def test_bad_histories(jevons, tmp_path, rows, expected):
    path = tmp_path / "h.csv"
    path.write_text(f"date,tokens_per_day,price\n2024-05,1e9,1\n{rows}")
    ran = jevons("study", "growth", path, "--json", "--out", tmp_path / "out.json")
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}" in ran.err
    assert expected in ran.err
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("date,price", ":1: no column tokens_per_day; a history needs"),
        ("date,tokens_per_day,price,price", ":1: column price is there twice; keep one"),
    ],
)
def test_a_history_without_its_columns(jevons, tmp_path, head, expected):
    path = tmp_path / "h.csv"
    path.write_text(f"{head}\n")
    assert expected in jevons("study", "growth", path).err


def test_a_history_beyond_what_floats_hold_has_no_yearly_pace(jevons, tmp_path):
    path = tmp_path / "h.csv"
    path.write_text("date,tokens_per_day,price\n2024-05,1,1\n2024-06,1e308,1\n")
    assert jevons("study", "growth", path).code == 0


def test_a_plan_of_half_a_year_is_valued(jevons, scenario):
    ran = jevons("plan", scenario(("quarters: 4", "quarters: 2")), "--json")
    assert ran.code == 0
    assert len(json.loads(ran.out)["quarters"]) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_refused(jevons, scenario, tmp_path):
    (tmp_path / "kept").mkdir(mode=0o500)
    assert "cannot be written" in jevons("plan", scenario(), "--out", tmp_path / "kept" / "o.json").err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("plan", "TINY", "--as-of", "never"), 2, "--as-of never: not a date; write it like 2025-02-24"),
        (("plan", "TINY", "--draws", "-1"), 2, "--draws"),
        (("plan", "TINY", "--draws", "1"), 2, "--draws 1: one draw has no interval"),
        (("plan", "TINY", "--seed", "x"), 2, "--seed"),
        (("value", "TINY", "--from", "yesterday"), 2, "--from yesterday: not a date; write it like 2025-02-24"),
        (("value", "TINY", "--to", "2025-02-30"), 2, "--to 2025-02-30: not a date"),
        (
            ("value", "TINY", "--from", "2025-01-15"),
            2,
            "--from 2025-01-15: no enterprise value is on file for that day; give --from 2024-12-31",
        ),
        (("value", "TINY", "--out", "x.txt"), 2, "the ending must be .json, .csv, .parquet, .xlsx, .html or .zip"),
        (("study", "montecarlo", "TINY", "--draws", "1"), 2, "--draws 1: must be at least 2"),
        (("study", "montecarlo", "TINY", "--draws", "-1"), 2, "--draws -1: must be at least 2"),
        (("plan", "TINY", "--explain", "nope"), 2, "no figure `nope`"),
        (("plan", "TINY", "--bogus"), 2, "No such option"),
        (("bogus",), 2, "No such command"),
        (("size",), 2, "--model"),
        (("size", "--model", "nope"), 2, "unknown model `nope`"),
        (("size", *LLAMA, "--gpu", "h1000"), 2, "unknown accelerator `h1000`. Did you mean `h100_sxm`"),
        (("size", *LLAMA, "--engine", "vlm"), 2, "unknown engine `vlm`. Did you mean `vllm`"),
        (("size", *LLAMA, "--precision", "fp9"), 2, "--precision fp9: unknown. Did you mean `fp8`"),
        (("size", *LLAMA, "--gpus", "0"), 2, "--gpus"),
        (("size", *LLAMA, "--rate", "nan"), 2, "--rate"),
        (("size", *LLAMA, "--rate", "inf"), 2, "--rate"),
        (("size", *LLAMA, "--tpot", "nan"), 2, "--tpot"),
        (("size", *LLAMA, "--isl", "200000"), 2, "exceed the longest context of llama-3.1-8b, 131,072"),
        (("size", *LLAMA, "--gpu-hour", "2"), 2, "--gpu-hour 2: write an amount above 0 and a currency"),
        (("size", *LLAMA, "--gpu-hour", "-2 USD"), 2, "--gpu-hour -2 USD"),
        (("size", *LLAMA, "--gpu-hour", "nan USD"), 2, "--gpu-hour nan USD"),
        (("size", *LLAMA, "--gpu-hour", "2 XXX"), 2, "the currency one of CNY, USD"),
        (("size", *LLAMA, "--as-of", "2020-01-01"), 2, "its first became public on 2022"),
        (("size", *LLAMA, "--out", "x.doc"), 2, "the ending must be .json"),
        (("size", *LLAMA, "--tpot", "0.000001"), 3, "Binding limits: "),
        (("size", *LLAMA, "--tp", "3"), 3, "layouts with tp = 3 of llama-3.1-8b"),
        (("buy-rent-api", "--model", "phi-4"), 2, "--api: no API's price of phi-4 is on file. Give the prices"),
        (("cost", "--gpu", "h20", "--currency", "GBX"), 2, "--currency GBX: unknown"),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--api", "deepseek.reasonr"),
            2,
            "--api deepseek.reasonr: unknown. Did you mean",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--api", "qwen.max,qwen.plus"),
            2,
            "one API is compared",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--tokens-per-day", "0"),
            2,
            "--tokens-per-day 0: write a number from 0.001 on, such as 57M",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--tokens-per-day", "many"),
            2,
            "--tokens-per-day many: write a number from 0.001 on",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--tokens-per-day", "1M", "--rate", "1"),
            2,
            "both state the load",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--rent", "6 CNY"),
            2,
            "--rent 6 CNY: name the device, such as 'h20=6 CNY'",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--rent", "h20=cheap"),
            2,
            "--rent cheap: write an amount above 0 and a currency",
        ),
        (("buy-rent-api", "--model", "deepseek-r1", "--years", "0"), 2, "--years 0: must be from 0.1 to 30"),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--utilisation", "1.5"),
            2,
            "--utilisation 1.5: must be from 0.001 to 1",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--availability", "0"),
            2,
            "--availability 0: must be from 0.01 to 1",
        ),
        (("buy-rent-api", "--model", "deepseek-r1", "--staff", "-1"), 2, "--staff -1: must be from 0"),
        (("buy-rent-api", "--model", "deepseek-r1", "--cached", "1"), 2, "--cached 1: must be from 0 to 0.999"),
        (("buy-rent-api", "--model", "deepseek-r1", "--price-cut", "nan"), 2, "--price-cut"),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--price-cut", "1"),
            2,
            "--price-cut 1: must be from 0 to 0.99",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--as-of", "2025-01-10", "--gpu", "h20"),
            2,
            "api.deepseek.reasoner has no list price on 2025-01-10",
        ),
        (
            ("buy-rent-api", "--model", "deepseek-r1", "--gpu", "mi355x", "--purchase-price", "30k USD"),
            2,
            "--purchase-price 30k USD",
        ),
        (("buy-rent-api", *LLAMA, "--shops", "3"), 2, "--shops 3: has no effect without --preset"),
        (("buy-rent-api", "--preset", "restaurnt"), 2, "--preset restaurnt: unknown. Did you mean `restaurant`"),
        (("buy-rent-api", "--preset", "restaurant", "--shops", "0"), 2, "--shops"),
        (("buy-rent-api", "--preset", "web-shop", "--api", "nope.nope"), 2, "--api nope.nope: unknown."),
        (("size", *LLAMA, "--gpu", "h20,h1000"), 2, "unknown accelerator `h1000`"),
        (("size", *LLAMA, "--percentile", "p42"), 2, "--percentile p42: unknown. Known: mean, p50"),
        (("size", *LLAMA, "--ttft", "0"), 2, "--ttft 0: must be above 0 s"),
        (("size", *LLAMA, "--e2e", "-1"), 2, "--e2e"),
        (("size", *LLAMA, "--rate", "3", "--cv", "0"), 2, "--cv 0: must be from 0.01"),
        (("size", *LLAMA, "--concurrency", "-1"), 2, "--concurrency"),
        (("size", *LLAMA, "--concurrency", "8", "--rate", "1"), 2, "--concurrency with --rate or --trace"),
        (("size", *LLAMA, "--trace", "nowhere.csv"), 2, "nowhere.csv"),
        (("size", *LLAMA, "--runs", "0"), 2, "--runs"),
        (("size", *LLAMA, "--requests", "5"), 2, "--requests"),
        (("size", *LLAMA, "--max-num-seqs", "0"), 2, "--max-num-seqs"),
        (("size", *LLAMA, "--kv-precision", "fp3"), 2, "fp3"),
        (("size", *LLAMA, "--think", "nan"), 2, "--think"),
        (("size", *LLAMA, "--budget", "much"), 2, "--budget much: write an amount above 0 and a currency"),
        (("size", *LLAMA, "--budget", "0 CNY"), 2, "--budget 0 CNY: write an amount above 0"),
        (("size", *LLAMA, "--plot", "x.gif"), 2, "--plot x.gif: the ending must be .svg, .png or .pdf"),
        (("size", *LLAMA, "--gpu-hour", "h20=2 USD"), 2, "--gpu-hour h20=…: is none of the devices asked for"),
        (("size", *LLAMA, "--gpu-hour", "2 USD,3 USD"), 2, "with several prices, say of which device"),
        (
            ("size", *LLAMA, "--rate", "1e6", "--static", "--gpus", "64"),
            3,
            "% above --gpus 64; the limit carries about",
        ),
        (
            ("size", *LLAMA, "--rate", "50", "--static", "--budget", "1k CNY"),
            3,
            "above --budget 1,000 CNY; the limit carries",
        ),
        (("size", *LLAMA, "--rate", "1", "--ttft", "0.001"), 3, "The least time to first token of all is"),
        (("size", *LLAMA, "--rate", "1", "--e2e", "0.1"), 3, "The least time of the whole answer of all is"),
        (("size", "--model", "llama-3.1-405b", "--max-replica-gpus", "1"), 3, "Binding limits: device memory"),
        (("cost", "--site", "site.nope"), 2, "--site site.nope: unknown."),
        (("cost", "--utilisation", "0"), 2, "--utilisation"),
        (("cost", "--utilisation", "nan"), 2, "--utilisation"),
        (("cost", "--gpu-hour", "2 USD"), 2, "name a --model too"),
        (("cost", "--tpot", "30ms"), 2, "--tpot: has no effect without --model; add it"),
        (("cost", "--engine", "sglang"), 2, "--engine: has no effect without --model; add it"),
        (("cost", *LLAMA, "--gpu-hour", " "), 2, "--gpu-hour: is empty; give a value or omit it"),
        (("cost", "--gpu", "a10g", "--as-of", "2023-07-01"), 2, "too few to estimate it from; give --purchase-price"),
        (("train", *LLAMA, "--tokens", "0"), 2, "--tokens 0: write a number above 0"),
        (("train", *LLAMA, "--tokens", "1e999T"), 2, "--tokens 1e999T"),
        (("train", *LLAMA, "--tokens", "many"), 2, "--tokens many"),
        (("train", *LLAMA, "--precision", "int8"), 2, "--precision int8: must be one of bf16"),
        (("train", *LLAMA, "--gpu", "a100", "--precision", "fp8"), 2, "does not multiply in `fp8`. Use bf16."),
        (("train", "--model", "llama-3.1-405b", "--gpus", "8"), 3, "Binding limits: device memory"),
        (("train", *LLAMA, "--gpus", "64", "--tp", "64"), 3, "tp = 64"),
        (("facts", "list", "nope"), 2, "no fact begins with `nope`"),
        (("facts", "list", "h20.", "--as-of", "1990-01-01"), 2, "was public then"),
        (("facts", "show", "h20.price_cn"), 2, "Did you mean `h20.price_cny`"),
        (("facts", "show", "h20.price_cny", "--as-of", "2023-01-01"), 2, "first became public on 2024-02-01"),
        (("facts", "search", "qqqq"), 2, "no fact has all of `qqqq`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_options(jevons, scenario, arguments, code, expected):
    ran = jevons(*(scenario() if a == "TINY" else a for a in arguments))
    assert ran.code == code
    assert expected in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"model_type": "foonet", "architectures": ["FooNet"]}', "model_type: unknown architecture"),
        ("{", "c.json:1:2: is not JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("[]", "must be a JSON object"),
        ('{"model_type": "llama", "hidden_size": -1}', "hidden_size: -1: must lie between"),
        ('{"model_type": "llama", "hidden_size": "4096"}', "hidden_size: '4096': must be a whole number"),
    ],
)
def test_bad_configs(jevons, tmp_path, text, expected):
    path = tmp_path / "c.json"
    path.write_text(text)
    ran = jevons("models", "show", path)
    assert (ran.code, ran.out) == (2, "")
    assert expected in ran.err
    assert len(set(ran.err.splitlines())) == len(ran.err.splitlines())


@pytest.mark.slow
def test_a_config_beside_the_scenario_is_found_from_anywhere(jevons, scenario, tmp_path, monkeypatch):
    from jevons import models

    shipped = models.library._CONFIGS / "qwen2.5-7b.json"
    (tmp_path / "mine.json").write_text(shipped.read_text())
    path = scenario(("architecture: qwen2.5-7b", "architecture: mine.json"))
    monkeypatch.chdir("/")
    mine = json.loads(jevons("plan", path, "--json").out)
    theirs = json.loads(jevons("plan", scenario(), "--json").out)
    assert mine["cost_per_mtok"]["small"] == theirs["cost_per_mtok"]["small"]


def test_an_address_of_the_web_is_refused_by_read(jevons):
    result = jevons("read", "https://example.com/news")
    assert result.code == 2
    assert "pages are not fetched" in result.err


@pytest.mark.parametrize("way", ["same", "link", "hard link", "dots"])
@pytest.mark.parametrize("command", ["trace", "measured", "model", "history", "folder"])
def test_a_file_that_a_command_reads_is_not_written_over(jevons, tmp_path, command, way):
    """Found by an audit: the check asked click for the running command, which typer no longer runs by."""
    contents = {
        "trace": ("t.csv", "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,3\n1.5,20,4\n"),
        "measured": ("b.json", '{"request_rate": 2, "mean_ttft_ms": 20}'), "model": ("config.json", "{}"),
        "history": ("h.csv", "date,tokens_per_day,price,users\n2024-05,1e9,2,1\n"), "folder": ("runs/b.json", "{}"),
    }  # fmt: skip
    name, text = contents[command]
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text(text)
    out = {"same": own, "dots": own.parent / ".." / own.parent.name / own.name}.get(way, tmp_path / f"o{own.suffix}")
    if way == "link":
        out.symlink_to(own)
    elif way == "hard link":
        out.hardlink_to(own)
    words = {
        "trace": ("simulate", "--model", "qwen3-0.6b", "--trace", own), "history": ("study", "growth", own),
        "measured": ("simulate", "--model", "qwen3-0.6b", "--measured", own), "model": ("models", "show", own),
        "folder": ("validate", own.parent if way in {"same", "dots"} else own),
    }[command]  # fmt: skip
    ran = jevons(*map(str, words), "--out", str(out))
    assert (ran.code, ran.out) == (2, "")
    assert "the command reads this file; name another; to replace it, give --force" in ran.err
    assert own.read_text() == text


def test_a_file_that_a_load_file_names_is_not_written_over(jevons, tmp_path):
    own, load = tmp_path / "t.csv", tmp_path / "load.yaml"
    own.write_text(text := "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,10,3\n1.5,20,4\n")
    load.write_text("requests: 20\nrate: 1\nclasses:\n  - {name: chat, lengths_from: t.csv}\n")
    words = ("simulate", "--model", "qwen3-0.6b", "--load", str(load), "--out")
    refused = jevons(*words, str(own))
    assert (refused.code, refused.out) == (2, "")
    assert "t.csv: the command reads this file; name another; to replace it, give --force" in refused.err
    assert own.read_text() == text
    assert jevons(*words, str(tmp_path / "o.csv")).code == 0
    assert jevons(*words, str(own), "--force").code == 0

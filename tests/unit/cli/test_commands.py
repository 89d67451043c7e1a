"""Each command as its user runs it: one JSON object, tables, files, streams, exit codes."""

import csv
import json
import os
import re
import subprocess
import sys

import pytest

from draws import some
from jevons.study.plan import run

LLAMA = ("--model", "llama-3.1-8b")


@pytest.fixture(scope="module", autouse=True)
def _planned_once():
    """Plan each scenario once: these tests look at how a plan is printed and written."""
    real, plans = run.plan, {}

    def plan(scenario, **options):
        key = repr(scenario), repr({name: value for name, value in options.items() if name != "progress"})
        if key not in plans:
            plans[key] = real(scenario, **options)
        return plans[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "plan", plan)
        yield


def test_help_lists_the_commands():
    done = subprocess.run([sys.executable, "-m", "jevons", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_help_imports_nothing_heavy():
    code = "import sys, jevons.cli; print([m for m in ('numpy', 'numba', 'scipy', 'pydantic', 'xarray', 'matplotlib', \
'polars', 'ruamel.yaml', 'highspy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(jevons):
    assert jevons("--version").out.startswith("jevons ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("facts", "list", "h20."),
        ("facts", "show", "h20.price_cny"),
        ("facts", "search", "elasticity"),
        ("models", "list"),
        ("models", "show", "qwen3-8b"),
        ("cost",),
        ("cost", *LLAMA, "--gpu", "h20", "--gpu-hour", "8 CNY"),
        ("size", *LLAMA, "--gpus", "4"),
        ("train", *LLAMA, "--gpus", "64"),
    ],
    ids=" ".join,
)
def test_json_is_one_object_and_nothing_goes_to_stderr(jevons, arguments):
    ran = jevons(*arguments, "--json")
    assert ran.code == 0, ran.err
    assert isinstance(json.loads(ran.out), dict)
    assert ran.err == ""


@pytest.mark.parametrize("command", [("op", "memory"), ("cost",), ("train", "--gpus", "8")], ids=" ".join)
def test_a_model_may_stand_without_its_flag(jevons, command):
    flagged, bare = jevons(*command, *LLAMA, "--json"), jevons(*command, LLAMA[1], "--json")
    assert (bare.code, bare.out) == (0, flagged.out)
    both = jevons(*command, "qwen3-8b", *LLAMA)
    assert both.code == 2
    assert both.err.splitlines()[-1] == "--model llama-3.1-8b: the line also names qwen3-8b; give one model"


@pytest.mark.parametrize("command", [("size",), ("cost",), ("op", "memory")], ids=" ".join)
def test_an_accelerator_in_a_models_place_is_told(jevons, command):
    ran = jevons(*command, "h20")
    assert ran.code == 2
    assert ran.err.splitlines()[-1] == "h20: is an accelerator, not a model; write --gpu h20"


def test_plan_json_has_the_promised_keys(jevons, scenario):
    ran = jevons("plan", scenario(), "--json")
    assert ran.err == ""
    found = json.loads(ran.out)
    assert {"fleet", "tokens_per_day", "price_per_mtok", "cash", "value", "jevons", "residual"} <= set(found)
    assert {"elasticity", "loop_gain", "probability"} <= set(found["jevons"])
    assert found["quarters"] == ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"]
    assert len(found["tokens_per_day"]["total"]) == 4
    assert found["residual"] < 0.05


def test_size_json_has_the_promised_keys(jevons):
    found = json.loads(jevons("size", *LLAMA, "--rate", "20", "--gpu-hour", "2USD", "--json").out)
    for entry in (found["best"], *found["pareto"]):
        assert {"layout", "accelerators", "ttft_s", "tpot_s", "cost_per_mtok"} <= set(entry)
        assert {"tp", "pp", "ep", "dp"} <= set(entry["layout"])
        assert entry["tpot_s"] <= 0.05
        assert entry["req_per_s_at_most"] >= 20
        spent = 2 / 3600 * entry["accelerators"]
        assert entry["cost_per_mtok"] == pytest.approx(spent / (20 * 2500) * 1e6)
    assert found["best"]["accelerators"] == min(e["accelerators"] for e in (found["best"], *found["pareto"]))


def test_train_json_has_the_promised_keys(jevons):
    found = json.loads(jevons("train", *LLAMA, "--gpus", "64", "--tokens", "100B", "--gpu-hour", "2 USD", "--json").out)
    assert {"layout", "step_time_s", "mfu_frac", "memory_bytes", "days", "cost"} <= set(found)
    assert 0 < found["mfu_frac"] < 1
    assert found["days_without_failures"] == pytest.approx(100e9 / found["tokens_per_s"] / 86400)
    assert found["days"] == pytest.approx(found["days_without_failures"] / found["run"]["goodput_frac"])
    assert found["accelerator_h"] == pytest.approx(64 * 24 * found["days"])
    assert found["cost"] == pytest.approx(2 * found["accelerator_h"])


def test_model_json_has_the_promised_keys(jevons):
    found = json.loads(jevons("models", "show", "llama-3.1-8b", "--json").out)
    assert found["parameters_total"] == 8_030_261_248
    assert found["kv_bytes_per_token"] == 2 * 2 * 32 * 8 * 128
    assert found["flop_per_token"] == pytest.approx(2 * found["parameters_active"], rel=1e-3)  # norms multiply nothing
    assert found["parameters_active"] < found["parameters_total"]


def test_a_fixed_layout_is_kept(jevons):
    found = json.loads(jevons("size", *LLAMA, "--tp", "2", "--pp", "1", "--json").out)
    assert all(e["layout"]["tp"] == 2 and e["layout"]["pp"] == 1 for e in (found["best"], *found["pareto"]))
    found = json.loads(jevons("train", *LLAMA, "--gpus", "64", "--tp", "2", "--json").out)
    assert found["layout"]["tp"] == 2


def test_an_hour_has_a_price_by_default(jevons):
    hour = json.loads(jevons("cost", "--gpu", "h20", "--json").out)
    found = json.loads(jevons("size", *LLAMA, "--gpu", "h20", "--json").out)
    assert found["hour_price"]["amount"] == pytest.approx(hour["per_hour"])
    assert (hour["currency"], found["hour_price"]["currency"]) == ("USD", "USD")
    assert sum(hour["parts_per_h"].values()) == pytest.approx(hour["per_hour"])
    assert sum(hour["parts_cny_per_h"].values()) == pytest.approx(7.25 * hour["per_hour"], rel=0.02)


def test_the_date_changes_what_is_visible(jevons):
    early = json.loads(jevons("facts", "show", "h20.price_cny", "--as-of", "2024-06-01", "--json").out)
    late = json.loads(jevons("facts", "show", "h20.price_cny", "--as-of", "2024-12-01", "--json").out)
    assert len(early["values"]) < len(late["values"])
    assert early["current"]["value"] != late["current"]["value"]


def test_value_prints_what_the_price_assumes(jevons, scenario):
    ran = jevons("value", scenario(), "--json")
    found = json.loads(ran.out)
    assert found["equity"] == pytest.approx(sum(found["bridge"].values()))
    assert len(found["iso_price_surface"]) > 5


def test_dry_run_names_the_origin_of_every_value(jevons, scenario):
    found = json.loads(jevons("plan", scenario(), "--dry-run", "--json").out)
    by_path = {entry["path"]: entry for entry in found["resolved"]}
    assert by_path["hardware.devices.h20.price"]["origin"] == "h20.price_cny"
    assert by_path["hardware.sites.north.tariff"]["origin"] == "site.china_north.tariff_cny_per_kwh"
    assert by_path["serving.models.small.tpot"]["origin"] == "default"
    assert by_path["serving.engine"] == {"path": "serving.engine", "value": "sglang", "origin": "given"}


def test_dry_run_shows_and_checks_what_set_changes(jevons, scenario):
    changed = ("plan", scenario(), "--dry-run", "--json", "--set")
    found = json.loads(jevons(*changed, "hardware.devices.h20.installed=7").out)
    assert next(one["value"] for one in found["resolved"] if one["path"] == "hardware.devices.h20.installed") == 7
    assert "must be at least 0" in jevons(*changed, "hardware.devices.h20.installed=-5").err


def test_explain_prints_the_tree_down_to_the_facts(jevons, scenario):
    ran = jevons("plan", scenario(), "--explain", "cost.h20.per_h")
    assert ran.out.startswith("cost.h20.per_h = ")
    assert "    h20.price_cny = 150000 CNY" in ran.out


def test_a_plan_prints_its_answer_and_a_dozen_lines(jevons, scenario):
    out = jevons("plan", scenario()).out
    assert out.startswith("A small cloud: ")
    assert len(out.splitlines()) < 30
    assert "The Jevons verdict" in jevons("plan", scenario(), "--detail").out


@pytest.mark.parametrize("form", ["csv", "md", "json"])
def test_a_plan_prints_in_every_form(jevons, scenario, form):
    ran = jevons("plan", scenario(), "--format", form)
    assert ran.code == 0, ran.err
    if form == "json":
        assert json.loads(ran.out)["answer"].startswith("A small cloud: ")
    assert "Market and planner converged" not in ran.out


@pytest.mark.parametrize("ending", ["html", "json"])
def test_plan_writes_the_file_and_still_prints(jevons, scenario, tmp_path, ending):
    out = tmp_path / f"plan.{ending}"
    ran = jevons("plan", scenario(), "--out", out)
    assert ran.code == 0, ran.err
    assert ran.err == f"wrote {out}\n"
    assert "Compute demand, long run" in ran.out
    text = out.read_text()
    assert json.loads(text)["fleet"] if ending == "json" else text.lstrip().lower().startswith("<!doctype html")


def test_plan_writes_a_labelled_dataset(jevons, scenario, tmp_path):
    pytest.importorskip("h5py", reason="netCDF files need h5py")
    import xarray

    out = tmp_path / "plan.nc"
    assert jevons("plan", scenario(), "--out", out).code == 0
    with xarray.open_dataset(out, engine="h5netcdf") as held:
        assert held["it_w"].attrs["units"] == "W"
        assert list(held["quarter"].values) == ["2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"]


def test_records_are_written_as_csv(jevons, tmp_path):
    out = tmp_path / "facts.csv"
    jevons("facts", "list", "h20.", "--out", out)
    assert {"id", "value", "unit", "source"} <= set(next(csv.reader(out.read_text().splitlines())))
    refused = jevons("size", *LLAMA, "--out", out)
    assert (refused.code, "which are not those to be written" in refused.err) == (2, True)
    jevons("size", *LLAMA, "--out", out, "--force")
    assert {"words", "cost_per_mtok"} <= set(next(csv.reader(out.read_text().splitlines())))


@pytest.mark.parametrize("width", some([60, 80, 100, 150]))
def test_tables_keep_to_the_width_and_never_cut_a_number(jevons, scenario, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", "400")
    wide = jevons("plan", scenario(("quarters: 4", "quarters: 12")), "--detail").out
    monkeypatch.setenv("COLUMNS", str(width))
    ran = jevons("plan", scenario(("quarters: 4", "quarters: 12")), "--detail")
    tables = ran.out.split("\n\n", 1)[1].split("Market and planner")[0]
    assert max(map(len, tables.splitlines())) <= width
    assert "…" not in tables
    numbers = wide[wide.index("Site power built") :].splitlines()[0].split("MW")[1].split()
    assert len(numbers) == 12
    assert all(number in ran.out for number in numbers)


def test_every_line_of_a_plan_has_a_unit(jevons, scenario, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = jevons("plan", scenario(), "--detail").out
    for line in ("All accelerators +thousand", "IT power of all accelerators +MW", "Utilisation +%", "CNY/Mtok",
                 "CNY cents", "All segments +billion", "EBITA, AI +bn CNY"):  # fmt: skip
        assert re.search(line, out), line


def test_no_color_means_no_escapes(jevons, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in jevons("cost").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in jevons("cost").out


@pytest.mark.parametrize("arguments", some([("facts", "list"), ("facts", "list", "--json"), ("models", "list")]))
def test_a_reader_that_leaves_is_no_error(arguments):
    with subprocess.Popen(
        [sys.executable, "-m", "jevons", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        running.stdout.read(1)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait() == 0


def test_output_is_utf_8_whatever_the_locale():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "jevons", "cost"], capture_output=True, env=environment, check=True)
    assert "───" in done.stdout.decode("utf-8")


@pytest.mark.slow
def test_compare_and_presets_print_one_object_with_the_promised_keys(jevons, tmp_path):
    r1 = ("buy-rent-api", "--model", "deepseek-r1", "--gpu", "h200", "--max-replica-gpus", "8", "--as-of", "2025-02-28")
    ran = jevons(*r1, "--tokens-per-day", "57M", "--json", "--plot", tmp_path / "c.svg")
    found = json.loads(ran.out)
    assert ran.err == f"wrote {tmp_path / 'c.svg'}\n"
    assert (tmp_path / "c.svg").read_text().startswith("<svg")
    assert found["output_tok_per_d"] == 57e6
    for entry in (found["best"], *found["pareto"]):
        assert {"layout", "accelerators", "latency", "cost"} <= set(entry)
    assert found["bare_break_even_tok_per_d_of_a_million_cny"] == pytest.approx(57e6, rel=0.01)
    by_rate = json.loads(jevons(*r1, "--rate", "1", "--json").out)
    assert by_rate["output_tok_per_d"] == 500 * 86_400
    shop = json.loads(jevons("buy-rent-api", "--preset", "web-shop", "--static", "--as-of", "2025-02-28", "--json").out)
    assert {"per_call_cny", "per_shop_month_cny"} <= set(shop["best"])


def test_size_prices_each_device_and_keeps_a_budget(jevons):
    ran = jevons(
        "size", *LLAMA, "--gpu", "h20,h100", "--max-replica-gpus", "1", "--rate", "20", "--static",
        "--budget", "1M CNY", "--gpu-hour", "h20=8 CNY,h100=2 USD", "--json",
    )  # fmt: skip
    found = json.loads(ran.out)
    assert {e["gpu"] for e in found["entries"]} == {"h20", "h100_sxm"}
    assert {e["currency"] for e in found["entries"]} == {"USD"}
    assert all(e["cost_per_h"] * 730.5 * 7.2 <= 1e6 for e in found["entries"])


def test_a_line_that_starts_a_training_is_an_argument_of_the_command(tmp_path):
    """It was taken for the name of a file, and refused before it was read."""
    line = (
        "tune run --nproc_per_node 8 lora_finetune_distributed --config qwen3/0.6B_lora tokenizer.max_seq_len=2048 "
        "gradient_accumulation_steps=1"
    )
    command = [sys.executable, "-m", "jevons", "train", "--gpu", "h100_sxm", "--json", "--config"]
    done = subprocess.run([*command, line], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["fits"] is True
    refused = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (refused.returncode, "is a folder or device, not a file" in refused.stderr) == (2, True)

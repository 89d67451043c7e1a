"""Small outputs compared with kept text; `pytest tests/golden --refresh-golden` writes them anew."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KEPT = Path(__file__).parent / "kept"
CASES = {
    "facts-show": ("facts", "show", "h20.hbm_bytes_per_s"),
    "facts-show-json": ("facts", "show", "h20.price_cny", "--as-of", "2025-02-24", "--json"),
    "models-show": ("models", "show", "llama-3.1-8b"),
    "models-show-json": ("models", "show", "deepseek-v3", "--json"),
    "size": (
        "size",
        "--model",
        "llama-3.1-8b",
        "--gpu",
        "h20",
        "--max-replica-gpus",
        "2",
        "--rate",
        "10",
        "--gpu-hour",
        "8 CNY",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_output_is_the_kept_one(name, request):
    environment = {**os.environ, "COLUMNS": "150", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "jevons", *CASES[name]], capture_output=True, text=True, env=environment, check=True
    )
    found = "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())
    path = KEPT / f"{name}.txt"
    if request.config.getoption("--refresh-golden"):
        KEPT.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), "run with --refresh-golden if the change is meant"

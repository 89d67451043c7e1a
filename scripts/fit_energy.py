"""Fits the power of devices, judges it out of sample, and writes its facts and docs/validation/energy.md.

python scripts/fit_energy.py --data DIR
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from paragraphs import wrapped

from jevons.files import writing
from jevons.serving.energy import PowerModel
from jevons.serving.types import FloatArray
from jevons.validation.fit.energy import FITTED, Draw, Errors, errors, fit_power, held_out, interval, read_draws
from jevons.validation.serving.energy import IMAGES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "validation" / "energy.md"
FACTS = ROOT / "src" / "jevons" / "facts" / "data" / "hardware" / "power.yaml"
SCHEMES = {"model": "held out by model", "device": "held out by device", "task": "held out by task"}

TEXT = """# Power and energy per token

Written by `python scripts/fit_energy.py --data DIR` from {runs} runs of energy.csv.

**Claim:** for models held out of the fit, power at the measured rate, and so energy per output token at that rate, is
off by {power:.0f} % (median) and {power_90:.0f} % (90th percentile) over all runs. Energy per token at the predicted
rate is off by {energy:.0f} % and {energy_90:.0f} %; that rate itself is off by {rate:.0f} % and {rate_90:.0f} %.
`jevons validate` takes the rate that a run states for its power, and the predicted rate for its energy per token.

**Measured:** the [ML.ENERGY leaderboard](https://github.com/ml-energy/leaderboard) of February 2026 (vLLM 0.11.1 on
H100 and B200, the batch full, all devices by NVML; no licence, so no row is in this repository), and one-device
batches of [LLM-Inference-Bench](https://github.com/argonne-lcf/LLM-Inference-Bench) (A100, H100, GH200; BSD-3).

**Model** (`jevons.serving.energy`): a device that works draws

    tdp x (idle + (most - idle) x (1 - exp(-load))), load = memory x m + compute x sqrt(c + empty x e)

The nearer a device is to its limit, the more its clock gives way, and the less each further load adds. m is bytes
read over the memory's bandwidth, c is work over the dense peak of the precision. Work counts whole tiles: at least 16
rows in a product, and 16 for each expert that a step reaches; 128 with 8-bit weights scaled by blocks, to which their
grouped kernel aligns each expert. vLLM 0.11 computes that kernel's whole buffer, with room for all tokens and experts;
e is the work on its empty rows, whose operands hardly change. So a mixture of experts in FP8 draws nearly its limit
even at few requests.
A device without work draws `idle` (a judgement). One whose host prepares images works at the predicted rate, and draws
`waiting` for the rest of the time: its clock stays up. Facts `power.…` hold the factors; `tdp_w` is each device's own.

{factors}

**Fitted:** the factors, on the runs without images, at measured rates; then `waiting`, on those with images.
**Held out:** all runs of a model, a device, or a task. Prompt lengths of the leaderboard's sets are not published; they
are judgements (`jevons facts search serving_benchmark`). Their sizes are published: a run sends its set once, or as
often as its batch takes, and is measured while the batch is full.

## Errors

Absolute percentage error, median / 90th percentile; bias is the median signed error.

{errors}

80 % interval of energy per token at the predicted rate: {low:.2f} to {high:.2f} times the prediction, from the runs
held out by model. It contains {coverage:.0f} % of the runs held out by device, and {coverage_task:.0f} % of those held
out by task.

## Groups

Median signed error [%]: power at the measured rate, power and energy at the predicted rate, and predicted over measured
rate. Held out by model.

{groups}

## Known errors

- **Experts under vLLM 0.11.1 on B200 run slower than predicted in 16 bits** (1.2 to 1.5 times for Qwen3-235B). Its
  Triton kernels had no tuned configuration there; the tables of operators hold later ones. In FP8 it called DeepGEMM,
  which computed the empty rows too: counted, the rate is off by {padded:.0f} % (median) on those {padded_runs} runs. No
  factor of this was fitted. Power of such rows differs by device: B200 draws more for them than H100.
- **gpt-oss at hundreds of requests** comes out 20 to 40 % too fast on H100: its steps grow by 50 to 70 µs a request,
  which neither its cache nor its weights explain.
- **Images and video**: the devices wait while the host prepares them. Neither the tokens of an image nor the host's
  work is stated, so the share of the time is taken from the measured rate. Power at the predicted rate has none.
- **Some B200 machines were slowed by their host**: a step takes 30 to 45 ms whatever the model (8B, 30B-A3B, 32B) in
  the GPQA runs of one device and the image runs of 16 requests and more; with 8 image requests it takes 5 to 15 ms.
  Nothing in the rows tells these machines apart, so rates there are predicted up to six times too high.
- **15 / 40 % a token is out of reach with these rows.** The rate carries most of the error. Three data would be needed
  that no run states: the lengths of its prompts; the tokens of an image, with the host's time for it; and the host's
  processor, or the share of the time in which devices wait. For power at the measured rate, clocks and the memory's
  own draw are missing.
- **Memory traffic adds little**: at measured rates, full bandwidth adds {memory:.2f} to the load, a tenth of the peak
  {compute:.1f}.
- **Sampling** by top-k and top-p sorts each request's logits in every step. The runs show 60 to 120 µs a request and
  step on H100, in proportion to the vocabulary (`engine.vllm.sorted_logit_bytes`); benchmarks with random prompts take
  the most likely token and do not pay it.
"""


def main() -> int:
    """Fit, judge, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder that holds serving/energy.csv")
    draws = read_draws(parser.parse_args().data / "serving" / "energy.csv")
    model = fit_power(draws)
    out = {name: held_out(draws, name) for name in SCHEMES}
    energy, power = interval(out["model"].energy), interval(out["model"].power_all)
    rated = interval(out["model"].power)
    names = ("low_ratio", "high_ratio", "power_low_ratio", "power_high_ratio", "rated_low_ratio", "rated_high_ratio")
    ratios = dict(zip(names, (*energy, *power, *rated), strict=True))
    write_facts({name: getattr(model, name) for name in ("waiting_frac", *FITTED)} | ratios)
    with writing(PAGE, force=True) as stream:
        stream.write(wrapped(page(draws, model, out, energy)))
    return 0


def write_facts(values: Mapping[str, float]) -> None:
    """Put fitted values in place of those of the facts."""
    text = FACTS.read_text(encoding="utf-8")
    for name, value in values.items():
        pattern = rf"(  power\.{name}:\n(?:.*\n)*?        value: )\S+"
        text, count = re.subn(pattern, rf"\g<1>{value:.4g}", text, count=1)
        if count != 1:
            message = f"{FACTS}: no fact power.{name}"
            raise SystemExit(message)
    FACTS.write_text(text, encoding="utf-8")


def page(draws: Sequence[Draw], model: PowerModel, out: Mapping[str, Errors], energy: tuple[float, float]) -> str:
    """Return the page's text."""
    held_out, rates = out["model"], np.log([draw.rate_ratio for draw in draws])
    padded = np.array([draw.measured.empty_frac > 0.0 for draw in draws])
    cover = {name: 100 * float(np.mean(inside(of.energy, energy))) for name, of in out.items()}
    return TEXT.format(
        runs=len(draws), power=ape(held_out.power, 0.5), power_90=ape(held_out.power, 0.9),
        rate=ape(rates, 0.5), rate_90=ape(rates, 0.9),
        energy=ape(held_out.energy, 0.5), energy_90=ape(held_out.energy, 0.9), factors="\n".join(factor_lines(model)),
        errors="\n".join(error_lines(draws, model, out)), low=energy[0], high=energy[1], coverage=cover["device"],
        coverage_task=cover["task"], groups="\n".join(group_lines(draws, held_out)), memory=model.memory_load,
        compute=model.compute_load * 0.1**0.5, padded=ape(rates[padded], 0.5), padded_runs=padded.sum(),
    )  # fmt: skip


def ape(log_errors: FloatArray, quantile: float) -> float:
    """Return a quantile of absolute relative errors [%]."""
    return 100 * float(np.quantile(np.abs(np.expm1(log_errors)), quantile))


def inside(log_errors: FloatArray, ratios: tuple[float, float]) -> NDArray[np.bool_]:
    """Return which measured figures lie in an interval of measured over predicted."""
    ratio = np.exp(-log_errors)
    return (ratio >= ratios[0]) & (ratio <= ratios[1])


def factor_lines(model: PowerModel) -> list[str]:
    """Return the table of shares."""
    lines = ["| factor | value |", "|---|---:|"]
    return lines + [f"| `{name}` | {getattr(model, name):.2f} |" for name in ("idle_frac", "waiting_frac", *FITTED)]


def error_lines(draws: Sequence[Draw], model: PowerModel, out: Mapping[str, Errors]) -> list[str]:
    """Return the table of errors, with and without images."""
    text = np.array([draw.task not in IMAGES for draw in draws])
    lines = [
        "| set | errors | runs | power, measured rate | power | energy per token | bias |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for label, chosen in (("without images", text), ("with images", ~text), ("all", np.ones(len(draws), dtype=bool))):
        for name, of in {"fitted": errors(draws, model), **{SCHEMES[key]: value for key, value in out.items()}}.items():
            cells = [
                f"{ape(values[chosen], 0.5):.0f} / {ape(values[chosen], 0.9):.0f} %"
                for values in (of.power, of.power_all, of.energy)
            ]
            bias = 100 * float(np.median(np.expm1(of.energy[chosen])))
            lines.append(f"| {label} | {name} | {chosen.sum()} | {' | '.join(cells)} | {bias:+.0f} % |")
    return lines


def group_lines(draws: Sequence[Draw], held_out: Errors) -> list[str]:
    """Return the table of groups, the worst energy first."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, draw in enumerate(draws):
        groups.setdefault((draw.task if not draw.task.isdigit() else "static", draw.model, draw.device), []).append(
            place
        )
    table = []
    for (task, name, device), places in groups.items():
        signed = [
            100 * float(np.median(np.expm1(values[places])))
            for values in (held_out.power, held_out.power_all, held_out.energy)
        ]
        rate = float(np.median([draws[place].rate_ratio for place in places]))
        table.append((abs(signed[2]), f"| {task} | {name} | {device} | {len(places)} | " + " | ".join(
            f"{value:+.0f}" for value in signed) + f" | {rate:.2f} |"))  # fmt: skip
    lines = [
        "| task | model | device | runs | power, measured rate | power | energy | rate |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    return lines + [line for _, line in sorted(table, reverse=True)]


if __name__ == "__main__":
    sys.exit(main())

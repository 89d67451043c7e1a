"""One result of every kind, made by the public function that gives it; a test that asks for one twice makes it once."""

import functools
import tempfile
from pathlib import Path

import jevons
from jevons import operators
from places import DATA, TINY

LLAMA = {"model": "llama-3.1-8b", "gpu": "h100_sxm"}
HISTORY = "scenarios/doubao-history.csv"


def _folder():
    return Path(tempfile.mkdtemp())


def _store():
    folder = _folder()
    jevons.study.montecarlo(TINY, draws=4, processes=1, store=folder)
    return folder


def _actuals():
    path = _folder() / "actuals.csv"
    path.write_text("quarter,quantity,value,unit\n2025-Q1,cloud_revenue,30.1e9,CNY\n", encoding="utf-8")
    return path


def _new():
    own = {"revenue": "200 mn USD", "net_cash": "-1 bn USD", "shares": "300 mn", "share_price": "30 USD"}
    return jevons.new(_folder() / "n.yaml", firm="N", budget="2 bn USD", installed=["h100_sxm=2000"], **own)


def _fleet():
    return jevons.simulate(**LLAMA, rate=4, requests=60, replicas=2, autoscale="1:3")


MAKERS = {
    "backtest": lambda: jevons.study.backtest(DATA / "economics" / "dated_sample.csv", draws=100),
    "buy_rent_api": lambda: jevons.buy_rent_api("llama-3.1-8b", gpu="h100_sxm", api="0.1/0.2 USD"),
    "calibrate": lambda: jevons.calibrate(DATA / "serving" / "trtllm_overview.csv"),
    "compare": lambda: jevons.compare(TINY, set={"cost.wacc": "11 %"}, draws=8, processes=1),
    "cost": lambda: jevons.cost("h20"),
    "cost of tokens": lambda: jevons.cost("h20", model="llama-3.1-8b"),
    "device": lambda: jevons.device("h20"),
    "devices": jevons.devices,
    "engines": jevons.engines,
    "facts": lambda: jevons.facts.search("h20 price"),
    "fact": lambda: jevons.facts.show("h20.price_cny"),
    "facts check": jevons.facts.check,
    "fleet": _fleet,
    "foresight": lambda: jevons.study.foresight(TINY, window=2),
    "growth": lambda: jevons.study.growth(HISTORY),
    "memory": lambda: jevons.memory(**LLAMA),
    "model": lambda: jevons.models.show("qwen3-8b"),
    "models": jevons.models,
    "new": _new,
    "op gemm": lambda: operators.gemm(4096, 4096, 4096),
    "op all_reduce": lambda: operators.all_reduce("16 MB"),
    "plan": lambda: jevons.plan(TINY, draws=0),
    "plan with draws": lambda: jevons.plan(TINY, draws=4, processes=1),
    "prune": lambda: jevons.study.prune(_store(), everything=True),
    "query": lambda: jevons.study.open(_store(), sql="select count(*) as n from draws"),
    "read": lambda: jevons.read("Alibaba will spend 380 billion CNY over three years."),
    "resolved": lambda: jevons.study.resolved(TINY),
    "sensitivity": lambda: jevons.study.sensitivity(TINY, inputs="serving", processes=1),
    "simulation": lambda: jevons.simulate(**LLAMA, rate=4, requests=60),
    "size": lambda: jevons.size(**LLAMA, rate=5, static=True),
    "store": lambda: jevons.study.open(_store()),
    "study": lambda: jevons.study.montecarlo(TINY, draws=4, processes=1),
    "study on a grid": lambda: jevons.study.sweep(TINY, {"cost.wacc": [0.09, 0.11]}, processes=1),
    "sweep": lambda: jevons.simulate(**LLAMA, sweep_rates=[1, 2], requests=60),
    "track": lambda: jevons.track(TINY, actuals=_actuals(), draws=8, processes=1),
    "yardsticks": jevons.study.yardsticks,
    "train": lambda: jevons.train(**LLAMA, gpus=64, tokens="100B"),
    "validate": lambda: jevons.validate(DATA / "serving" / "trtllm_overview.csv"),
    "value": lambda: jevons.value(TINY),
}
SLOW = {
    "backtest", "calibrate", "compare", "facts check", "foresight", "plan", "plan with draws", "prune",
    "query", "sensitivity", "size", "store", "study", "study on a grid", "track", "validate", "value",
}  # fmt: skip
"""Kinds that take more than a second or two to make."""


@functools.cache
def made(name):
    return MAKERS[name]()

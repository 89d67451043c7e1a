"""Options of how an answer is made: scenario, date, calibration, seed, draws, processes, store."""

from __future__ import annotations

from jevons.options.option import Option
from jevons.options.parse import date, path, store_place

SCENARIO = Option(help="Scenario file (YAML), or the name of one that ships, such as alibaba-380bn", metavar="SCENARIO")
AS_OF = Option(help="Information date: nothing published after it is used", parse=date, metavar="YYYY-MM-DD")
CALIBRATION = Option(help="Calibration file written by `jevons calibrate`", parse=path, metavar="FILE")
SEED = Option(help="Seed of all random streams", low=0, high=2**63 - 1)
DRAWS = Option(help="Monte Carlo draws, 0 for none; the scenario's own number where not given", low=0, high=100_000)
STATIC = Option(help="Skip the simulation: latencies without queueing, for a first look")
RUNS = Option(help="Simulations per finalist, each with requests of its own", low=1, high=100)
PROCESSES = Option(help="Worker processes; by default one per core, and none for a few draws", low=1, high=1024)
EXECUTOR = Option(help="Where runs execute: local or ray", choices=lambda: ("local", "ray"), metavar="NAME")
ADDRESS = Option(
    help="Ray cluster: auto, ray://HOST:PORT or HOST:PORT; a cluster of this machine by default", metavar="ADDRESS"
)
STORE = Option(
    help="Folder, or address such as s3://BUCKET/FOLDER, for finished draws, from which a stopped run resumes",
    parse=store_place, metavar="FOLDER",
)  # fmt: skip
WORDS = Option(help="Words that the name must contain")

"""Studies killed with SIGKILL at random moments: nothing stored is lost or computed again, the end is the same."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from jevons.study.draws.outcomes import OUTCOMES
from jevons.study.draws.store import Store

_DRAWS = 60
_CHILD = """
import sys, time
from types import SimpleNamespace
import numpy as np
from jevons.parallel import Executor
from jevons.study.draws import run, workers
from jevons.study.draws.outcomes import OUTCOMES

store, log, draws, pause = sys.argv[1], open(sys.argv[2], "a", buffering=1), int(sys.argv[3]), float(sys.argv[4])

def one(_shared, row):
    log.write(f"{int(row[1][0])}\\n")
    time.sleep(pause)
    return {name: float(row[1][1]) * (place + 1) for place, name in enumerate(OUTCOMES)} | {"paths": {"x": [1 / 3]}}

workers._one = one
run.run_key = lambda *_: "k"
run._SEGMENT_DRAWS = 2
values = np.column_stack([np.arange(draws), np.sin(np.arange(draws))])
print("ready", flush=True)
done = run.evaluate(
    SimpleNamespace(name="killed"), None, None, ("draw", "x"), values, about={"kind": "montecarlo"},
    executor=Executor(processes=1), store=None if store == "-" else store,
)
print(np.concatenate([done.outcomes[name] for name in OUTCOMES]).tobytes().hex())
"""


def _start(store: str, log: Path, pause: float) -> subprocess.Popen[str]:
    arguments = [store, str(log), str(_DRAWS), str(pause)]
    child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def expected() -> dict[int, dict[str, float]]:
    return {
        draw: {name: float(np.sin(draw)) * (place + 1) for place, name in enumerate(OUTCOMES)}
        for draw in range(_DRAWS)
    }  # fmt: skip


def kill_many(kills: int, seed: int, folder: Path) -> list[str]:
    """Return what was wrong over so many kills of studies, each study until it came to its end."""
    moments, problems, right = random.Random(seed), [], expected()  # noqa: S311
    for study in range(10_000):
        store, log = folder / f"store-{seed}-{study}", folder / f"log-{seed}-{study}"
        stored: set[int] = set()
        while True:
            log.write_text("")
            child = _start(str(store), log, 0.004)
            if kills > 0:
                time.sleep(moments.uniform(0.0, 0.35))
                child.kill()
            text = child.communicate()[0]
            again = stored & {int(line) for line in log.read_text().split("\n")[:-1] if line}
            if again:
                problems.append(f"seed {seed}, study {study}: computed again {sorted(again)}")
            records = Store(store, "k", {}).read()
            if not stored <= set(records):
                problems.append(f"seed {seed}, study {study}: lost {sorted(stored - set(records))}")
            wrong = [i for i, r in records.items() if {k: v for k, v in (r or {}).items() if k != "paths"} != right[i]]
            damaged = [path.name for path in store.rglob("*") if ".damaged" in path.name or path.suffix == ".part"]
            if wrong or damaged:
                problems.append(f"seed {seed}, study {study}: wrong draws {wrong}, damaged {damaged}")
            stored = set(records)
            if child.returncode == 0:
                whole = np.concatenate([[right[i][name] for i in range(_DRAWS)] for name in OUTCOMES])
                if text.strip() != whole.tobytes().hex():
                    problems.append(f"seed {seed}, study {study}: another end than a run that was not killed")
                break
            kills -= 1
            if child.returncode != -9:
                problems.append(f"seed {seed}, study {study}: exit {child.returncode}")
                break
        if kills <= 0:
            return problems
    return problems

"""Studies on a Ray cluster of two nodes on this machine: the same bytes, with a worker and a node killed on the way."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import jevons
from jevons.errors import InputError
from jevons.parallel import Executor, cluster
from jevons.schema import json_text
from places import TINY

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'jevons[ray]'")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SOURCES = str(Path(jevons.__file__).parent.parent)

_WORK = '''
import os, pathlib, time

def work(folder, item):
    """Note that an item was begun and done; end the worker once on one of them."""
    folder = pathlib.Path(folder)
    place, pause, fatal = item
    with (folder / "begun").open("a") as log:
        log.write(f"{place}\\n")
    time.sleep(pause)
    if fatal and (fatal == "always" or not (folder / "ended").exists()):
        (folder / "ended").write_text("")
        os._exit(1)
    with (folder / "done").open("a") as log:
        log.write(f"{place}\\n")
    return place * 0.1
'''


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """A head and a second node, one core each; workers import what a test puts into the folder."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "cluster_work.py").write_text(_WORK)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), SOURCES])
    cluster.library()
    from ray.cluster_utils import Cluster

    sys.path.insert(0, str(folder))
    both = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    both.add_node(num_cpus=1)
    both.wait_for_nodes()
    yield both
    ray.shutdown()
    both.shutdown()
    sys.path.remove(str(folder))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def lines(path):
    return sorted(map(int, path.read_text().split()))


def test_draws_and_grids_have_the_same_bytes_as_locally(nodes, tmp_path):
    here = jevons.study.montecarlo(TINY, draws=6, processes=1)
    seen = []
    there = jevons.study.montecarlo(
        TINY, draws=6, executor="ray", address=nodes.address, store=tmp_path,
        progress=lambda step, done, total: seen.append((step, done, total)),
    )  # fmt: skip
    for name, values in here.draws.outcomes.items():
        assert values.tobytes() == there.draws.outcomes[name].tobytes()
    for name, values in here.draws.paths.items():
        assert values.tobytes() == there.draws.paths[name].tobytes()
    assert here.to_json() == there.to_json()
    assert [one for one in seen if one[0] == "draws"][-1] == ("draws", 6, 6)
    again = jevons.study.montecarlo(TINY, draws=6, processes=1, store=tmp_path)
    assert again.draws.stored == 6


def test_a_study_stopped_on_a_cluster_goes_on_elsewhere_without_repeats(nodes, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(step, done, _total):
        if step == "draws" and done >= 3:
            raise StoppedError

    store = f"file://{tmp_path}/shared"
    with pytest.raises(StoppedError):
        jevons.study.montecarlo(TINY, draws=6, executor="ray", address=nodes.address, store=store, progress=stop)
    rest = jevons.study.montecarlo(TINY, draws=6, processes=1, store=store)
    assert 3 <= rest.draws.stored < 6
    here = jevons.study.montecarlo(TINY, draws=6, processes=1)
    assert np.array_equal(here.draws.outcomes["devices"], rest.draws.outcomes["devices"])


def test_a_killed_worker_is_replaced_and_what_is_done_does_not_run_again(nodes, tmp_path):
    from cluster_work import work

    items = [(place, 0.02, "once" if place == 5 else "") for place in range(20)]
    results = dict(Executor(kind="ray", address=nodes.address).run(work, str(tmp_path), items))
    assert results == {place: place * 0.1 for place in range(20)}
    assert lines(tmp_path / "done") == list(range(20))
    assert lines(tmp_path / "begun") == sorted([*range(20), 5])


def test_a_killed_node_loses_nothing(nodes, tmp_path):
    from cluster_work import work

    node = nodes.add_node(num_cpus=2)
    nodes.wait_for_nodes()
    items = [(place, 0.3, "") for place in range(16)]
    results = {}
    for place, result in Executor(kind="ray", address=nodes.address).run(work, str(tmp_path), items):
        results[place] = result
        if len(results) == 4:
            nodes.remove_node(node, allow_graceful=False)
    assert results == {place: place * 0.1 for place in range(16)}
    done = lines(tmp_path / "done")
    assert set(done) == set(range(16))
    assert len(done) <= 16 + 2


def test_an_item_that_always_takes_its_worker_along_is_one_line(nodes, tmp_path, monkeypatch):
    from cluster_work import work

    monkeypatch.setattr(cluster, "MOST_LOSSES", 2)
    with pytest.raises(InputError, match="workers were lost 2 times while item 2 ran.*fewer --processes"):
        list(Executor(kind="ray", address=nodes.address).run(work, str(tmp_path), [(0, 0, ""), (1, 0, "always")]))


def test_workers_of_other_versions_are_refused(nodes, monkeypatch):
    ours = cluster._versions()
    monkeypatch.setattr(cluster, "_versions", lambda: ours | {"jevons": "9.9"})
    with pytest.raises(InputError, match=r"workers differ from this machine: node .*jevons .* \(here 9.9\).*install"):
        jevons.study.montecarlo(TINY, draws=2, executor="ray", address=nodes.address)


def test_a_cluster_without_the_package_is_one_line(nodes, monkeypatch, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    from ray.runtime_env import RuntimeEnv

    ray.init(address=nodes.address, runtime_env=RuntimeEnv(env_vars={"PYTHONPATH": str(bare)}), log_to_driver=False)
    try:
        (bare / "jevons.py").write_text("raise ImportError('not this one')")
        with pytest.raises(InputError, match="node .*: not this one; install the same versions on every node"):
            jevons.study.montecarlo(TINY, draws=2, executor="ray", address=nodes.address)
    finally:
        ray.shutdown()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://127.0.0.1:1", "cannot be reached .*or omit it to use this machine"),
        ("127.0.0.1:1", "cannot be reached"),
        ("nowhere.invalid:6379", "cannot be reached"),
        ("http://x", "must be local, auto, ray://HOST:PORT"),
        ("ray://host:99999999", "must be local, auto"),
        ("", None),
    ],
)
def test_a_wrong_address_is_one_line_at_once(address, said):
    if said is None:
        assert cluster.checked_address("local") == ""
        return
    start = time.monotonic()
    with pytest.raises(InputError, match=said) as caught:
        jevons.study.montecarlo(TINY, draws=2, executor="ray", address=address)
    assert len(str(caught.value).splitlines()) == 1
    assert time.monotonic() - start < 15


def test_the_command_says_how_to_get_ray_where_it_is_absent(monkeypatch, tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('no ray')")
    path = os.pathsep.join([str(tmp_path), SOURCES])
    command = [sys.executable, "-m", "jevons", "study", "montecarlo", str(TINY), "--draws", "2", "--no-store"]
    done = subprocess.run(
        [*command, "--executor", "ray"], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (
        2, "--executor ray: Ray is not installed; install it with `pip install 'jevons[ray]'`"
    )  # fmt: skip


def test_an_address_without_ray_is_refused():
    with pytest.raises(InputError, match="address=auto: has no effect without executor ray; add it"):
        jevons.study.montecarlo(TINY, draws=2, address="auto")


def test_rates_of_a_sweep_and_foresight_are_the_same_on_a_cluster(nodes):
    how = {"gpu": "h100_sxm", "requests": 100, "sweep_rates": "1,2,4"}
    here = jevons.simulate("llama-3.1-8b", **how)
    there = jevons.simulate("llama-3.1-8b", executor="ray", address=nodes.address, **how)
    timing = {"computed_s", "compile_s", "simulated_req_per_s"}
    one, two = (
        [{key: value for key, value in point.items() if key not in timing} for point in result.to_json()["sweep"]]
        for result in (here, there)
    )
    assert one == two
    seen = jevons.study.foresight(TINY, executor="ray", address=nodes.address)
    assert json_text(seen.to_json()) == json_text(jevons.study.foresight(TINY).to_json())
    with pytest.raises(InputError, match="executor=ray: runs the rates of sweep_rates"):
        jevons.simulate("llama-3.1-8b", gpu="h100_sxm", rate=1, executor="ray")

"""Every explained figure of the main scenario follows from its printed formula and parents."""

import pytest

import jevons

SCENARIO = "scenarios/alibaba-380bn.yaml"


@pytest.fixture(scope="module")
def planned(pytestconfig):
    return jevons.plan(jevons.load(pytestconfig.rootpath / SCENARIO), draws=0)


@pytest.mark.slow
@pytest.mark.slow
class TestMainScenario:
    def test_each_figure_with_a_formula_is_recomputed_from_it(self, planned):
        """Invariant 60: Every explained figure follows from its printed formula and parents."""
        nodes = planned.ledger.nodes
        explained = [path for path, node in nodes.items() if node.formula]
        assert len(explained) > 60
        for path in explained:
            assert nodes[path].symbols, f"{path} has a formula that names no parents"
            assert planned.ledger.recompute(path) == pytest.approx(nodes[path].value, rel=1e-9), path

    def test_each_figure_without_a_formula_says_what_gave_it(self, planned):
        for path, node in planned.ledger.nodes.items():
            if not node.formula:
                assert node.method or node.source or node.grade or node.parents or path == "constant.zero", path

    def test_explained_figures_are_those_that_the_chain_computed(self, planned):
        value, chain = (lambda path: planned.ledger.nodes[path].value), planned.chain
        for v, device in enumerate(planned.scenario.hardware.devices):
            assert value(f"cost.{device}.per_h") == pytest.approx(chain.setting.hour_cur[v, 0], rel=1e-9)
        for m, model in enumerate(planned.scenario.serving.models):
            for k, kind in enumerate(("input", "cached", "output")):
                computed = 1e6 * chain.inputs.supply.unit_cost_cur_per_tok[m, k, 0]
                assert value(f"cost.{model}.{kind}_per_mtok") == pytest.approx(computed, rel=1e-9)
        assert value("finance.plan_value") == pytest.approx(chain.accounts.plan_value_cur, rel=1e-9)
        assert value("finance.orders_value") == pytest.approx(planned.orders_value_cur, rel=1e-9)
        assert value("finance.value_per_share") == pytest.approx(chain.accounts.value_per_share_cur, rel=1e-9)
        assert value("jevons.compute_factor") == pytest.approx(planned.verdict.compute_factor[-1], rel=1e-9)

    def test_the_printed_tree_gives_the_printed_figure(self, planned):
        """Follow the printed text alone: inputs have all their digits, the rest follows from the formulas."""
        from jevons.formula import evaluate

        lines = planned.explain("cost.h20.per_h").splitlines()
        rows = [(len(line) - len(line.lstrip()), line.strip()) for line in lines]
        known = {}

        def figure(index):
            depth, text = rows[index]
            head, rest = text.split(" = ", 1)
            path, printed = head.rsplit(": ", 1)[-1], float(rest.split(" ", 1)[0])
            below = []
            for later in range(index + 1, len(rows)):
                if rows[later][0] <= depth:
                    break
                if rows[later][0] == depth + 2:
                    below.append(later)
            symbols = {}
            for row in below:
                name = rows[row][1].split(" = ")[0]
                if ": " in name:
                    symbols.setdefault(name.split(": ")[0], []).append(figure(row))
            if symbols:
                import numpy as np

                values = {n: v[0] if len(v) == 1 else np.array(v) for n, v in symbols.items()}
                computed = evaluate(rest.split("  (", 1)[1][:-1], values)
                assert computed == pytest.approx(printed, rel=1e-5)
                known[path] = computed
            else:
                known.setdefault(path, printed)
            return known[path]

        assert figure(0) == pytest.approx(planned.chain.setting.hour_cur[0, 0], rel=1e-9)

"""The result of scoring yardsticks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from jevons.results import Column, Result, Table, table
from jevons.training.paired import PairedRuns
from jevons.validation.yardsticks.measures import QUESTIONS, ToolChain, TrainingYardstick
from jevons.validation.yardsticks.scores import LEAST_GROUPS, YardstickScore
from jevons.words import Sentence

_PERCENT: dict[str, Any] = {"unit": "%", "scale": 100}


@dataclass(frozen=True, kw_only=True, repr=False)
class YardsticksResult(Result):
    """What `jevons.study.yardsticks` returns.

    Parameters
    ----------
    on : date or None
        Day by which everything was public; the latest of each where None.
    runs : tuple of TrainingYardstick
        What training took, the most efficient first.
    chips, providers : tuple of ToolChain
        Tool chains, the most complete first.
    scores : tuple of YardstickScore
        Whether each yardstick explains groups that it has not seen.
    paired : PairedRuns or None
        Training of one script on an Ascend and on its reference.
    """

    kind: ClassVar[str] = "yardsticks"
    main_table: ClassVar[str] = "scores"

    on: dt.date | None
    runs: tuple[TrainingYardstick, ...]
    chips: tuple[ToolChain, ...]
    providers: tuple[ToolChain, ...]
    scores: tuple[YardstickScore, ...]
    paired: PairedRuns | None

    @property
    def kept(self) -> tuple[YardstickScore, ...]:
        """The scores of yardsticks that improve groups left out."""
        return tuple(score for score in self.scores if score.kept)

    @property
    def answer_parts(self) -> tuple[Sentence, ...]:
        """How many yardsticks are kept, and what each that is kept explains."""
        sentences = [Sentence("yardsticks.kept", {"kept": len(self.kept), "tests": len(self.scores)})]
        sentences += [
            Sentence(
                "yardsticks.one",
                {
                    "yardstick": trial.yardstick, "outcome": trial.outcome, "without": trial.without_frac,
                    "with": trial.with_frac, "groups": trial.groups, "tenth": trial.tenth_frac,
                    "chance": trial.chance_frac,
                },
            )
            for trial in self.kept
        ]  # fmt: skip
        if self.runs:
            best = self.runs[0]
            sentences.append(
                Sentence(
                    "yardsticks.best", {"run": best.name, "provider": best.provider, "flop": best.flop_per_cny / 1e15}
                )
            )
        return tuple(sentences)

    def _tables(self) -> Iterator[Table]:
        yield _score_table(self.scores)
        yield _run_table(self.runs)
        for kind, chains in (("chip", self.chips), ("provider", self.providers)):
            columns = (
                Column("name", kind), Column("score", "tool chain", "of 1", form=".2f"),
                Column("low", "low", "of 1", form=".2f"), Column("high", "high", "of 1", form=".2f"),
                Column("missing", "missing or in part"),
            )  # fmt: skip
            rows = [(chain.name, chain.score, chain.low, chain.high, _missing(chain)) for chain in chains]
            yield table(f"{kind}s", f"Completeness of tool chains by {kind}", columns, rows)
        questions = [(kind, name, text) for kind, marks in QUESTIONS.items() for name, text in marks.items()]
        heads = (Column("kind", "of"), Column("name", "mark"), Column("text", "question"))
        yield table("rubric", "Rubric: ten questions, a tenth each", heads, questions, detail=True)
        if self.paired is not None:
            title = f"Training of one script on {self.paired.device} over {self.paired.reference}"
            ratios = (Column("model", "model"), Column("ratio", "tokens a second", "x", form=".2f"))
            yield table("paired", title, ratios, list(self.paired.ratio.items()), detail=True)

    def _document(self) -> dict[str, Any]:
        """Return the documented JSON object."""
        return {
            **self.answer_record(),
            "on": self.on,
            "scores": [asdict(score) | {"kept": score.kept} for score in self.scores],
            "training": [
                asdict(run) | {"flop_per_cny": run.flop_per_cny, "flop_per_s": run.flop_per_s} for run in self.runs
            ],
            "chips": [asdict(chip) for chip in self.chips],
            "providers": [asdict(provider) for provider in self.providers],
            "paired": None if self.paired is None else asdict(self.paired) | {"mean": self.paired.mean},
        }


def _missing(chain: ToolChain) -> str:
    return ", ".join(f"{name} {mark:g}" for name, mark in chain.marks.items() if mark < 1) or "nothing"


def _verdict(score: YardstickScore) -> str:
    if score.without_frac is None:
        return "not testable"
    return "yes" if score.kept else f"no, {score.groups} groups" if score.groups < LEAST_GROUPS else "no"


def _score_table(scores: Sequence[YardstickScore]) -> Table:
    columns = (
        Column("yardstick", "yardstick"), Column("outcome", "explains"), Column("rows", "rows", form=".0f"),
        Column("groups", "groups left out", form=".0f"),
        Column("without", "error without", form=".0f", **_PERCENT),
        Column("with", "error with", form=".0f", **_PERCENT),
        Column("chance", "chance does as well", form=".0f", **_PERCENT),
        Column("tenth", "effect of a tenth more", form="+.0f", **_PERCENT), Column("kept", "kept"),
        Column("why", "compared with"),
    )  # fmt: skip
    rows = [
        (
            s.yardstick, s.outcome, s.rows, s.groups, s.without_frac, s.with_frac, s.chance_frac, s.tenth_frac,
            _verdict(s), s.why,
        )
        for s in scores
    ]  # fmt: skip
    return table("scores", "Yardsticks: median error on groups left out, without and with", columns, rows)


def _run_table(runs: Sequence[TrainingYardstick]) -> Table:
    columns = (
        Column("run", "run"), Column("provider", "provider"), Column("device", "device"), Column("day", "published"),
        Column("work", "work", "10²⁴ FLOP", scale=1e-24, form=".3g"),
        Column("gain", "algorithmic gain", "x", form=".3g"),
        Column("cost", "cost", "mn CNY", scale=1e-6, form=".3g"), Column("stated", "cost is"),
        Column("efficiency", "work x gain per yuan", "PFLOP/CNY", scale=1e-15, form=".3g"),
        Column("rate", "reached per device", "TFLOP/s", scale=1e-12, form=".0f"),
    )  # fmt: skip
    rows = [
        (run.name, run.provider, run.device or "not published", str(run.day), run.work_flop, run.gain, run.cost_cny,
         "published" if run.stated else "hours at one rent", run.flop_per_cny, run.flop_per_s)
        for run in runs
    ]  # fmt: skip
    return table("training", "Training efficiency by run", columns, rows)

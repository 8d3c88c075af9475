"""Measures an evaluation beside the model's bare forward pass on the same drawings.

    python -m benchmarks.evaluate --data_dir=DIR

    forward      the model alone, on batches that are in memory
    evaluation   records read and parsed, the model, all sums with their bootstrap
                 replicates, the galleries

Both go over the whole split, take turns, and the ratio is that of a round, so that a
slow moment of the machine meets both. Start-up, drawings in progress (and to keep some
for that) and plots are not in it. How well the model answers is no matter: it is not
trained.
"""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from absl import flags

from pipeline import cli
from rnn_model import input_pipeline, models
from rnn_model.config import MODELS, TrainConfig
from rnn_model.evaluation import compare_runs, evaluator
from rnn_model.evaluation.loaded_run import LoadedRun
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batches = list[dict[str, tf.Tensor]]


class Round(NamedTuple):
    """Seconds, and seconds of CPU time, of forward and evaluation."""

    forward: tuple[float, float]
    evaluation: tuple[float, float]


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "The part of it.")
    flags.DEFINE_enum("model", "rnn", MODELS, "The model.")
    flags.DEFINE_integer("rounds", 5, "How often each takes its turn.", lower_bound=1)


def main() -> None:
    """Measures, and prints a table."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    run = untrained(values.model, info)
    read = input_pipeline.evaluation_batches(
        info, values.data_dir, values.split, evaluator.BATCH_SIZE
    )
    batches = list(read)
    rounds = []
    for number in range(values.rounds + 1):
        some = Round(
            measure(lambda: forward(run, batches, info.kind)),
            evaluate(run, info, read),
        )
        if number:  # the first round warms up
            rounds.append(some)
    print(table(rounds, info.split(values.split).examples))


def untrained(model: str, info: DatasetInfo) -> LoadedRun:
    """A run that was not trained."""
    built = models.build_model(TrainConfig(model=model), len(info.classes))
    logits_fn = evaluator.make_logits_fn(built, info.kind)
    return LoadedRun(model, "", model, built.count_params(), [], logits_fn)


def forward(run: LoadedRun, batches: Batches, kind: str) -> None:
    for batch in batches:
        run.logits_fn(*(batch[name] for name in models.INPUT_SPECS[kind])).numpy()


def evaluate(
    run: LoadedRun, info: DatasetInfo, batches: tf.data.Dataset
) -> tuple[float, float]:
    """What `evaluate.py` does between its start and its page."""
    evaluation = compare_runs.EvaluationPass(
        info, [run], sample_size=compare_runs.LATENCY_DRAWINGS, seed=0
    )
    iterator = iter(batches)
    return measure(lambda: sum(evaluation.run(iterator)))


def measure(work: Callable[[], object]) -> tuple[float, float]:
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu_began


def table(rounds: list[Round], drawings: int) -> str:
    """Lays out the medians, and the median of the rounds' ratios."""
    lines = [f"{'':<12}{'drawings/s':>12}{'of CPU time':>13}"]
    for name in Round._fields:
        seconds, cpu_seconds = (
            statistics.median(getattr(some, name)[column] for some in rounds)
            for column in (0, 1)
        )
        lines.append(
            f"{name:<12}{drawings / seconds:>12,.0f}{drawings / cpu_seconds:>13,.0f}"
        )
    time_ratio, cpu_ratio = (
        [some.evaluation[column] / some.forward[column] for some in rounds]
        for column in (0, 1)
    )
    lines.append(
        f"evaluation takes {statistics.median(time_ratio):.2f} × the forward pass "
        f"({min(time_ratio):.2f} to {max(time_ratio):.2f}), "
        f"{statistics.median(cpu_ratio):.2f} × its CPU time"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")

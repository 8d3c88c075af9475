"""Measures an evaluation relative to the forward pass of the model.

    python -m benchmarks.evaluate --data_dir=DIR

    forward      the model on batches in memory
    evaluation   reading and parsing records, the model, all metrics with their
                 bootstrap replicates, and the galleries

Both process the whole split, alternately, and the ratio is computed per round, so that
other load on the machine affects both. Start-up, partial drawings and plots are not
included. The model is not trained, which does not affect its speed.
"""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf
from absl import flags

from pipeline import cli
from pipeline.report.text_table import format_table
from rnn_model import input_pipeline, models
from rnn_model.config import MODELS, TrainConfig
from rnn_model.evaluation import compare_runs, evaluator
from rnn_model.evaluation.loaded_run import LoadedRun
from tfrecords.dataset_info import DatasetInfo, load_dataset_info

Batches = list[dict[str, tf.Tensor]]


class Duration(NamedTuple):
    """Wall-clock and CPU time in seconds."""

    seconds: float
    cpu_seconds: float


class Round(NamedTuple):
    """Durations of one round."""

    forward: Duration
    evaluation: Duration


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("split", "test", "Name of the split.")
    flags.DEFINE_enum("model", "rnn", MODELS, "Name of the model.")
    flags.DEFINE_integer("rounds", 5, "Number of rounds.", lower_bound=1)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("data_dir")
    info = load_dataset_info(values.data_dir)
    run = make_untrained_run(values.model, info)
    dataset = input_pipeline.evaluation_batches(
        info, values.data_dir, values.split, evaluator.BATCH_SIZE
    )
    batches = list(dataset)
    rounds = [
        Round(
            measure(lambda: run_forward(run, batches, info.kind)),
            measure_evaluation(run, info, dataset),
        )
        for _ in range(values.rounds + 1)
    ]
    # The first round is a warm-up.
    print(format_rounds(rounds[1:], info.split(values.split).examples))


def make_untrained_run(model_name: str, info: DatasetInfo) -> LoadedRun:
    """Makes a run with random weights."""
    model = models.build_model(TrainConfig(model=model_name), len(info.classes))
    logits_fn = evaluator.make_logits_fn(model, info.kind)
    return LoadedRun(model_name, "", model_name, model.count_params(), [], logits_fn)


def run_forward(run: LoadedRun, batches: Batches, kind: str) -> None:
    """Computes the logits of all batches."""
    for batch in batches:
        run.logits_fn(*(batch[name] for name in models.INPUT_SPECS[kind])).numpy()


def measure_evaluation(
    run: LoadedRun, info: DatasetInfo, batches: tf.data.Dataset
) -> Duration:
    """Measures an evaluation between its start and its report."""
    evaluation = compare_runs.EvaluationPass(
        info, [run], sample_size=compare_runs.LATENCY_DRAWINGS, seed=0
    )
    iterator = iter(batches)
    return measure(lambda: sum(evaluation.run(iterator)))


def measure(function: Callable[[], object]) -> Duration:
    """Measures a function call."""
    start, cpu_start = time.perf_counter(), time.process_time()
    function()
    return Duration(time.perf_counter() - start, time.process_time() - cpu_start)


def format_rounds(rounds: list[Round], num_drawings: int) -> str:
    """Formats a table of the medians, and the median of the ratios of the rounds."""
    rows = []
    for name in Round._fields:
        seconds, cpu_seconds = map(
            statistics.median, zip(*(getattr(each, name) for each in rounds))
        )
        rates = [round(num_drawings / seconds), round(num_drawings / cpu_seconds)]
        rows.append([name, *rates])
    ratios, cpu_ratios = zip(
        *(
            [evaluation / forward for evaluation, forward in zip(*reversed(each))]
            for each in rounds
        )
    )
    return (
        format_table(["", "drawings/s", "per CPU second"], rows)
        + f"\nevaluation takes {statistics.median(ratios):.2f} × the forward pass "
        f"({min(ratios):.2f} to {max(ratios):.2f}), "
        f"{statistics.median(cpu_ratios):.2f} × its CPU time"
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")

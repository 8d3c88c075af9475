r"""Runs a sweep: training runs with different settings, ranked by validation top-1.

    python -m rnn_model.sweep --data_dir=DIR --workdir=sweeps/rates --model=cnn \
      --grid=optimizer:adam,sgd,adadelta --grid=learning_rate:1e-4,1e-2,0.5
    python -m rnn_model.sweep --data_dir=DIR --workdir=sweeps/guided --search=40 \
      --range=learning_rate:1e-4..1e-2:log --range=dropout:0.1..0.6 \
      --grid=batch_size:64,128

With --grid alone, all combinations of the values are tried. With --search=N, N trials
are sampled from the ranges and values, the first ten at random, the others by TPE
(tree-structured Parzen estimator); trials that fall behind are pruned. All other
settings have the flags of train.py and are the same for all trials.

Each trial is a training run in <workdir>/trials/<number>/. Run the same command again
to resume an interrupted sweep, or run it several times at once to share the trials. A
trial whose loss is not finite fails, and the sweep continues.

Writes <workdir>/sweep.html, sweep.json and the plots as PNG files. Needs the extra
sweep.
"""

import dataclasses
import json
import os

from absl import flags

from pipeline import cli
from pipeline.report.page import write_file
from rnn_model.config import TrainConfig
from rnn_model.sweep import page, results, space
from rnn_model.sweep.results import TrialResult

PRUNERS = ("median", "halving", "none")


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("workdir", None, "Local folder of the sweep.")
    flags.DEFINE_multi_string(
        "grid", [], "A setting and its values: name:value,value. May be repeated."
    )
    flags.DEFINE_multi_string(
        "range",
        [],
        "With --search: a setting and its range: name:low..high, or name:low..high:log "
        "to sample the logarithm uniformly. May be repeated.",
    )
    flags.DEFINE_integer(
        "search",
        0,
        "Total number of trials to sample; it may be increased later. 0 tries all "
        "combinations of the values of --grid.",
        lower_bound=0,
    )
    flags.DEFINE_enum(
        "pruner",
        "median",
        PRUNERS,
        "Which trials of a search are stopped early. median: those whose best top-1 "
        "is below the median of at least five completed trials, from the third epoch "
        "on. halving: all but the best third after epochs 1, 3, 9, ….",
    )
    flags.DEFINE_integer("search_seed", 0, "Seed of the sampling.", lower_bound=0)
    flags.DEFINE_integer(
        "workers",
        1,
        "Number of trials that run at the same time, each in its own process. More "
        "than one is rarely faster on one GPU or on a few cores.",
        lower_bound=1,
    )
    cli.define_fields(TrainConfig)


def main() -> None:
    """Runs the sweep of the flags."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    cli.require_local("workdir")
    search_space = _parse_space()
    # Fail before the training if a library is missing.
    cli.import_extra("optuna", "sweep")
    cli.import_extra("matplotlib", "sweep")

    from rnn_model.sweep import launcher
    from rnn_model.sweep.store import SweepConfig, TrialStore, store_errors
    from rnn_model.training import loop
    from rnn_model.workdir import file_errors_as_oserror

    with file_errors_as_oserror(), store_errors():
        combinations = search_space.combinations()
        for model in {params.get("model", values.model) for params in combinations}:
            info = loop.load_training_info(values.data_dir, model)
        config = SweepConfig(
            search_space, values.search, values.pruner, values.search_seed, info.classes
        )
        os.makedirs(values.workdir, exist_ok=True)
        store = TrialStore(values.workdir, config)
        num_drawings = sum(info.split("train").class_counts)
        launcher.Launcher(store, values.data_dir, num_drawings).run(values.workers)
        _write_results(results.rank(store.results()), search_space)


def _write_results(ranked: list[TrialResult], search_space: space.SearchSpace) -> None:
    """Writes the report and prints a table.

    Raises:
      ValueError: no trial was completed. The files are written nevertheless.
    """
    data_dir, workdir = flags.FLAGS.data_dir, flags.FLAGS.workdir
    best, best_command = ranked[0], ""
    if best.state == "completed":
        best_command = results.train_command(
            search_space.config(best.params), data_dir, os.path.join(workdir, "best")
        )
    content = results.to_json(ranked, search_space, best_command)
    write_file(
        os.path.join(workdir, "sweep.json"), json.dumps(content, indent=1) + "\n"
    )
    page_path = os.path.join(workdir, "sweep.html")
    name = os.path.basename(os.path.abspath(workdir))
    html = page.build_page(ranked, search_space, data_dir, name, best_command)
    write_file(page_path, html)
    page.write_pngs(ranked, search_space, workdir)
    print(f"\n{results.format_results(ranked, search_space)}\n")
    if not best_command:
        raise ValueError("No trial was completed; the table shows the reasons.")
    print(f"Best trial: {best.number}, in {best.folder}. To train it again:")
    print(f"  {best_command}")
    print(f"Report: {page_path}")


def _parse_space() -> space.SearchSpace:
    """Parses the flags of the search space and checks all combinations."""
    values = flags.FLAGS
    if not (values.grid or values.search):
        raise ValueError(
            "Nothing to try. Pass --grid=name:value,value, or --search=N with --range."
        )
    if values.range and not values.search:
        raise ValueError("--range needs --search=N, the number of trials to sample.")
    choices, ranges = space.parse(values.grid, values.range)
    if not (choices or ranges):
        raise ValueError(f"--search={values.search} needs a --range or --grid.")
    for name in (*choices, *ranges):
        if values[name].present:
            raise ValueError(f"Pass either --{name} or a --grid or --range of it.")
        values[name].value = [*choices.get(name, ()), *ranges.get(name, ())][0]
    fixed = dataclasses.asdict(cli.fields_from_flags(TrainConfig))
    for name in (*choices, *ranges):
        del fixed[name]
    search_space = space.SearchSpace(fixed, choices, ranges)
    search_space.check()
    return search_space


def run() -> None:
    """Entry point of `quickdraw-sweep`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()

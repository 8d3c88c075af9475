"""Tries many settings of a run, and tells which is best.

    python -m rnn_model.sweep --data_dir=DIR --workdir=sweeps/rates --model=cnn \\
      --grid=optimizer:adam,sgd,adadelta --grid=learning_rate:1e-4,1e-2,0.5
    python -m rnn_model.sweep --data_dir=DIR --workdir=sweeps/guided --search=40 \\
      --range=learning_rate:1e-4..1e-2:log --range=dropout:0.1..0.6 \\
      --grid=batch_size:64,128

With --grid alone, every value is tried with every other. With --search=N, N trials are
sampled from ranges and values, the first ten at random and then where good ones were
(TPE); those that fall behind are pruned. All other settings are flags as train.py has
them, and hold for all trials. What is tried stands in flags of its own, after its name
and a colon, so that each flag of train.py keeps its meaning: one value.

Each trial is a run in <workdir>/trials/<number>/, as train.py would leave it. The same
command again goes on where the last one stopped, whatever stopped it; the same command
a second time beside it shares the work. A trial whose loss is no longer finite has
failed, and the sweep goes on.

Writes <workdir>/sweep.html, sweep.json and the plots as PNG. Needs the extra sweep.
"""

import dataclasses
import json
import os

from absl import flags

from pipeline import cli
from pipeline.report import page as report
from rnn_model.config import TrainConfig
from rnn_model.sweep import launcher, page, results, space
from rnn_model.sweep.results import Result
from rnn_model.sweep.store import PRUNERS, Plan, Store, store_errors
from rnn_model.training import loop
from rnn_model.workdir import file_errors


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string("workdir", None, "Folder of the sweep, on this machine.")
    flags.DEFINE_multi_string("grid", [], "A setting and its values, name:value,value")
    flags.DEFINE_multi_string(
        "range",
        [],
        "With --search: a setting and its range, name:low..high, or name:low..high:log "
        "to sample its logarithm evenly",
    )
    flags.DEFINE_integer(
        "search",
        0,
        "So many trials are sampled, in all; more may be asked for later. 0: every "
        "value of --grid is tried with every other.",
        lower_bound=0,
    )
    flags.DEFINE_enum(
        "pruner",
        "median",
        PRUNERS,
        "Which trials of a search are ended early. median: whose best top-1 after an "
        "epoch, the third or later, is below the median of those that completed, at "
        "least five. halving: all but the best third after epochs 1, 3, 9, ….",
    )
    flags.DEFINE_integer(
        "search_seed", 0, "Decides what a search samples.", lower_bound=0
    )
    flags.DEFINE_integer(
        "workers",
        1,
        "So many trials at a time, a process each. On one GPU or few cores they only "
        "get in each other's way.",
        lower_bound=1,
    )
    cli.define_fields(TrainConfig)


def main() -> None:
    """Sweeps as the flags say."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    cli.require_local("workdir")
    tried = _space()
    # What can go wrong at the end is better known before the work.
    cli.import_extra("optuna", "sweep")
    cli.import_extra("matplotlib", "sweep")
    with file_errors(), store_errors():
        for model in {params.get("model", values.model) for params in tried.product()}:
            info = loop.load_info(values.data_dir, model)
        plan = Plan(
            tried, values.search, values.pruner, values.search_seed, info.classes
        )
        os.makedirs(values.workdir, exist_ok=True)
        store = Store(values.workdir, plan)
        drawings = sum(info.split("train").class_counts)
        launcher.Launcher(store, values.data_dir, drawings).run(values.workers)
        _conclude(results.ranked(store.results()), tried)


def _conclude(ranked: list[Result], tried: space.Space) -> None:
    """Writes and prints what came of it.

    Raises:
      ValueError: no trial was completed. The files are there all the same.
    """
    data_dir, workdir = flags.FLAGS.data_dir, flags.FLAGS.workdir
    best, again = ranked[0], ""
    if best.state == "completed":
        config = tried.config(best.params)
        again = results.train_command(config, data_dir, os.path.join(workdir, "best"))
    content = json.dumps(results.to_json(ranked, tried, again), indent=1)
    report.write_file(os.path.join(workdir, "sweep.json"), content + "\n")
    name = os.path.basename(os.path.abspath(workdir))
    text = page.build_page(ranked, tried, data_dir, name, again)
    report.write_file(os.path.join(workdir, "sweep.html"), text)
    page.write_pngs(ranked, tried, workdir)
    print(f"\n{results.table(ranked, tried)}\n")
    if not again:
        raise ValueError("no trial was completed; the table says why")
    print(f"best: trial {best.number}, kept in {best.folder}; the same run again:")
    print(f"  {again}")
    print(f"the sweep to look at: {os.path.join(workdir, 'sweep.html')}")


def _space() -> space.Space:
    """Reads what is to be tried; all that can be said against it is said here."""
    values = flags.FLAGS
    if not (values.grid or values.search):
        raise ValueError(
            "nothing to try: give --grid=name:value,value, or --search=N with --range"
        )
    if values.range and not values.search:
        raise ValueError("--range needs --search=N: how many trials to sample from it")
    choices, ranges = space.parse(values.grid, values.range)
    if not (choices or ranges):
        raise ValueError(f"--search={values.search} needs a --range or --grid")
    for name in (*choices, *ranges):
        if values[name].present:
            raise ValueError(f"--{name} is one value, and a --grid or --range others")
        values[name].value = [*choices.get(name, ()), *ranges.get(name, ())][0]
    settings = dataclasses.asdict(cli.fields_from_flags(TrainConfig))
    for name in (*choices, *ranges):
        del settings[name]
    tried = space.Space(settings, choices, ranges)
    tried.check()
    return tried


def run() -> None:
    """Entry point of `quickdraw-sweep`."""
    cli.run(main, _define_flags, doc=__doc__ or "")

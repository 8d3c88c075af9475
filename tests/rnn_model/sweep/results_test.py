"""Results of a sweep: ranking, table, JSON, and the command of the best trial."""

import dataclasses
import json
import shlex

import pytest
from absl import flags

from pipeline import cli
from rnn_model.config import TrainConfig
from rnn_model.sweep import results


def test_best_trial_is_first_and_failed_ones_are_last(trial_results):
    numbers = [trial.number for trial in results.rank(trial_results)]
    assert numbers == [2, 0, 3, 1]


def test_of_equal_top1_the_lower_loss_is_first(trial_results):
    first, _, other, _ = trial_results
    high_loss = [dict(row, validation_loss=9.0) for row in other.history]
    equal = dataclasses.replace(first, number=7, history=other.history)
    other = dataclasses.replace(other, history=high_loss)
    assert [trial.number for trial in results.rank([other, equal])] == [7, 2]


def test_table_has_one_line_per_trial(trial_results, search_space):
    ranked = results.rank(trial_results)
    head, _, *lines = results.format_results(ranked, search_space).splitlines()
    assert head.split() == [
        *("trial", "optimizer", "balance", "learning_rate", "top-1", "best", "epoch"),
        *("epochs", "training", "state"),
    ]
    assert [line.split() for line in lines] == [
        ["2", "adam", "0.5", "0.0025", "0.8750", "2", "2", "1:00", "min", "completed"],
        ["0", "adam", "0.5", "0.001", "0.7500", "2", "3", "1:31", "min", "completed"],
        ["3", "sgd", "0.5", "0.0001", "0.1250", "1", "1", "0:30", "min", "pruned"],
        [
            *("1", "sgd", "0.5", "0.01", "–", "–", "0", "0:00", "min", "failed:"),
            *("diverged", "<&>"),
        ],
    ]


def test_json_has_every_trial(trial_results, search_space):
    content = results.to_json(trial_results, search_space, "python train.py")
    written = json.loads(json.dumps(content, allow_nan=False))
    assert written["tried"]["learning_rate"] == "0.0001..0.01:log"
    assert written["fixed"]["model"] == "mlp"
    assert [trial["validation_top1"] for trial in written["trials"]] == [
        *(0.75, None, 0.875, 0.125)
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"augment": False, "learning_rate": 1 / 3, "epochs": 7, "optimizer": "lion"},
        {"init_from": "runs/it's mine; really", "freeze_body": True, "seed": 9},
    ],
)
def test_train_command_has_the_same_settings(settings):
    config = TrainConfig(**settings)
    line = results.train_command(config, "my data", "runs/best")
    program, script, *arguments = shlex.split(line)
    assert (program, script) == ("python", "train.py")
    values = flags.FlagValues()
    flags.DEFINE_string("data_dir", None, "", flag_values=values)
    flags.DEFINE_string("workdir", None, "", flag_values=values)
    for field in dataclasses.fields(TrainConfig):
        cli._DEFINE_FLAG[type(field.default)](
            field.name, field.default, "", flag_values=values
        )
    values(["train.py", *arguments])
    assert (values.data_dir, values.workdir) == ("my data", "runs/best")
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    assert TrainConfig(**{name: values[name].value for name in names}) == config

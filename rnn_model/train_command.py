"""Trains a model on a data set of drawings.

    python train.py --data_dir=DIR --workdir=runs/rnn --model=rnn

The same command again goes on where the last one stopped.
"""

import dataclasses

from absl import flags

from pipeline import command
from rnn_model import training
from rnn_model.config import TrainConfig
from rnn_model.workdir import file_errors


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string(
        "workdir", None, "Folder of the run: checkpoints, settings, TensorBoard logs."
    )
    for field in dataclasses.fields(TrainConfig):
        text, choices = field.metadata["help"], field.metadata.get("choices")
        if choices:
            text += f" One of {', '.join(choices)}."
        _DEFINERS[type(field.default)](field.name, field.default, text)


_DEFINERS = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
}


def main() -> None:
    """Trains as the flags say."""
    values = flags.FLAGS
    command.require("data_dir", "workdir")
    names = [field.name for field in dataclasses.fields(TrainConfig)]
    config = TrainConfig(**{name: values[name].value for name in names})
    with file_errors():
        training.train(config, values.data_dir, values.workdir)


def run() -> None:
    """Entry point of `quickdraw-train`."""
    command.run(main, _define_flags, doc=__doc__ or "")

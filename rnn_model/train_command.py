"""Trains a model on a data set of drawings.

    python train.py --data_dir=DIR --workdir=runs/rnn --model=rnn

The same command again resumes a run that was stopped. Training uses all GPUs of the
machine. Several machines, each with TF_CONFIG set, train one model together.
"""

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from absl import flags

from pipeline import cli
from rnn_model.config import TrainConfig

if TYPE_CHECKING:
    from rnn_model.workdir import History

Path = str | os.PathLike[str]


def train(data_dir: Path, workdir: Path, **settings: Any) -> "History":
    """Trains a model, or resumes its training.

        train("data/mine", "runs/mine", epochs=10)

    Args:
      data_dir: data set of `pipeline.create_dataset`.
      workdir: folder of the run: settings, checkpoints, metrics, TensorBoard logs.
      **settings: fields of `config.TrainConfig`, such as `model` or `epochs`.

    Returns:
      The metrics of each epoch, as in `<workdir>/history.json`.

    Raises:
      ValueError: a setting is invalid, the data set cannot be trained on, the workdir
        holds a run with other settings, or the loss is not finite.
      OSError: a file cannot be read or written, or another worker was lost.
    """
    config = TrainConfig(**settings)
    from rnn_model import distributed
    from rnn_model.training.loop import train_and_evaluate
    from rnn_model.workdir import file_errors_as_oserror

    with file_errors_as_oserror():
        cluster = distributed.connect()
        with cluster.connection_errors_as_lost_worker():
            return train_and_evaluate(
                config, os.fspath(data_dir), os.fspath(workdir), cluster=cluster
            )


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string(
        "workdir",
        None,
        "Folder of the run: settings, checkpoints, metrics, TensorBoard logs.",
    )
    cli.define_fields(TrainConfig)


def main() -> None:
    """Trains with the settings of the flags."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    config = cli.fields_from_flags(TrainConfig)
    train(values.data_dir, values.workdir, **dataclasses.asdict(config))


def run() -> None:
    """Entry point of `quickdraw-train`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()

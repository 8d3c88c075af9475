"""Trains a model on a data set of drawings.

    python train.py --data_dir=DIR --workdir=runs/rnn --model=rnn

The same command again goes on where the last one stopped. On several GPUs of a machine
it uses all; several machines, each with TF_CONFIG set, train one model together.
"""

from absl import flags

from pipeline import cli
from rnn_model import distributed
from rnn_model.config import TrainConfig
from rnn_model.training import loop
from rnn_model.workdir import file_errors


def _define_flags() -> None:
    flags.DEFINE_string("data_dir", None, "Data set of pipeline.create_dataset.")
    flags.DEFINE_string(
        "workdir", None, "Folder of the run: checkpoints, settings, TensorBoard logs."
    )
    cli.define_fields(TrainConfig)


def main() -> None:
    """Trains as the flags say."""
    values = flags.FLAGS
    cli.require("data_dir", "workdir")
    config = cli.fields_from_flags(TrainConfig)
    with file_errors():
        together = distributed.join()
        with together.losses_told():
            loop.train(config, values.data_dir, values.workdir, cluster=together)


def run() -> None:
    """Entry point of `quickdraw-train`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()

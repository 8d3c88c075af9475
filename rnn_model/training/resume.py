"""Continues a run that was stopped, or refuses to.

A resumed run ends with the same weights as an uninterrupted one, bit for bit. A run
with other settings or classes than those in the workdir is refused.
"""

import dataclasses
import zlib

from rnn_model.checkpoints import CheckpointManager
from rnn_model.config import TrainConfig
from rnn_model.distributed import Cluster
from rnn_model.training import warm_start
from rnn_model.training.precision import resolve_precision
from rnn_model.training.train_state import TrainState
from rnn_model.workdir import History, Workdir
from tfrecords.dataset_info import DatasetInfo


def resolve_config(
    config: TrainConfig, info: DatasetInfo, workdir: Workdir, cluster: Cluster
) -> TrainConfig:
    """Checks the config against the run in the workdir, and resolves its defaults.

    A resumed run keeps its precision, also on other hardware.

    Raises:
      ValueError: the workdir holds a run with other settings or classes, or the workers
        of the cluster have different flags or files.
    """
    is_resumed = workdir.has_run()
    cluster.check_equal_on_all(
        flags=_checksum(config.to_json()),
        data_dir=_checksum(info.to_json()),
        workdir=is_resumed,
    )
    if is_resumed:
        _check_same_run(workdir, config, info)
        precision = workdir.read_config().precision
        config = dataclasses.replace(config, precision=precision)
    num_drawings = info.split("train").examples
    return resolve_precision(config.resolve_epochs(num_drawings), cluster)


def _check_same_run(workdir: Workdir, config: TrainConfig, info: DatasetInfo) -> None:
    if differences := workdir.read_config().describe_differences(config):
        raise ValueError(
            f"{workdir.path} holds a run with other settings: {'; '.join(differences)}."
            " Use the same settings to resume it, or another --workdir"
        )
    if workdir.read_classes() != info.classes:
        raise ValueError(
            f"{workdir.path} holds a run with other classes than the data set. Use "
            "another --workdir"
        )


def _checksum(text: str) -> int:
    return zlib.crc32(text.encode())


def restore_or_initialize(
    state: TrainState, checkpoints: CheckpointManager, workdir: Workdir
) -> History:
    """Restores the newest readable checkpoint, or starts the run.

    Args:
      state: is restored, or initialized with the weights of `config.init_from`.
      checkpoints: the manager of the checkpoints in `last/`.
      workdir: the settings are written to it.

    Returns:
      The metrics of the completed epochs.

    Raises:
      ValueError: no checkpoint can be read, or the workers read different ones.
    """
    config, classes, cluster = state.config, state.info.classes, state.cluster
    history: History = []
    if path := checkpoints.restore():
        history = workdir.read_history()[: int(state.epochs)]
        cluster.log(f"resuming after {state.describe_position()} ({path})")
    elif config.init_from:
        source = Workdir(config.init_from)
        warm_start.load_initial_weights(state.model, classes, source)
        cluster.log(f"starting from the weights of {config.init_from}")
    cluster.check_equal_on_all(checkpoint=state.step)
    if cluster.is_chief:
        workdir.write_settings(config, classes)
    return history

"""Data-parallel training: the workers, and each one's rows of a batch.

A worker is a process. It has a replica of the model on each of its GPUs, or one on its
CPU. A global batch holds the same drawings for any number of replicas. Each replica
computes some of its rows, and the results are summed (all-reduce).
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context
from tqdm import tqdm

ROLES = ("chief", "master", "worker")
"""Task types in TF_CONFIG that train, in the order of their ranks."""

HEARTBEAT_TIMEOUT = 40
"""Seconds without a heartbeat after which a worker is lost."""

_CONNECTION_ERRORS = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)
"""What TensorFlow raises when another worker no longer responds."""


class LostWorkerError(OSError):
    """Another worker no longer responds; a restart of all workers resumes the run."""

    exit_status = 3


class Task(NamedTuple):
    """A process of a cluster.

    Attributes:
      addresses: of all workers, `host:port`, in the order of their ranks.
      rank: index of this process in `addresses`; 0 is the chief.
    """

    addresses: tuple[str, ...] = ("",)
    rank: int = 0


def parse_tf_config(text: str) -> Task:
    """Parses TF_CONFIG, as set by Vertex AI, Kubeflow and `rnn_model.launch`.

    The format is that of
    https://www.tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver

    Args:
      text: JSON; empty for a process that trains alone.

    Raises:
      ValueError: the text is invalid, or has a task type that this training lacks.
    """
    if not text.strip():
        return Task()
    try:
        config = json.loads(text)
        cluster = dict(config.get("cluster") or {})
        task = config.get("task") or {}
        role, index = task.get("type"), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"TF_CONFIG is invalid: {error}")
    for name, addresses in cluster.items():
        if not isinstance(addresses, list):
            raise ValueError(
                f"TF_CONFIG: the addresses of {name!r} must be a list. "
                f"Received: {addresses!r}"
            )
    if not cluster:
        return Task()
    for name in (role, *cluster):
        if name not in ROLES and (name != "evaluator" or name == role):
            raise ValueError(
                f"TF_CONFIG has a task of type {name!r}, but training uses only a "
                "chief and workers. Remove it from the job; evaluate.py evaluates a "
                "run after training"
            )
    if not 0 <= index < len(cluster.get(role, ())):
        raise ValueError(f"TF_CONFIG: the cluster has no task {role!r} {index}")
    lower_ranks = ROLES[: ROLES.index(role)]
    rank = index + sum(len(cluster.get(name, ())) for name in lower_ranks)
    addresses = [address for name in ROLES for address in cluster.get(name, ())]
    return Task(tuple(addresses), rank)


class Cluster:
    """All workers that train one model, from the view of one of them.

    Attributes:
      strategy: runs a function on every replica.
      num_workers: number of workers.
      rank: of this worker; rank 0 is the chief, who writes all files.
      num_replicas: of all workers together.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy | None = None,
        num_workers: int = 1,
        rank: int = 0,
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.num_workers, self.rank = num_workers, rank
        self.num_replicas = self.strategy.num_replicas_in_sync
        self._local_replicas = self.num_replicas // num_workers

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes the files of the run."""
        return self.rank == 0

    def log(self, line: str) -> None:
        """Prints a line above the progress bar, once for all workers."""
        if self.is_chief:
            tqdm.write(line)
            sys.stdout.flush()  # A log file is read while training runs.

    # --- Rows of a batch --------------------------------------------------------------

    def worker_rows(self, global_size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the range of rows that this worker takes of a global batch.

        Args:
          global_size: `<int32>[...]`, sizes of global batches.

        Returns:
          The first rows and the ends of the ranges, `<int32>[...]`.
        """
        first = self.rank * self._local_replicas
        return self._replica_rows(global_size, first, first + self._local_replicas)

    def take_replica_rows(
        self, rows: dict[str, tf.Tensor], global_size: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Takes the rows of the current replica from the rows of its worker."""
        if self._local_replicas == 1:
            return rows
        replica = _replica_context().replica_id_in_sync_group
        begin, end = self._replica_rows(global_size, replica, replica + 1)
        offset = self.worker_rows(global_size)[0]
        return {
            name: values[begin - offset : end - offset] for name, values in rows.items()
        }

    def _replica_rows(
        self, global_size: tf.Tensor, first: int | tf.Tensor, last: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the range of rows of the replicas from `first` to before `last`.

        No replica can compute an empty batch: if there are fewer rows than replicas,
        each replica takes all of them.
        """
        is_small = global_size < self.num_replicas
        begin = tf.where(is_small, 0, global_size * first // self.num_replicas)
        end = tf.where(is_small, global_size, global_size * last // self.num_replicas)
        return begin, end

    def count_rows_taken(self, global_size: tf.Tensor) -> tf.Tensor:
        """Counts the rows that all replicas take together of a global batch."""
        repeated = global_size * self.num_replicas
        return tf.where(global_size < self.num_replicas, repeated, global_size)

    # --- Collective operations --------------------------------------------------------

    def all_reduce(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        """Sums values over all replicas; call it in a function of `strategy.run`."""
        return _replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def sum_over_workers(self, values: np.ndarray) -> np.ndarray:
        """Sums `<float64>[n]` over the workers; all of them must call it."""
        if self.num_workers == 1:
            return values
        total = self._sum_over_replicas(tf.constant(values, tf.float64))
        return total.numpy() / self._local_replicas

    @tf.function
    def _sum_over_replicas(self, values: tf.Tensor) -> tf.Tensor:
        # Without tf.identity the values are on no device.
        sums = self.strategy.run(lambda: self.all_reduce([tf.identity(values)])[0])
        return self.strategy.experimental_local_results(sums)[0]

    def is_true_on_all(self, value: bool) -> bool:
        """Returns whether a value is true on all workers; all must call it."""
        return bool(self.sum_over_workers(np.array([value]))[0] == self.num_workers)

    def check_equal_on_all(self, **values: float) -> None:
        """Checks that all workers have the same values; all must call it.

        Raises:
          ValueError: a value of a worker differs from that of the chief.
        """
        table = np.zeros([self.num_workers, len(values)])
        table[self.rank] = list(values.values())
        table = self.sum_over_workers(table.ravel()).reshape(table.shape)
        for rank, column in np.argwhere(table != table[0]):
            raise ValueError(
                f"{list(values)[column]} of worker {rank} differs from that of the "
                "chief. All workers need the same flags, and a --data_dir and a "
                "--workdir that all of them can reach"
            )

    @contextlib.contextmanager
    def connection_errors_as_lost_worker(self) -> Iterator[None]:
        """Raises TensorFlow's errors about other workers as LostWorkerError."""
        try:
            yield
        except _CONNECTION_ERRORS as error:
            if self.num_workers == 1:
                raise
            raise LostWorkerError(
                f"worker {self.rank} lost the connection to another of the "
                f"{self.num_workers} workers, whose log may show the cause "
                f"({_reason(error)}). Start all workers again to resume from the last "
                "checkpoint"
            ) from error


SINGLE_WORKER = Cluster()
"""One process with one replica."""


def _reason(error: tf.errors.OpError) -> str:
    """Extracts gRPC's message from the lines that TensorFlow adds."""
    message = error.message.partition("aborted by: ")[2] or error.message
    return message.partition("\n")[0].rpartition("last error: ")[2]


def _replica_context() -> tf.distribute.ReplicaContext:
    return tf.distribute.get_replica_context()


def connect() -> Cluster:
    """Connects to the cluster of TF_CONFIG, or uses all GPUs of this machine.

    Call it before any other TensorFlow operation. It waits for all workers.

    Raises:
      OSError: the other workers cannot be reached.
      ValueError: see `parse_tf_config`.
    """
    addresses, rank = parse_tf_config(os.environ.get("TF_CONFIG", ""))
    num_gpus = len(tf.config.list_physical_devices("GPU"))
    if len(addresses) > 1:
        print(f"worker {rank} of {len(addresses)}: waiting for the others", flush=True)
        strategy = _connect_workers(addresses, rank, num_gpus)
        return Cluster(strategy, len(addresses), rank)
    return Cluster(tf.distribute.MirroredStrategy() if num_gpus > 1 else None)


def _extend_heartbeat_timeout(num_workers: int) -> None:
    """Lets workers on a busy machine miss heartbeats for longer than 10 seconds.

    MultiWorkerMirroredStrategy uses this configuration instead of its own. TensorFlow
    has no public function for it.
    """
    config = tf.compat.v1.ConfigProto().experimental.coordination_config
    workers = config.coordinated_job_list.add(name="worker", num_tasks=num_workers)
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        heartbeat_timeout_in_ms=1000 * HEARTBEAT_TIMEOUT,
        coordinated_jobs=[workers],
    )


def _connect_workers(
    addresses: tuple[str, ...], rank: int, num_gpus: int
) -> tf.distribute.MultiWorkerMirroredStrategy:
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": addresses}),
        task_type="worker",
        task_id=rank,
        num_accelerators={"GPU": num_gpus},
        rpc_layer="grpc",
    )
    _extend_heartbeat_timeout(len(addresses))
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except tf.errors.OpError as error:
        raise OSError(
            f"worker {rank} cannot connect to the others as {addresses[rank]}: "
            f"{_reason(error)}"
        ) from error

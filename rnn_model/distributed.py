"""The workers that train one model together, and each one's part of a batch.

A worker is a process; it has a replica of the model on each of its GPUs, or one on its
processor. Batch n is the same drawings whatever the number of replicas; each takes
some of its rows, and what they find is added up (an all-reduce).
"""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf

ROLES = ("chief", "master", "worker")
"""Tasks of TF_CONFIG that train, in the order of their ranks."""

LOST = (
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.UnavailableError,
)
"""What TensorFlow raises when a worker answers no more."""


class Place(NamedTuple):
    """Where a process stands: the addresses of all workers, and which is its own."""

    addresses: tuple[str, ...] = ("",)
    rank: int = 0


def place(text: str) -> Place:
    """Reads TF_CONFIG, as Vertex AI, Kubeflow and the launcher set it.

    The format is that of
    https://www.tensorflow.org/api_docs/python/tf/distribute/cluster_resolver/TFConfigClusterResolver

    Raises:
      ValueError: it cannot be read, or names a role that this training has no use for.
    """
    if not text.strip():
        return Place()
    try:
        config = json.loads(text)
        tasks = dict(config.get("cluster") or {})
        task = config.get("task") or {}
        role, index = task.get("type"), int(task.get("index", 0))
        addresses = [address for name in ROLES for address in tasks.get(name, ())]
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"TF_CONFIG is not what TensorFlow knows: {error}")
    if not tasks:
        return Place()
    if role not in ROLES or set(tasks) - {*ROLES, "evaluator"}:
        other = role if role not in ROLES else (set(tasks) - {*ROLES}).pop()
        raise ValueError(
            f"TF_CONFIG has a task {other!r}, training has a chief and workers alone: "
            "take it out of the job (evaluate.py evaluates when training is over)"
        )
    before = ROLES[: ROLES.index(role)]
    rank = index + sum(len(tasks.get(name, ())) for name in before)
    if not 0 <= index < len(tasks.get(role, ())):
        raise ValueError(f"TF_CONFIG: its cluster has no {role} {index}")
    return Place(tuple(addresses), rank)


class Cluster:
    """All that train together, as one of the workers sees them; one alone by default.

    strategy   what runs a function on every replica
    workers    how many
    rank       which of them this process is; 0 is the chief, who writes
    replicas   of all workers together
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy | None = None,
        workers: int = 1,
        rank: int = 0,
    ):
        self.strategy = strategy or tf.distribute.get_strategy()
        self.workers, self.rank = workers, rank
        self.replicas = self.strategy.num_replicas_in_sync
        self._here = self.replicas // workers

    @property
    def is_chief(self) -> bool:
        return self.rank == 0

    def rows(self, size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """First row of this worker in batches of `size` drawings, and past its last."""
        first = self.rank * self._here
        return self._rows(size, first, first + self._here)

    def part_of_replica(
        self, values: list[tf.Tensor], size: tf.Tensor
    ) -> list[tf.Tensor]:
        """What of its worker's rows, of a batch of that size, the replica takes."""
        if self._here == 1:
            return values
        replica = _context().replica_id_in_sync_group
        begin, end = self._rows(size, replica, replica + 1)
        before = self.rows(size)[0]
        return [value[begin - before : end - before] for value in values]

    def _rows(
        self, size: tf.Tensor, first: int | tf.Tensor, last: int | tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """What replicas `first` to before `last` take of a batch.

        No replica can do with nothing: of fewer drawings than replicas each takes all.
        """
        few = size < self.replicas
        begin = tf.where(few, 0, size * first // self.replicas)
        return begin, tf.where(few, size, size * last // self.replicas)

    def drawings_taken(self, size: tf.Tensor) -> tf.Tensor:
        """How many drawings the replicas take of a batch, all together."""
        return tf.where(size < self.replicas, size * self.replicas, size)

    def all_reduce(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        """Adds up the replicas' values, in a function that `strategy.run` runs."""
        return _context().all_reduce(tf.distribute.ReduceOp.SUM, values)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Adds up the workers' `<float64>[n]`; all must ask at the same point."""
        if self.workers == 1:
            return values
        return self._sum(tf.constant(values, tf.float64)).numpy() / self._here

    @tf.function
    def _sum(self, values: tf.Tensor) -> tf.Tensor:
        # Without identity the values are on no device.
        parts = self.strategy.run(lambda: self.all_reduce([tf.identity(values)])[0])
        return self.strategy.experimental_local_results(parts)[0]

    def all(self, here: bool) -> bool:
        """Whether it is so on all workers; all must ask."""
        return self.sum(np.array([here]))[0] == self.workers

    def require_same(self, **facts: float) -> None:
        """Raises ValueError on all workers where one has others than the chief."""
        rows = np.zeros([self.workers, len(facts)])
        rows[self.rank] = list(facts.values())
        rows = self.sum(rows.ravel()).reshape(rows.shape)
        for rank, name in np.argwhere(rows != rows[0]):
            raise ValueError(
                f"worker {rank} has not the same {list(facts)[name]} as the chief: all "
                "need the same flags, and --data_dir and --workdir where all see them"
            )

    @contextlib.contextmanager
    def losses_told(self) -> Iterator[None]:
        """Makes an OSError, which a command tells in a line, of a worker's loss."""
        try:
            yield
        except LOST as error:
            if self.workers == 1:
                raise
            raise OSError(
                f"worker {self.rank} has lost another of the {self.workers}, whose log "
                f"may tell why ({_reason(error)}); started again, all go on from the "
                "last checkpoint"
            ) from error


ALONE = Cluster()


def _reason(error: tf.errors.OpError) -> str:
    """What gRPC says, of the many lines that TensorFlow puts around it."""
    told = error.message.partition("aborted by: ")[2] or error.message
    return told.partition("\n")[0].rpartition("last error: ")[2]


def _context() -> tf.distribute.ReplicaContext:
    return tf.distribute.get_replica_context()


def join() -> Cluster:
    """Joins the cluster of TF_CONFIG, or takes all GPUs of this machine.

    It must come before all else that TensorFlow does. It waits until all workers have
    come.

    Raises:
      ValueError: see `place`.
    """
    addresses, rank = place(os.environ.get("TF_CONFIG", ""))
    gpus = len(tf.config.list_physical_devices("GPU"))
    if len(addresses) > 1:
        print(f"worker {rank} of {len(addresses)} waits for the others", flush=True)
        return Cluster(_meet(addresses, rank, gpus), len(addresses), rank)
    return Cluster(tf.distribute.MirroredStrategy() if gpus > 1 else None)


def _meet(
    addresses: tuple[str, ...], rank: int, gpus: int
) -> tf.distribute.MultiWorkerMirroredStrategy:
    """Connects to the other workers; OSError where this cannot be."""
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": addresses}),
        task_type="worker",
        task_id=rank,
        num_accelerators={"GPU": gpus},
        rpc_layer="grpc",
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    except tf.errors.OpError as error:
        raise OSError(
            f"worker {rank} cannot meet the others as {addresses[rank]}: "
            f"{_reason(error)}"
        ) from error

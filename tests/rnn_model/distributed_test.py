"""Distributed training: TF_CONFIG, the rows of each replica, and two devices."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import distributed, input_pipeline
from rnn_model.distributed import SINGLE_WORKER, Cluster, LostWorkerError, Task
from tests.conftest import without_tensorflow_log
from tfrecords.dataset_info import load_dataset_info

ROOT = Path(__file__).parents[2]


def tf_config(role, index, **cluster):
    return json.dumps({"cluster": cluster, "task": {"type": role, "index": index}})


def make_cluster(num_replicas, num_workers=1, rank=0):
    """Returns a cluster with a strategy that cannot run anything."""
    strategy = SimpleNamespace(num_replicas_in_sync=num_replicas)
    return Cluster(strategy, num_workers, rank)


# --- TF_CONFIG ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Task(("",), 0)),
        ("{}", Task(("",), 0)),
        (tf_config("worker", 1, worker=["a:1", "b:1"]), Task(("a:1", "b:1"), 1)),
        # Vertex AI, with one worker pool and with two
        (tf_config("chief", 0, chief=["a:1"]), Task(("a:1",), 0)),
        (
            tf_config("worker", 0, chief=["a:1"], worker=["b:1"]),
            Task(("a:1", "b:1"), 1),
        ),
        # Kubeflow
        (
            tf_config("worker", 1, master=["m:1"], worker=["a:1", "b:1"]),
            Task(("m:1", "a:1", "b:1"), 2),
        ),
        (
            tf_config("chief", 0, worker=["b:1"], chief=["a:1"], evaluator=["e:1"]),
            Task(("a:1", "b:1"), 0),
        ),
    ],
)
def test_parse_tf_config(text, expected):
    assert distributed.parse_tf_config(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "TF_CONFIG is invalid"),
        ("[]", "TF_CONFIG is invalid"),
        (tf_config("worker", 0, worker="a:1"), "must be a list. Received: 'a:1'"),
        (tf_config("worker", 2, worker=["a:1", "b:1"]), "no task 'worker' 2"),
        (tf_config("chief", 0, worker=["a:1", "b:1"]), "no task 'chief' 0"),
        (tf_config("evaluator", 0, chief=["a:1"], worker=["b:1"]), "'evaluator'"),
        (tf_config("ps", 0, chief=["a:1"], ps=["b:1"]), "a task of type 'ps'"),
        (tf_config("worker", 0, worker=["a:1"], ps=["b:1"]), "a task of type 'ps'"),
    ],
)
def test_an_invalid_tf_config_is_an_error(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        distributed.parse_tf_config(text)
    assert "\n" not in str(caught.value)


def test_the_command_reports_an_invalid_tf_config():
    text = tf_config("evaluator", 0, chief=["a:1"], worker=["b:1"])
    done = subprocess.run(
        [sys.executable, "train.py", "--data_dir=d", "--workdir=w"],
        cwd=ROOT,
        env=os.environ | {"TF_CONFIG": text},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    stderr = without_tensorflow_log(done.stderr)
    assert stderr.startswith("error: TF_CONFIG has a task of type 'evaluator'")
    assert stderr.count("\n") == 1


# --- Rows of a batch ------------------------------------------------------------------


@pytest.mark.parametrize("num_replicas", [1, 2, 3, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9, 128])
def test_the_rows_of_the_workers_make_the_batch(num_replicas, size):
    """Each row is taken once, or equally often if there are fewer than replicas."""
    batch = tf.range(size)
    taken = []
    for rank in range(num_replicas):
        worker = make_cluster(num_replicas, num_replicas, rank)
        begin, end = worker.worker_rows(tf.constant(size))
        assert end > begin
        taken += batch[begin:end].numpy().tolist()
    total = make_cluster(num_replicas).count_rows_taken(tf.constant(size))
    assert len(taken) == total
    times = num_replicas if size < num_replicas else 1
    assert sorted(taken) == sorted([*range(size)] * times)


def test_two_replicas_of_a_worker_share_its_rows(monkeypatch):
    taken = []
    for rank in (0, 1):
        worker = make_cluster(4, 2, rank)
        begin, end = worker.worker_rows(tf.constant(9))
        rows = {"row": tf.range(9)[begin:end]}
        for replica in (2 * rank, 2 * rank + 1):
            context = SimpleNamespace(replica_id_in_sync_group=replica)
            monkeypatch.setattr(
                distributed, "_replica_context", lambda context=context: context
            )
            taken.append(worker.take_replica_rows(rows, tf.constant(9))["row"].numpy())
    assert [len(rows) for rows in taken] == [2, 2, 2, 3]
    assert np.concatenate(taken).tolist() == list(range(9))


@pytest.mark.parametrize("sort_by_length", [True, False])
def test_workers_take_parts_of_the_same_batches(data_dir, sort_by_length):
    """Rows, their order and their augmentation are those of a single worker."""
    info = load_dataset_info(str(data_dir))

    def make_batches(worker_rows):
        return input_pipeline.training_batches(
            *(info, str(data_dir), 7),
            seed=5,
            epochs=range(1, 3),
            augment=True,
            partial=0.3,
            repeats=np.array([1, 2, 1, 3]),
            sort_by_length=sort_by_length,
            skip=2,
            worker_rows=worker_rows,
        )

    workers = [make_batches(make_cluster(3, 3, rank).worker_rows) for rank in range(3)]
    num_small = 0
    for batch, *parts in zip(make_batches(None), *workers, strict=True):
        size = len(batch["class_index"])
        assert {int(part["drawings"]) for part in [batch, *parts]} == {size}
        if size < 3:
            num_small += 1
            parts = parts[:1]
        for name in ("key_id", "copy", "class_index", "length"):
            joined = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(joined, batch[name])
        drawings = [ink for part in parts for ink in part["ink"].numpy()]
        for drawing, expected in zip(drawings, batch["ink"].numpy(), strict=True):
            length = len(drawing)
            np.testing.assert_allclose(drawing, expected[:length], atol=1e-7)
            assert not expected[length:].any()
    assert num_small <= 2


def test_collective_operations_of_a_single_worker():
    values = np.array([1.5, 2])
    np.testing.assert_array_equal(SINGLE_WORKER.sum_over_workers(values), values)
    assert SINGLE_WORKER.is_true_on_all(True)
    assert not SINGLE_WORKER.is_true_on_all(False)
    SINGLE_WORKER.check_equal_on_all(flags=1, workdir=False)


def test_a_worker_with_other_values_than_the_chief_is_an_error(monkeypatch):
    cluster = make_cluster(2, 2, 0)
    table = np.array([7, 1, 8, 1.0])  # worker 1 has other flags
    monkeypatch.setattr(cluster, "sum_over_workers", lambda values: table)
    with pytest.raises(ValueError, match=r"^flags of worker 1 differs from that"):
        cluster.check_equal_on_all(flags=7, workdir=1)


def test_connection_errors_name_worker_and_cause():
    error = tf.errors.UnavailableError(None, None, "aborted by: x last error: refused")
    cluster = make_cluster(2, 2, 1)
    with (
        pytest.raises(
            LostWorkerError, match=r"^worker 1 lost .* \(refused\)"
        ) as caught,
        cluster.connection_errors_as_lost_worker(),
    ):
        raise error
    assert caught.value.exit_status == 3  # docs/launching.md


# --- Two devices ----------------------------------------------------------------------


def test_two_devices_compute_the_weights_and_statistics_of_one(data_dir, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.rnn_model.two_devices", data_dir, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert min(result["changes"]) > 5e-5
    assert max(result["differences"]) < 1e-5  # rounding

"""Who trains together: TF_CONFIG, each one's part of a batch, and two devices."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import distributed, input_pipeline
from rnn_model.distributed import Cluster, Place
from tfrecords.dataset_info import load_dataset_info

ROOT = Path(__file__).parents[2]


def tf_config(role, index, **tasks):
    return json.dumps({"cluster": tasks, "task": {"type": role, "index": index}})


def of(replicas, workers=1, rank=0):
    """A cluster with so many replicas, that runs nothing."""
    return Cluster(SimpleNamespace(num_replicas_in_sync=replicas), workers, rank)


# --- TF_CONFIG ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Place(("",), 0)),
        ("{}", Place(("",), 0)),
        (tf_config("worker", 1, worker=["a:1", "b:1"]), Place(("a:1", "b:1"), 1)),
        # Vertex AI, of one pool and of two
        (tf_config("chief", 0, chief=["a:1"]), Place(("a:1",), 0)),
        (
            tf_config("worker", 0, chief=["a:1"], worker=["b:1"]),
            Place(("a:1", "b:1"), 1),
        ),
        # Kubeflow
        (
            tf_config("worker", 1, master=["m:1"], worker=["a:1", "b:1"]),
            Place(("m:1", "a:1", "b:1"), 2),
        ),
        (
            tf_config("chief", 0, worker=["b:1"], chief=["a:1"], evaluator=["e:1"]),
            Place(("a:1", "b:1"), 0),
        ),
    ],
)
def test_the_place_in_the_cluster(text, expected):
    assert distributed.place(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "TF_CONFIG is not what TensorFlow knows"),
        ("[]", "TF_CONFIG is not what TensorFlow knows"),
        (tf_config("worker", 2, worker=["a:1", "b:1"]), "no worker 2"),
        (tf_config("chief", 0, worker=["a:1", "b:1"]), "no chief 0"),
        (tf_config("evaluator", 0, chief=["a:1"], worker=["b:1"]), "'evaluator'"),
        (tf_config("ps", 0, chief=["a:1"], ps=["b:1"]), "a task 'ps'"),
        (tf_config("worker", 0, worker=["a:1"], ps=["b:1"]), "a task 'ps'"),
    ],
)
def test_a_tf_config_that_cannot_be_is_refused(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        distributed.place(text)
    assert "\n" not in str(caught.value)


def test_an_evaluator_is_refused_in_a_line():
    text = tf_config("evaluator", 0, chief=["a:1"], worker=["b:1"])
    done = subprocess.run(
        [sys.executable, "train.py", "--data_dir=d", "--workdir=w"],
        cwd=ROOT,
        env={"TF_CONFIG": text},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: TF_CONFIG has a task 'evaluator'")
    assert done.stderr.count("\n") == 1


# --- Parts of a batch -----------------------------------------------------------------


@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 9, 128])
def test_the_parts_are_the_whole(replicas, size):
    """Each drawing once; or, where there are too few, each as often as the others."""
    batch = tf.range(size)
    taken = []
    for rank in range(replicas):
        begin, end = of(replicas, replicas, rank).rows(tf.constant(size))
        assert end > begin
        taken += batch[begin:end].numpy().tolist()
    assert len(taken) == of(replicas).drawings_taken(tf.constant(size))
    times = replicas if size < replicas else 1
    assert sorted(taken) == sorted([*range(size)] * times)


def test_two_replicas_of_a_worker_share_its_rows(monkeypatch):
    taken = []
    for rank in (0, 1):
        worker = of(4, 2, rank)
        begin, end = worker.rows(tf.constant(9))
        for replica in (2 * rank, 2 * rank + 1):
            context = SimpleNamespace(replica_id_in_sync_group=replica)
            monkeypatch.setattr(
                distributed, "_context", lambda context=context: context
            )
            rows = tf.range(9)[begin:end]
            taken.append(worker.part_of_replica([rows], tf.constant(9))[0].numpy())
    assert [len(part) for part in taken] == [2, 2, 2, 3]
    assert np.concatenate(taken).tolist() == list(range(9))


@pytest.mark.parametrize("by_length", [True, False])
def test_workers_take_the_same_batches_apart(data_dir, by_length):
    """Rows, their order and what augmentation makes of them are those of one worker."""
    info = load_dataset_info(str(data_dir))

    def batches(rows):
        return input_pipeline.training_batches(
            *(info, str(data_dir), 7),
            seed=5,
            epochs=range(1, 3),
            augment=True,
            partial=0.3,
            repeats=np.array([1, 2, 1, 3]),
            by_length=by_length,
            skip=2,
            rows=rows,
        )

    parts = [batches(of(3, 3, rank).rows) for rank in range(3)]
    few = 0
    for whole, *some in zip(batches(None), *parts, strict=True):
        size = len(whole["class_index"])
        assert {int(part["drawings"]) for part in [whole, *some]} == {size}
        if size < 3:
            few += 1
            some = some[:1]
        assert sum(len(part["length"]) for part in some) == size
        for name in ("key_id", "copy", "class_index", "length"):
            joined = np.concatenate([part[name] for part in some])
            np.testing.assert_array_equal(joined, whole[name])
        drawings = [ink for part in some for ink in part["ink"].numpy()]
        for drawing, ink in zip(drawings, whole["ink"].numpy(), strict=True):
            np.testing.assert_allclose(drawing, ink[: len(drawing)], atol=1e-7)
            assert not ink[len(drawing) :].any()
    assert few <= 2


def test_alone_there_is_nothing_to_add_up():
    np.testing.assert_array_equal(distributed.ALONE.sum(np.array([1.5, 2])), [1.5, 2])
    assert distributed.ALONE.all(True)
    assert not distributed.ALONE.all(False)
    distributed.ALONE.require_same(flags=1, workdir=False)


def test_workers_that_differ_are_told_in_what(monkeypatch):
    others = np.array([7, 1, 8, 1.0])  # worker 1 has other flags
    two = of(2, 2, 0)
    monkeypatch.setattr(two, "sum", lambda mine: others)
    with pytest.raises(ValueError, match=r"^worker 1 has not the same flags as the"):
        two.require_same(flags=7, workdir=1)


# --- Two devices ----------------------------------------------------------------------


def test_two_devices_end_with_the_weights_and_statistics_of_one(data_dir, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.rnn_model.two_devices", data_dir, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert min(found["moved"]) > 1e-4
    assert max(found["apart"]) < 1e-5

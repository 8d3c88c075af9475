"""Records → batches: every drawing once, the same again, little padding."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import input_pipeline
from tfrecords.dataset_info import load_dataset_info


@pytest.fixture(scope="module")
def info(data_dir):
    return load_dataset_info(str(data_dir))


@pytest.fixture
def damaged(data_dir, tmp_path):
    """A copy of the data set, to be damaged."""
    return shutil.copytree(data_dir, tmp_path / "damaged")


def training_batches(info, data_dir, **settings):
    defaults = {"batch_size": 16, "seed": 0, "epochs": range(1, 2), "augment": False}
    settings = defaults | settings
    batches = input_pipeline.training_batches(info, str(data_dir), **settings)
    return list(batches.as_numpy_iterator())


def evaluation_batches(info, data_dir, split="train", batch_size=16):
    batches = input_pipeline.evaluation_batches(info, str(data_dir), split, batch_size)
    return list(batches.as_numpy_iterator())


def keys_of(batches):
    return [key for batch in batches for key in batch["key_id"].tolist()]


def records_of(info, data_dir, split):
    """Key to ink, class and length, read one by one with TensorFlow's own parser."""
    records = {}
    for shard in info.split(split).shards:
        kind = "GZIP" if info.compression == "gzip" else ""
        path = str(data_dir / shard.name)
        for record in tf.data.TFRecordDataset(path, compression_type=kind):
            features = tf.train.Example.FromString(record.numpy()).features.feature
            ink = np.float32(features["ink"].float_list.value).reshape(-1, 3)
            key = features["key_id"].bytes_list.value[0]
            records[key] = (ink, features["class_index"].int64_list.value[0])
    return records


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("batch_size", [1, 16])
def test_an_epoch_has_every_drawing_once(
    info, data_dir, augment, batch_size, monkeypatch
):
    """With batches of one drawing, there are several windows."""
    monkeypatch.setattr(input_pipeline, "WINDOW", 50)
    assert info.split("train").examples > 2 * input_pipeline.WINDOW
    settings = {"augment": augment, "batch_size": batch_size}
    keys = keys_of(training_batches(info, data_dir, **settings))
    assert sorted(keys) == sorted(records_of(info, data_dir, "train"))
    assert len(keys) == info.split("train").examples


@pytest.mark.parametrize(
    ("split", "batch_size"), [("train", 1), ("train", 5), ("validation", 5)]
)
def test_batches_hold_what_the_records_hold(info, data_dir, split, batch_size):
    records = records_of(info, data_dir, split)
    batches = evaluation_batches(info, data_dir, split, batch_size)
    assert sorted(keys_of(batches)) == sorted(records)
    for batch in batches:
        assert batch["ink"].shape == (len(batch["length"]), batch["length"].max(), 3)
        assert batch["ink"].dtype == np.float32
        assert batch["length"].dtype == np.int32
        assert set(batch["recognized"].tolist()) <= {0, 1}
        for row, key in enumerate(batch["key_id"]):
            ink, class_index = records[key]
            assert batch["length"][row] == len(ink)
            assert batch["class_index"][row] == class_index
            np.testing.assert_array_equal(batch["ink"][row, : len(ink)], ink)
            assert not batch["ink"][row, len(ink) :].any()


def test_the_ragged_last_batch_is_not_dropped(info, data_dir):
    examples = info.split("train").examples
    assert examples % 16
    for batches in (
        evaluation_batches(info, data_dir),
        training_batches(info, data_dir),
    ):
        sizes = sorted(len(batch["length"]) for batch in batches)
        assert sizes == [examples % 16] + [16] * (examples // 16)


@pytest.mark.parametrize("augment", [False, True])
def test_the_same_seed_and_epoch_give_the_same_bits(info, data_dir, augment):
    one, other = (
        training_batches(info, data_dir, seed=3, epochs=range(2, 3), augment=augment)
        for _ in range(2)
    )
    assert len(one) == len(other)
    for mine, theirs in zip(one, other):
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


def test_the_number_of_threads_has_no_say(info, data_dir):
    batches = input_pipeline.training_batches(
        info, str(data_dir), 1, seed=3, epochs=range(2, 3), augment=True
    )
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    alone = list(batches.with_options(options).as_numpy_iterator())
    assert len(alone) == info.split("train").examples
    for mine, theirs in zip(alone, batches.as_numpy_iterator()):
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


@pytest.mark.parametrize("other", [{"epochs": range(2, 3)}, {"seed": 1}])
def test_another_epoch_or_seed_gives_another_order(info, data_dir, other):
    one = keys_of(training_batches(info, data_dir))
    assert keys_of(training_batches(info, data_dir, **other)) != one


def test_another_epoch_augments_in_another_way(info, data_dir):
    def inks(epoch):
        epochs = range(epoch, epoch + 1)
        batches = training_batches(info, data_dir, epochs=epochs, augment=True)
        return {
            key: batch["ink"][row, : batch["length"][row]]
            for batch in batches
            for row, key in enumerate(batch["key_id"])
        }

    one, other = inks(1), inks(2)
    assert not any(np.allclose(one[key], other[key]) for key in one)


def test_a_batch_holds_drawings_of_about_one_length(info, data_dir):
    batches = training_batches(info, data_dir)
    points = sum(batch["length"].sum() for batch in batches)
    padded = sum(batch["ink"].shape[0] * batch["ink"].shape[1] for batch in batches)
    lengths = np.concatenate([batch["length"] for batch in batches])
    assert padded < 1.35 * points
    assert lengths.max() * len(lengths) > 2 * points  # else there is nothing to save


def test_a_batch_not_by_length_holds_drawings_of_all_lengths(info, data_dir):
    sorted_ones = training_batches(info, data_dir)
    mixed = training_batches(info, data_dir, by_length=False)
    assert sorted(keys_of(mixed)) == sorted(keys_of(sorted_ones))

    def spread_of_means(batches):
        return np.std([batch["length"].mean() for batch in batches])

    assert spread_of_means(mixed) < 0.5 * spread_of_means(sorted_ones)


@pytest.mark.parametrize("by_length", [False, True])
def test_an_epoch_is_the_same_wherever_one_begins(
    info, data_dir, by_length, monkeypatch
):
    """Whatever TensorFlow's own seed is, too."""
    monkeypatch.setattr(input_pipeline, "WINDOW", 3)
    monkeypatch.setattr(input_pipeline, "SHUFFLE_RECORDS", 60)
    settings = {"augment": True, "by_length": by_length}
    settings["repeats"] = np.array([1, 2, 1, 1])
    found = []
    for seed, epochs in ((0, [range(1, 4)]), (1, [range(n, n + 1) for n in (1, 2, 3)])):
        tf.random.set_seed(seed)
        parts = (training_batches(info, data_dir, epochs=n, **settings) for n in epochs)
        found.append([batch for part in parts for batch in part])
    assert len(found[0]) == len(found[1])
    for mine, theirs in zip(*found):
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


@pytest.mark.parametrize("augment", [False, True])
def test_skipped_batches_are_the_first(info, data_dir, augment):
    whole = training_batches(info, data_dir, augment=augment)
    rest = training_batches(info, data_dir, augment=augment, skip=3)
    assert len(rest) == len(whole) - 3
    for mine, theirs in zip(rest, whole[3:]):
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name])


def test_the_batches_do_not_come_in_order_of_length(info, data_dir):
    widths = [batch["ink"].shape[1] for batch in training_batches(info, data_dir)]
    assert widths != sorted(widths)


def test_gzip_shards_hold_the_same(build, doodles, data_dir, info, tmp_path):
    build([doodles / "*.ndjson"], tmp_path / "data", compression="gzip")
    packed = load_dataset_info(str(tmp_path / "data"))
    assert packed.compression == "gzip"
    keys = keys_of(training_batches(packed, tmp_path / "data"))
    assert sorted(keys) == sorted(keys_of(training_batches(info, data_dir)))


def test_a_folder_without_dataset_info_is_no_data_set(damaged):
    (damaged / "dataset_info.json").unlink()
    with pytest.raises(ValueError, match=r"is not a data set.*no dataset_info\.json"):
        load_dataset_info(str(damaged))


def test_a_missing_shard_is_named(damaged):
    (damaged / "train-00001-of-00002.tfrecord").unlink()
    with pytest.raises(ValueError, match=r"train-00001-of-00002\.tfrecord is missing"):
        load_dataset_info(str(damaged))


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("by_length", [False, True])
def test_drawings_come_as_often_as_their_class_is_to(
    info, data_dir, augment, by_length
):
    repeats = np.arange(1, len(info.classes) + 1)
    settings = {"augment": augment, "by_length": by_length, "repeats": repeats}
    batches = training_batches(info, data_dir, **settings)
    sizes = [len(batch["key_id"]) for batch in batches]
    total = np.dot(info.split("train").class_counts, repeats)
    assert sum(sizes) == total
    assert len(sizes) == -(-total // 16)  # or steps could not be counted
    copies = {}
    for batch in batches:
        for row, key in enumerate(batch["key_id"]):
            copies.setdefault((key, batch["class_index"][row]), {})[
                batch["copy"][row]
            ] = batch["ink"][row].tobytes()
    assert len(copies) == info.split("train").examples
    for (_, class_index), inks in copies.items():
        assert sorted(inks) == list(range(repeats[class_index]))
        if augment:
            assert len(set(inks.values())) == len(inks)


def test_a_short_shard_is_named(damaged):
    shard = damaged / "test-00000-of-00002.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"test-00000-of-00002\.tfrecord has .* bytes"):
        load_dataset_info(str(damaged))


def test_an_unknown_split_names_those_there_are(info, data_dir):
    with pytest.raises(ValueError, match=r"'dev'.*train, validation, test"):
        evaluation_batches(info, data_dir, "dev")


@pytest.mark.parametrize("batch_size", [1, 16])
def test_bitmaps_come_once_each_and_as_they_are(bitmap_data_dir, batch_size):
    info = load_dataset_info(str(bitmap_data_dir))
    settings = {"augment": True, "batch_size": batch_size}
    training = training_batches(info, bitmap_data_dir, **settings)
    evaluation = evaluation_batches(info, bitmap_data_dir, "train", batch_size)
    found = []
    assert set(training[0]) == set(evaluation[0]) | {"copy"}
    for batches in (training, evaluation):
        assert {"bitmap", "class_index", "recognized", "key_id"} <= set(batches[0])
        assert batches[0]["bitmap"].shape == (batch_size, 28, 28, 1)
        assert max(batch["bitmap"].max() for batch in batches) == 1
        found.append(
            {
                key: (batch["bitmap"][row].tobytes(), batch["class_index"][row])
                for batch in batches
                for row, key in enumerate(batch["key_id"])
            }
        )
        assert len(keys_of(batches)) == info.split("train").examples
    assert found[0] == found[1]
    assert keys_of(training) != keys_of(evaluation)


def test_another_epoch_has_other_batches_of_bitmaps(bitmap_data_dir):
    info = load_dataset_info(str(bitmap_data_dir))
    one, again, other = (
        [set(batch["key_id"]) for batch in training_batches(info, bitmap_data_dir, **s)]
        for s in ({}, {}, {"epochs": range(2, 3)})
    )
    assert one == again
    assert not any(batch in other for batch in one)

"""Records → batches: complete, reproducible, and with little padding."""

import numpy as np
import pytest
import tensorflow as tf

from rnn_model import input_pipeline
from tfrecords.dataset_info import load_dataset_info


@pytest.fixture(scope="module")
def info(data_dir):
    return load_dataset_info(str(data_dir))


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


def assert_equal_batches(actual, expected):
    assert len(actual) == len(expected)
    for batch, expected_batch in zip(actual, expected):
        assert batch.keys() == expected_batch.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], expected_batch[name])


def read_records(info, data_dir, split):
    """Reads ink and class by key, one record at a time with TensorFlow's parser."""
    records = {}
    for shard in info.split(split).shards:
        path = str(data_dir / shard.name)
        for record in tf.data.TFRecordDataset(path):
            features = tf.train.Example.FromString(record.numpy()).features.feature
            ink = np.float32(features["ink"].float_list.value).reshape(-1, 3)
            key = features["key_id"].bytes_list.value[0]
            records[key] = (ink, features["class_index"].int64_list.value[0])
    return records


# --- Content --------------------------------------------------------------------------


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("batch_size", [1, 16])
def test_an_epoch_has_every_drawing_once(
    info, data_dir, augment, batch_size, monkeypatch
):
    """Batches of one drawing make several windows."""
    monkeypatch.setattr(input_pipeline, "WINDOW_BATCHES", 50)
    assert info.split("train").examples > 2 * 50
    settings = {"augment": augment, "batch_size": batch_size}
    keys = keys_of(training_batches(info, data_dir, **settings))
    assert sorted(keys) == sorted(read_records(info, data_dir, "train"))
    assert len(keys) == info.split("train").examples


@pytest.mark.parametrize(
    ("split", "batch_size"), [("train", 1), ("train", 5), ("validation", 5)]
)
def test_batches_hold_the_content_of_the_records(info, data_dir, split, batch_size):
    records = read_records(info, data_dir, split)
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


def test_only_the_last_batch_is_smaller(info, data_dir):
    examples = info.split("train").examples
    assert examples % 16
    for batches in (
        evaluation_batches(info, data_dir),
        training_batches(info, data_dir),
    ):
        sizes = sorted(len(batch["length"]) for batch in batches)
        assert sizes == [examples % 16] + [16] * (examples // 16)


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("sort_by_length", [False, True])
def test_classes_are_repeated(info, data_dir, augment, sort_by_length):
    repeats = np.arange(1, len(info.classes) + 1)
    batches = training_batches(
        info, data_dir, augment=augment, sort_by_length=sort_by_length, repeats=repeats
    )
    sizes = [len(batch["key_id"]) for batch in batches]
    total = np.dot(info.split("train").class_counts, repeats)
    assert sum(sizes) == total
    assert len(sizes) == -(-total // 16)
    copies = {}
    for batch in batches:
        for row, key in enumerate(batch["key_id"]):
            drawing = copies.setdefault((key, batch["class_index"][row]), {})
            drawing[batch["copy"][row]] = batch["ink"][row].tobytes()
    assert len(copies) == info.split("train").examples
    for (_, class_index), inks in copies.items():
        assert sorted(inks) == list(range(repeats[class_index]))
        if augment:
            assert len(set(inks.values())) == len(inks)


def test_gzip_shards(build, doodles, data_dir, info, tmp_path):
    build([doodles / "*.ndjson"], tmp_path / "data", compression="gzip")
    gzip_info = load_dataset_info(str(tmp_path / "data"))
    assert gzip_info.compression == "gzip"
    keys = keys_of(training_batches(gzip_info, tmp_path / "data"))
    assert sorted(keys) == sorted(keys_of(training_batches(info, data_dir)))


def test_an_unknown_split_is_an_error(info, data_dir):
    with pytest.raises(ValueError, match=r"'dev'.*train, validation, test"):
        evaluation_batches(info, data_dir, "dev")


# --- Reproducibility ------------------------------------------------------------------


@pytest.mark.parametrize("augment", [False, True])
def test_seed_and_epoch_determine_the_batches(info, data_dir, augment):
    settings = {"seed": 3, "augment": augment}
    first, again = (
        training_batches(info, data_dir, epochs=range(2, 3), **settings)
        for _ in range(2)
    )
    assert_equal_batches(again, first)
    for other in ({"epochs": range(3, 4)}, {"epochs": range(2, 3), "seed": 1}):
        batches = training_batches(info, data_dir, **settings | other)
        assert keys_of(batches) != keys_of(first)


def test_the_number_of_threads_does_not_matter(info, data_dir):
    batches = input_pipeline.training_batches(
        info, str(data_dir), 1, seed=3, epochs=range(2, 3), augment=True
    )
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    single_threaded = list(batches.with_options(options).as_numpy_iterator())
    assert len(single_threaded) == info.split("train").examples
    assert_equal_batches(list(batches.as_numpy_iterator()), single_threaded)


def test_drawings_are_augmented_differently_in_each_epoch(info, data_dir):
    def inks(epoch):
        epochs = range(epoch, epoch + 1)
        batches = training_batches(info, data_dir, epochs=epochs, augment=True)
        return {
            key: batch["ink"][row, : batch["length"][row]]
            for batch in batches
            for row, key in enumerate(batch["key_id"])
        }

    first, second = inks(1), inks(2)
    assert not any(np.allclose(first[key], second[key]) for key in first)


@pytest.mark.parametrize("sort_by_length", [False, True])
def test_an_epoch_does_not_depend_on_the_epochs_before(
    info, data_dir, sort_by_length, monkeypatch
):
    """Nor on TensorFlow's global seed."""
    monkeypatch.setattr(input_pipeline, "WINDOW_BATCHES", 3)
    monkeypatch.setattr(input_pipeline, "SHUFFLE_RECORDS", 60)
    settings = {"augment": True, "sort_by_length": sort_by_length}
    settings["repeats"] = np.array([1, 2, 1, 1])
    tf.random.set_seed(0)
    together = training_batches(info, data_dir, epochs=range(1, 4), **settings)
    tf.random.set_seed(1)
    separate = [
        batch
        for epoch in (1, 2, 3)
        for batch in training_batches(
            info, data_dir, epochs=range(epoch, epoch + 1), **settings
        )
    ]
    assert_equal_batches(separate, together)


@pytest.mark.parametrize("augment", [False, True])
def test_skip_leaves_out_the_first_batches(info, data_dir, augment):
    batches = training_batches(info, data_dir, augment=augment)
    rest = training_batches(info, data_dir, augment=augment, skip=3)
    assert_equal_batches(rest, batches[3:])


# --- Lengths --------------------------------------------------------------------------


def test_sorted_batches_have_little_padding_and_random_order(info, data_dir):
    batches = training_batches(info, data_dir)
    points = sum(batch["length"].sum() for batch in batches)
    padded = sum(batch["ink"].shape[0] * batch["ink"].shape[1] for batch in batches)
    lengths = np.concatenate([batch["length"] for batch in batches])
    assert padded < 1.35 * points
    assert lengths.max() * len(lengths) > 2 * points  # without sorting
    widths = [batch["ink"].shape[1] for batch in batches]
    assert widths != sorted(widths)


def test_unsorted_batches_hold_drawings_of_all_lengths(info, data_dir):
    sorted_batches = training_batches(info, data_dir)
    unsorted_batches = training_batches(info, data_dir, sort_by_length=False)
    assert sorted(keys_of(unsorted_batches)) == sorted(keys_of(sorted_batches))

    def spread_of_means(batches):
        return np.std([batch["length"].mean() for batch in batches])

    assert spread_of_means(unsorted_batches) < 0.5 * spread_of_means(sorted_batches)


# --- Bitmaps --------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 16])
def test_bitmaps_are_not_augmented(bitmap_data_dir, batch_size):
    info = load_dataset_info(str(bitmap_data_dir))
    training = training_batches(
        info, bitmap_data_dir, augment=True, batch_size=batch_size
    )
    evaluation = evaluation_batches(info, bitmap_data_dir, "train", batch_size)
    assert set(training[0]) == set(evaluation[0]) | {"copy"}
    assert {"bitmap", "class_index", "recognized", "key_id"} <= set(evaluation[0])
    contents = []
    for batches in (training, evaluation):
        assert batches[0]["bitmap"].shape == (batch_size, 28, 28, 1)
        assert max(batch["bitmap"].max() for batch in batches) == 1
        contents.append(
            {
                key: (batch["bitmap"][row].tobytes(), batch["class_index"][row])
                for batch in batches
                for row, key in enumerate(batch["key_id"])
            }
        )
        assert len(keys_of(batches)) == info.split("train").examples
    assert contents[0] == contents[1]
    assert keys_of(training) != keys_of(evaluation)


def test_bitmaps_are_shuffled_in_each_epoch(bitmap_data_dir):
    info = load_dataset_info(str(bitmap_data_dir))
    first, again, other = (
        [set(batch["key_id"]) for batch in training_batches(info, bitmap_data_dir, **s)]
        for s in ({}, {}, {"epochs": range(2, 3)})
    )
    assert first == again
    assert not any(batch in other for batch in first)

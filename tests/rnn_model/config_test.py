"""The settings of a run: what is refused, and the way to JSON and back."""

import dataclasses

import pytest

from rnn_model.config import OPTIMIZERS, TrainConfig


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model", "transformer", "one of rnn, cnn, mlp. Received: 'transformer'"),
        ("optimizer", "sgdd", f"one of {', '.join(OPTIMIZERS)}. Received: 'sgdd'"),
        ("precision", "half", "one of auto, float32, bfloat16. Received: 'half'"),
        ("epochs", -1, "≥ 0. Received: -1"),
        ("patience", -1, "≥ 0. Received: -1"),
        ("batch_size", 0, "≥ 1. Received: 0"),
        ("learning_rate", 0.0, "> 0. Received: 0.0"),
        ("learning_rate", float("nan"), "> 0. Received: nan"),
        ("clip_norm", float("inf"), "> 0. Received: inf"),
        ("weight_decay", -0.1, "≥ 0. Received: -0.1"),
        ("dropout", 1.0, "≥ 0 and < 1. Received: 1.0"),
        ("label_smoothing", -0.5, "≥ 0 and < 1. Received: -0.5"),
        ("partial", 1.1, "≥ 0 and ≤ 1. Received: 1.1"),
        ("balance", float("nan"), "≥ 0 and ≤ 1. Received: nan"),
        ("seed", -1, "≥ 0 and < 2³². Received: -1"),
    ],
)
def test_an_impossible_setting_is_named_with_its_value(name, value, message):
    with pytest.raises(ValueError, match=name) as caught:
        TrainConfig(**{name: value})
    assert message in str(caught.value)


def test_json_gives_the_settings_back():
    config = TrainConfig(
        model="cnn", epochs=3, learning_rate=1.7e-5, augment=False, seed=9
    )
    assert TrainConfig.from_json(config.to_json(), "x") == config
    assert config != TrainConfig()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"epochs": -1}', '{"unheard_of": 1}', '{"epochs": "3"}'],
)
def test_damaged_json_names_the_file(text):
    with pytest.raises(ValueError, match=r"runs/a/config\.json is damaged"):
        TrainConfig.from_json(text, "runs/a/config.json")


def test_differences_name_flag_and_both_values():
    old, new = TrainConfig(seed=1, model="rnn"), TrainConfig(seed=2, model="mlp")
    assert old.differences(new) == [
        "--model was rnn, now mlp",
        "--seed was 1, now 2",
    ]


def test_more_epochs_are_no_difference():
    assert TrainConfig(epochs=1).differences(TrainConfig(epochs=9)) == []


def test_a_precision_that_was_left_to_us_is_no_difference():
    settled, asked = TrainConfig(precision="bfloat16"), TrainConfig(precision="float32")
    assert settled.differences(TrainConfig()) == []
    assert settled.differences(asked) == ["--precision was bfloat16, now float32"]


def test_bfloat16_is_for_the_rnn():
    with pytest.raises(ValueError, match=r"^precision bfloat16 .* not the mlp$"):
        TrainConfig(model="mlp", precision="bfloat16")


@pytest.mark.parametrize(
    ("drawings", "epochs"),
    [(1, 40), (15_000, 40), (40_000, 25), (77_000, 18), (10**6, 5), (5 * 10**7, 1)],
)
def test_epochs_follow_the_size_of_the_data_set(drawings, epochs):
    assert TrainConfig().for_drawings(drawings) == TrainConfig(epochs=epochs)


def test_epochs_that_were_asked_for_stay():
    assert TrainConfig(epochs=3).for_drawings(10**6).epochs == 3


def test_every_setting_explains_itself():
    for field in dataclasses.fields(TrainConfig):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("settings", "waits"),
    [({"epochs": 25}, 13), ({"epochs": 1}, 1), ({"epochs": 25, "patience": 4}, 4)],
)
def test_a_run_waits_for_half_of_its_epochs(settings, waits):
    assert TrainConfig(**settings).waits() == waits

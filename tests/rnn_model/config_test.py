"""Validation of settings, JSON, and defaults that depend on the data set."""

import dataclasses

import pytest

from rnn_model.config import OPTIMIZERS, TrainConfig


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "model",
            "transformer",
            "one of rnn, cnn, resnet, mlp. Received: 'transformer'",
        ),
        ("optimizer", "sgdd", f"one of {', '.join(OPTIMIZERS)}. Received: 'sgdd'"),
        ("precision", "half", "one of auto, float32, bfloat16. Received: 'half'"),
        ("width", 0.0, "≥ 0.1 and ≤ 10. Received: 0.0"),
        ("epochs", -1, "≥ 0. Received: -1"),
        ("patience", -1, "≥ 0. Received: -1"),
        ("batch_size", 0, "≥ 1. Received: 0"),
        ("learning_rate", 0.0, "> 0 and finite. Received: 0.0"),
        ("learning_rate", float("nan"), "> 0 and finite. Received: nan"),
        ("clip_norm", float("inf"), "> 0 and finite. Received: inf"),
        ("weight_decay", -0.1, "≥ 0 and finite. Received: -0.1"),
        ("dropout", 1.0, "≥ 0 and < 1. Received: 1.0"),
        ("label_smoothing", -0.5, "≥ 0 and < 1. Received: -0.5"),
        ("partial", 1.1, "≥ 0 and ≤ 1. Received: 1.1"),
        ("balance", float("nan"), "≥ 0 and ≤ 1. Received: nan"),
        ("distillation", 1.5, "≥ 0 and ≤ 1. Received: 1.5"),
        ("seed", -1, "≥ 0 and < 2³². Received: -1"),
    ],
)
def test_an_invalid_setting_is_an_error(name, value, message):
    with pytest.raises(ValueError, match=f"^--{name} must be") as caught:
        TrainConfig(**{name: value})
    assert message in str(caught.value)


def test_settings_that_exclude_each_other():
    with pytest.raises(ValueError, match=r"^--precision=bfloat16 .* --model=mlp$"):
        TrainConfig(model="mlp", precision="bfloat16")
    with pytest.raises(ValueError, match=r"^--width .* only\. Received: --model=cnn$"):
        TrainConfig(model="cnn", width=0.5)
    with pytest.raises(ValueError, match=r"^--freeze_body requires --init_from$"):
        TrainConfig(freeze_body=True)


def test_json_round_trip():
    config = TrainConfig(
        model="cnn", epochs=3, learning_rate=1.7e-5, augment=False, seed=9
    )
    assert TrainConfig.from_json(config.to_json(), "x") == config
    assert config != TrainConfig()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"epochs": -1}', '{"unknown": 1}', '{"epochs": "3"}'],
)
def test_damaged_json_is_an_error_with_the_path(text):
    with pytest.raises(ValueError, match=r"runs/a/config\.json is damaged"):
        TrainConfig.from_json(text, "runs/a/config.json")


def test_differences_show_both_values():
    old, new = TrainConfig(seed=1, model="rnn"), TrainConfig(seed=2, model="mlp")
    assert old.describe_differences(new) == [
        "--model was rnn, now mlp",
        "--seed was 1, now 2",
    ]


def test_epochs_and_automatic_precision_may_differ():
    assert TrainConfig(epochs=1).describe_differences(TrainConfig(epochs=9)) == []
    bfloat16, float32 = (TrainConfig(precision=p) for p in ("bfloat16", "float32"))
    assert bfloat16.describe_differences(TrainConfig()) == []
    assert bfloat16.describe_differences(float32) == [
        "--precision was bfloat16, now float32"
    ]


@pytest.mark.parametrize(
    ("num_drawings", "epochs"),
    [(1, 40), (15_000, 40), (40_000, 25), (77_000, 18), (10**6, 5), (5 * 10**7, 1)],
)
def test_default_epochs_depend_on_the_size_of_the_data_set(num_drawings, epochs):
    assert TrainConfig().resolve_epochs(num_drawings) == TrainConfig(epochs=epochs)
    assert TrainConfig(epochs=3).resolve_epochs(num_drawings).epochs == 3


def test_every_setting_has_help():
    for field in dataclasses.fields(TrainConfig):
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("settings", "patience"),
    [({"epochs": 25}, 13), ({"epochs": 1}, 1), ({"epochs": 25, "patience": 4}, 4)],
)
def test_the_default_patience_is_half_of_the_epochs(settings, patience):
    assert TrainConfig(**settings).resolved_patience == patience

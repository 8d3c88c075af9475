"""What a sweep tries: how it is written, and what is refused before it begins."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_model.config import OPTIMIZERS, TrainConfig
from rnn_model.sweep import space
from rnn_model.sweep.space import Range, Space


def space_of(choices, ranges=None, **settings):
    config = dataclasses.asdict(TrainConfig()) | settings
    tried = {*choices, *(ranges or {})}
    fixed = {name: value for name, value in config.items() if name not in tried}
    return Space(fixed, choices, ranges or {})


@pytest.mark.parametrize("field", dataclasses.fields(TrainConfig), ids=lambda f: f.name)
def test_every_setting_can_be_tried(field):
    values = {bool: "true,False", int: "3,4", float: "0.5,1e-2", str: "a,b"}
    wanted = {bool: (True, False), int: (3, 4), float: (0.5, 0.01), str: ("a", "b")}
    kind = type(field.default)
    name, read = space.parse_grid(f"{field.name}:{values[kind]}")
    assert (name, read) == (field.name, wanted[kind])
    assert [type(value) for value in read] == [kind, kind]


def test_a_path_may_hold_a_colon():
    assert space.parse_grid("init_from:gs://a/b, runs/c") == (
        "init_from",
        ("gs://a/b", "runs/c"),
    )


def test_ranges_are_of_the_kind_of_their_setting():
    name, span = space.parse_range("learning_rate:1e-4..1e-2:log")
    assert (name, span) == ("learning_rate", Range(1e-4, 1e-2, True))
    name, span = space.parse_range("batch_size:16..256")
    assert (name, span) == ("batch_size", Range(16, 256, False))
    assert type(span.low) is int


@given(
    st.floats(1e-9, 1.0, exclude_max=True), st.floats(1.0, 1e9), st.sampled_from([0, 1])
)
def test_a_range_is_read_as_it_is_written(low, high, log):
    span = Range(low, high, bool(log))
    assert space.parse_range(f"clip_norm:{span}") == ("clip_norm", span)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("optimiser:adam", "there is no setting 'optimiser'; there are model, epochs"),
        ("optimizer", "nothing to try; it is written name:value,value"),
        ("optimizer:", "nothing to try"),
        ("epochs:1,,2", "'' is not a whole number, which epochs is"),
        ("epochs:1.5", "'1.5' is not a whole number"),
        ("dropout:high", "'high' is not a number, which dropout is"),
        ("augment:maybe", "'maybe' is not true or false"),
        ("dropout:0.1,1e-1", "a value is there twice"),
    ],
)
def test_a_grid_that_cannot_be_read_is_named(flag, message):
    with pytest.raises(ValueError, match=r"^--grid=") as caught:
        space.parse_grid(flag)
    assert str(caught.value).startswith(f"--grid={flag}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("droput:0..1", "there is no setting 'droput'"),
        ("dropout:0.1", "a range is low..high, or low..high:log"),
        ("dropout:0.1..0.2:lin", "a range is low..high, or low..high:log"),
        ("dropout:0.1..x", "'x' is not a number"),
        ("dropout:0.5..0.1", "0.5 is not less than 0.1"),
        ("learning_rate:0..1:log", "a logarithm is of what is more than 0"),
        ("learning_rate:nan..1", "nan is not less than 1.0"),
        ("batch_size:8..8", "8 is not less than 8"),
        ("optimizer:adam..sgd", "optimizer is no number; its values go into --grid"),
        ("augment:0..1", "augment is no number"),
    ],
)
def test_a_range_that_cannot_be_read_is_named(flag, message):
    with pytest.raises(ValueError, match=r"^--range=") as caught:
        space.parse_range(flag)
    assert message in str(caught.value)


def test_a_setting_is_tried_in_one_place():
    with pytest.raises(ValueError, match=r"^dropout is there twice"):
        space.parse(["dropout:0.1", "dropout:0.2"], [])
    with pytest.raises(ValueError, match=r"^dropout is there twice"):
        space.parse(["dropout:0.1"], ["dropout:0.2..0.3"])


def test_the_product_has_each_with_each_in_the_order_given():
    tried = space_of({"optimizer": ("sgd", "adam"), "seed": (0, 1)}, model="mlp")
    assert list(tried.product()) == [
        {"optimizer": "sgd", "seed": 0},
        {"optimizer": "sgd", "seed": 1},
        {"optimizer": "adam", "seed": 0},
        {"optimizer": "adam", "seed": 1},
    ]
    config = tried.config({"optimizer": "sgd", "seed": 1})
    assert config == TrainConfig(model="mlp", optimizer="sgd", seed=1)


@given(
    st.sets(st.sampled_from(OPTIMIZERS), min_size=1),
    st.sets(st.floats(0, 0.9), min_size=1, max_size=4),
)
def test_no_combination_is_there_twice(optimizers, dropouts):
    tried = space_of({"optimizer": tuple(optimizers), "dropout": tuple(dropouts)})
    configs = [tried.config(params) for params in tried.product()]
    assert len(set(configs)) == len(configs) == len(optimizers) * len(dropouts)


def test_one_impossible_combination_is_named():
    tried = space_of({"model": ("rnn", "mlp"), "precision": ("auto", "bfloat16")})
    with pytest.raises(ValueError, match=r"^model=mlp, precision=bfloat16 cannot be: "):
        tried.check()


def test_both_ends_of_a_range_must_be_possible():
    space_of({}, {"dropout": Range(0.0, 0.9, False)}).check()
    with pytest.raises(ValueError, match=r"^dropout=1 cannot be: dropout must be ≥ 0"):
        space_of({}, {"dropout": Range(0.0, 1.0, False)}).check()

"""The search space: syntax, and which values are refused before the sweep starts."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_model.config import OPTIMIZERS, TrainConfig
from rnn_model.sweep import space
from rnn_model.sweep.space import Range, SearchSpace


def make_space(choices, ranges=None, **settings):
    config = dataclasses.asdict(TrainConfig()) | settings
    tried = {*choices, *(ranges or {})}
    fixed = {name: value for name, value in config.items() if name not in tried}
    return SearchSpace(fixed, choices, ranges or {})


def test_grids_of_every_setting_have_its_type():
    texts = {bool: "true,False", int: "3,4", float: "0.5,1e-2", str: "a,b"}
    expected = {bool: (True, False), int: (3, 4), float: (0.5, 0.01), str: ("a", "b")}
    for field in dataclasses.fields(TrainConfig):
        value_type = type(field.default)
        name, values = space.parse_grid(f"{field.name}:{texts[value_type]}")
        assert (name, values) == (field.name, expected[value_type])
        assert [type(value) for value in values] == [value_type, value_type]


def test_values_may_contain_colons():
    assert space.parse_grid("init_from:gs://a/b, runs/c") == (
        "init_from",
        ("gs://a/b", "runs/c"),
    )


def test_ranges_have_the_type_of_their_setting():
    name, span = space.parse_range("learning_rate:1e-4..1e-2:log")
    assert (name, span) == ("learning_rate", Range(1e-4, 1e-2, True))
    name, span = space.parse_range("batch_size:16..256")
    assert (name, span) == ("batch_size", Range(16, 256, False))
    assert type(span.low) is int


@given(st.floats(1e-9, 1.0, exclude_max=True), st.floats(1.0, 1e9), st.booleans())
def test_formatted_range_parses_to_the_same_range(low, high, log):
    span = Range(low, high, log)
    assert space.parse_range(f"clip_norm:{span}") == ("clip_norm", span)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (
            "optimiser:adam",
            "unknown setting 'optimiser'; settings are model, width, epochs",
        ),
        ("optimizer", "no values; expected name:value,value"),
        ("optimizer:", "no values"),
        ("epochs:1,,2", "epochs must be an integer. Received: ''"),
        ("epochs:1.5", "epochs must be an integer. Received: '1.5'"),
        ("dropout:high", "dropout must be a number. Received: 'high'"),
        ("augment:maybe", "augment must be true or false. Received: 'maybe'"),
        ("dropout:0.1,1e-1", "duplicate value"),
    ],
)
def test_invalid_grid_is_refused(flag, message):
    with pytest.raises(ValueError, match=r"^--grid=") as caught:
        space.parse_grid(flag)
    assert str(caught.value).startswith(f"--grid={flag}: {message}")


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("drop_out:0..1", "unknown setting 'drop_out'"),
        ("dropout:0.1", "expected low..high or low..high:log"),
        ("dropout:0.1..0.2:lin", "expected low..high or low..high:log"),
        ("dropout:0.1..x", "dropout must be a number. Received: 'x'"),
        ("dropout:0.5..0.1", "0.5 is not less than 0.1"),
        ("learning_rate:0..1:log", "the lower bound of a logarithmic range"),
        ("learning_rate:nan..1", "nan is not less than 1.0"),
        ("batch_size:8..8", "8 is not less than 8"),
        ("optimizer:adam..sgd", "optimizer is not a number; use --grid"),
        ("augment:0..1", "augment is not a number"),
    ],
)
def test_invalid_range_is_refused(flag, message):
    with pytest.raises(ValueError, match=r"^--range=") as caught:
        space.parse_range(flag)
    assert str(caught.value).startswith(f"--range={flag}: {message}")


def test_setting_in_two_flags_is_refused():
    with pytest.raises(ValueError, match=r"^dropout is in several"):
        space.parse(["dropout:0.1", "dropout:0.2"], [])
    with pytest.raises(ValueError, match=r"^dropout is in several"):
        space.parse(["dropout:0.1"], ["dropout:0.2..0.3"])


def test_combinations_are_in_the_given_order():
    search_space = make_space({"optimizer": ("sgd", "adam"), "seed": (0, 1)})
    assert list(search_space.combinations()) == [
        {"optimizer": "sgd", "seed": 0},
        {"optimizer": "sgd", "seed": 1},
        {"optimizer": "adam", "seed": 0},
        {"optimizer": "adam", "seed": 1},
    ]
    config = search_space.config({"optimizer": "sgd", "seed": 1})
    assert config == TrainConfig(optimizer="sgd", seed=1)


@given(
    st.sets(st.sampled_from(OPTIMIZERS), min_size=1),
    st.sets(st.floats(0, 0.9), min_size=1, max_size=4),
)
def test_combinations_are_distinct(optimizers, dropouts):
    choices = {"optimizer": tuple(optimizers), "dropout": tuple(dropouts)}
    search_space = make_space(choices)
    configs = [search_space.config(params) for params in search_space.combinations()]
    assert len(set(configs)) == len(configs) == len(optimizers) * len(dropouts)


def test_invalid_combination_is_refused():
    choices = {"model": ("rnn", "mlp"), "precision": ("auto", "bfloat16")}
    message = r"^Invalid combination model=mlp, precision=bfloat16: "
    with pytest.raises(ValueError, match=message):
        make_space(choices).check()


def test_both_bounds_of_a_range_must_be_valid():
    make_space({}, {"dropout": Range(0.0, 0.9, False)}).check()
    with pytest.raises(ValueError, match=r"^Invalid combination dropout=1: --dropout"):
        make_space({}, {"dropout": Range(0.0, 1.0, False)}).check()

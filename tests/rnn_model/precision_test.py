"""What auto becomes on which processor."""

import pytest
import tensorflow as tf

from rnn_model import precision
from rnn_model.config import TrainConfig


def settled(monkeypatch, path, model="rnn", wanted="auto"):
    monkeypatch.setattr(precision, "CPU_INFO", str(path))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    config = TrainConfig(model=model, precision=wanted)
    return precision.settle(config).precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("sse avx512_bf16 aes", "bfloat16"),
        ("amx_bf16", "bfloat16"),
        ("avx512f avx512_bf16x", "float32"),
    ],
)
def test_auto_asks_the_processor(monkeypatch, tmp_path, flags, expected):
    path = tmp_path / "cpuinfo"
    path.write_text(f"model name\t: A\nflags\t\t: {flags}\n")
    assert settled(monkeypatch, path) == expected
    assert settled(monkeypatch, path, model="cnn") == "float32"
    assert settled(monkeypatch, path, wanted="bfloat16") == "bfloat16"
    assert settled(monkeypatch, path, wanted="float32") == "float32"


def test_auto_is_float32_where_there_is_nothing_to_ask(monkeypatch, tmp_path):
    assert settled(monkeypatch, tmp_path / "none") == "float32"

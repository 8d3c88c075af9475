"""What auto becomes on which processor."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.distributed import ALONE, Cluster
from rnn_model.training import precision


def settled(monkeypatch, path, model="rnn", wanted="auto", cluster=ALONE, **devices):
    monkeypatch.setattr(precision, "CPU_INFO", str(path))
    monkeypatch.setattr(
        tf.config, "list_physical_devices", lambda kind: devices.get(kind, [])
    )
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda it: it)
    config = TrainConfig(model=model, precision=wanted)
    return precision.settle(config, cluster).precision


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


V100, A100, H100 = ({"compute_capability": it} for it in [(7, 0), (8, 0), (9, 0)])


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        ([V100], "float32"),
        ([A100], "bfloat16"),
        ([H100, H100], "bfloat16"),
        ([H100, V100], "float32"),
        ([{"device_name": "of another make"}], "float32"),
    ],
)
def test_auto_asks_the_gpus_where_there_are_any(monkeypatch, tmp_path, gpus, expected):
    path = tmp_path / "cpuinfo"
    path.write_text("flags\t\t: amx_bf16\n")  # the processor does not train
    assert settled(monkeypatch, path, GPU=gpus) == expected
    assert settled(monkeypatch, path, model="cnn", GPU=gpus) == "float32"


def test_a_tpu_multiplies_bfloat16(monkeypatch, tmp_path):
    assert settled(monkeypatch, tmp_path / "none", TPU=["one"]) == "bfloat16"


def test_one_worker_without_bfloat16_decides_for_all(monkeypatch, tmp_path):
    two = Cluster(SimpleNamespace(num_replicas_in_sync=2), workers=2)
    for other, expected in ((1, "bfloat16"), (0, "float32")):
        monkeypatch.setattr(two, "sum", lambda mine, other=other: mine + other)
        assert settled(monkeypatch, tmp_path, cluster=two, GPU=[A100]) == expected

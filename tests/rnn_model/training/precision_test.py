"""The precision that `auto` stands for on different hardware."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.distributed import SINGLE_WORKER, Cluster
from rnn_model.training import precision

V100, A100, H100 = ({"compute_capability": c} for c in [(7, 0), (8, 0), (9, 0)])


@pytest.fixture
def resolve(monkeypatch, tmp_path):
    """Resolves the precision for the given CPU flags and devices."""

    def resolve(
        *, cpu_flags=None, model="rnn", setting="auto", cluster=SINGLE_WORKER, **devices
    ):
        cpu_info = tmp_path / "cpuinfo"
        if cpu_flags is not None:
            cpu_info.write_text(f"model name\t: A\nflags\t\t: {cpu_flags}\n")
        monkeypatch.setattr(precision, "CPU_INFO", str(cpu_info))
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda kind: devices.get(kind, [])
        )
        monkeypatch.setattr(
            tf.config.experimental, "get_device_details", lambda device: device
        )
        config = TrainConfig(model=model, precision=setting)
        return precision.resolve_precision(config, cluster).precision

    return resolve


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("sse avx512_bf16 aes", "bfloat16"),
        ("amx_bf16", "bfloat16"),
        ("avx512f avx512_bf16x", "float32"),
        (None, "float32"),
    ],
)
def test_cpu(resolve, flags, expected):
    assert resolve(cpu_flags=flags) == expected
    assert resolve(cpu_flags=flags, model="resnet") == expected
    assert resolve(cpu_flags=flags, model="cnn") == "float32"
    for setting in ("bfloat16", "float32"):
        assert resolve(cpu_flags=flags, setting=setting) == setting


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        ([V100], "float32"),
        ([A100], "bfloat16"),
        ([H100, H100], "bfloat16"),
        ([H100, V100], "float32"),
        ([{"device_name": "of another vendor"}], "float32"),
    ],
)
def test_gpus(resolve, gpus, expected):
    assert resolve(cpu_flags="amx_bf16", GPU=gpus) == expected
    assert resolve(cpu_flags="amx_bf16", model="cnn", GPU=gpus) == "float32"


def test_tpu(resolve):
    assert resolve(TPU=["one"]) == "bfloat16"


def test_all_workers_need_bfloat16(monkeypatch, resolve):
    cluster = Cluster(SimpleNamespace(num_replicas_in_sync=2), num_workers=2)
    for other, expected in ((1, "bfloat16"), (0, "float32")):
        monkeypatch.setattr(
            cluster, "sum_over_workers", lambda values, other=other: values + other
        )
        assert resolve(cluster=cluster, GPU=[A100]) == expected

"""The precision of the matrix products in training.

A bfloat16 has the range of a float32 and 8 of its 24 significant bits. Where the
hardware supports it, a training step takes less time. Weights and sums are float32, and
so are trained models: `Workdir.load_best` builds them in float32.

float16 is not supported. Small gradients underflow in it unless the loss is scaled.
GPUs that support float16 but not bfloat16 (before 2020) train in float32.
"""

import dataclasses
from pathlib import Path

import tensorflow as tf

from rnn_model.config import BFLOAT16_MODELS, TrainConfig
from rnn_model.distributed import SINGLE_WORKER, Cluster

CPU_INFO = "/proc/cpuinfo"

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""Linux's names of the instructions, https://docs.kernel.org/arch/x86/cpuinfo.html."""

GPU_COMPUTE_CAPABILITY = (8, 0)
"""The first NVIDIA GPUs that support bfloat16; see
https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions.
"""


def resolve_precision(
    config: TrainConfig, cluster: Cluster = SINGLE_WORKER
) -> TrainConfig:
    """Replaces `precision="auto"` by the best that the hardware of all workers has."""
    if config.precision != "auto":
        return config
    can_use = config.model in BFLOAT16_MODELS
    use_bfloat16 = can_use and cluster.is_true_on_all(_has_bfloat16())
    precision = "bfloat16" if use_bfloat16 else "float32"
    return dataclasses.replace(config, precision=precision)


def _has_bfloat16() -> bool:
    """Returns whether the device that trains supports bfloat16: TPU, GPUs or CPU."""
    if tf.config.list_physical_devices("TPU"):
        return True
    if gpus := tf.config.list_physical_devices("GPU"):
        details = map(tf.config.experimental.get_device_details, gpus)
        capabilities = (gpu.get("compute_capability", (0, 0)) for gpu in details)
        return min(capabilities) >= GPU_COMPUTE_CAPABILITY
    return not CPU_FLAGS.isdisjoint(read_cpu_flags())


def read_cpu_flags() -> set[str]:
    """Returns Linux's names of the CPU's features; empty on other systems."""
    info = Path(CPU_INFO)
    return set(info.read_text().split()) if info.exists() else set()

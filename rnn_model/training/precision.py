"""The precision that a run's matrices are multiplied in.

A bfloat16 has the range of a float32 and 8 bits of its 24. Where the processor knows
it, a step takes less time. The weights, and all that is added up, are float32; trained
models too: `Workdir.load_best` builds them in float32. A float16 has not the range: its
small gradients are zero unless the loss is scaled up, by as much as just does not
overflow. GPUs that know it and not bfloat16 (before 2020) train in float32 instead.
"""

import dataclasses
from pathlib import Path

import tensorflow as tf

from rnn_model.config import TrainConfig
from rnn_model.distributed import ALONE, Cluster

CPU_INFO = "/proc/cpuinfo"

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""What Linux calls the instructions, https://docs.kernel.org/arch/x86/cpuinfo.html."""


BFLOAT16_CAPABILITY = (8, 0)
"""The first NVIDIA GPUs that multiply bfloat16, with the A100 of 2020; see
https://docs.nvidia.com/cuda/cuda-c-programming-guide/#arithmetic-instructions.
"""


def settle(config: TrainConfig, cluster: Cluster = ALONE) -> TrainConfig:
    """Puts what is best on the machines of all workers in the place of auto."""
    if config.precision != "auto":
        return config
    fast = config.model == "rnn" and cluster.all(_has_bfloat16())
    return dataclasses.replace(config, precision="bfloat16" if fast else "float32")


def _has_bfloat16() -> bool:
    """Whether what trains here multiplies bfloat16: a TPU, all GPUs, or the CPU."""
    if tf.config.list_physical_devices("TPU"):
        return True
    if gpus := tf.config.list_physical_devices("GPU"):
        details = map(tf.config.experimental.get_device_details, gpus)
        capabilities = (some.get("compute_capability", (0, 0)) for some in details)
        return min(capabilities) >= BFLOAT16_CAPABILITY
    return not CPU_FLAGS.isdisjoint(read_cpu_flags())


def read_cpu_flags() -> set[str]:
    """Returns Linux's names of the processor's features; empty on other systems."""
    info = Path(CPU_INFO)
    return set(info.read_text().split()) if info.exists() else set()

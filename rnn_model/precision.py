"""The precision that a run's matrices are multiplied in.

A bfloat16 has the range of a float32 and 8 bits of its 24. Where the processor knows
it, a step takes less time. The weights, and all that is added up, are float32; trained
models too: `Workdir.load_best` builds them in float32.
"""

import dataclasses
from pathlib import Path

import tensorflow as tf

from rnn_model.config import TrainConfig

CPU_INFO = "/proc/cpuinfo"

CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
"""What Linux calls the instructions, https://docs.kernel.org/arch/x86/cpuinfo.html."""


def settle(config: TrainConfig) -> TrainConfig:
    """Puts what is best on this machine in the place of auto."""
    if config.precision != "auto":
        return config
    fast = config.model == "rnn" and _cpu_has_bfloat16()
    return dataclasses.replace(config, precision="bfloat16" if fast else "float32")


def _cpu_has_bfloat16() -> bool:
    """Whether it is the CPU that trains, and multiplies bfloat16."""
    if tf.config.list_physical_devices("GPU"):
        return False
    info = Path(CPU_INFO)
    return info.exists() and not CPU_FLAGS.isdisjoint(info.read_text().split())

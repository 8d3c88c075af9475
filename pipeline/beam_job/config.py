"""The settings that decide what a data set contains."""

import argparse
import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.formats import INPUT_FORMATS
from tfrecords import schema

DEFAULT_SPLITS = "train:0.8,validation:0.1,test:0.1"

RUNNERS_WITH_UNKNOWN_FLAGS = ("FlinkRunner", "SparkRunner", "PortableRunner")
"""Runners whose job servers have flags that Beam's Python SDK does not know."""

_SPLIT_NAME = re.compile(r"[A-Za-z][\w.+-]*")


def parse_splits(text: str) -> dict[str, float]:
    """Parses split fractions such as `train:0.8,validation:0.1,test:0.1`.

    Raises:
      ValueError: a malformed or repeated name, a fraction that is not positive, or
        fractions that do not add up to 1.
    """
    splits: dict[str, float] = {}
    for part in text.split(","):
        name, _, fraction = part.strip().partition(":")
        if not _SPLIT_NAME.fullmatch(name) or name in splits:
            raise ValueError(
                f"splits: missing or repeated name in {part!r}. Received: {text!r}"
            )
        try:
            splits[name] = float(fraction)
        except ValueError:
            raise ValueError(
                f"splits: missing fraction in {part!r}. Received: {text!r}"
            ) from None
        if not splits[name] > 0:
            raise ValueError(f"splits: a fraction must be > 0. Received: {text!r}")
    if not math.isclose(sum(splits.values()), 1, abs_tol=1e-6):
        raise ValueError(f"splits must add up to 1. Received: {text!r}")
    return splits


def find_unknown_beam_args(beam_args: list[str]) -> list[str]:
    """Returns the command-line arguments that Beam does not know.

    Raises:
      ValueError: a flag of Beam has an invalid value.
    """
    if not beam_args:
        return []
    from apache_beam.options.pipeline_options import PipelineOptions

    parser: Any = argparse.ArgumentParser(
        allow_abbrev=False, conflict_handler="resolve", exit_on_error=False
    )
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    try:
        known, unknown = parser.parse_known_args(beam_args)
    except argparse.ArgumentError as error:
        raise ValueError(str(error)) from None
    return [] if known.runner in RUNNERS_WITH_UNKNOWN_FLAGS else unknown


@dataclasses.dataclass(frozen=True)
class JobConfig:
    """The settings that decide what a data set contains.

    Attributes:
      classes: words to keep, or None for all words in the input.
      max_per_class: maximum number of drawings of a class, or None for no limit.
      splits: split name to its fraction of the drawings; the fractions add up to 1.
      seed: decides splits, order and which drawings `max_per_class` keeps.
      num_shards: shards per split.
      keep_duplicates: keeps all drawings that share a key, not only one of them.
      recognized_only: drops the drawings that Google's game did not recognize.
      compression: "none" or "gzip".
      max_rejected: maximum fraction of lines that may be rejected.
      input_format: format of the input files; "auto" detects it for each file.
      label_names: the words of integer labels, in the order of the labels.

    Raises:
      ValueError: an invalid setting.
    """

    classes: tuple[str, ...] | None = None
    max_per_class: int | None = None
    splits: Mapping[str, float] = dataclasses.field(
        default_factory=lambda: parse_splits(DEFAULT_SPLITS)
    )
    seed: int = 0
    num_shards: int = 10
    keep_duplicates: bool = False
    recognized_only: bool = False
    compression: str = "none"
    max_rejected: float = 0.01
    input_format: str = "auto"
    label_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.classes is not None:
            if not self.classes:
                raise ValueError("classes must name at least one word. Received: none")
            object.__setattr__(self, "classes", tuple(sorted(set(self.classes))))
        if self.max_per_class is not None and self.max_per_class < 1:
            raise ValueError(
                f"max_per_class must be ≥ 1. Received: {self.max_per_class}"
            )
        if self.num_shards < 1:
            raise ValueError(f"num_shards must be ≥ 1. Received: {self.num_shards}")
        if not 0 <= self.max_rejected <= 1:
            raise ValueError(
                f"max_rejected must be within 0..1. Received: {self.max_rejected}"
            )
        for name, choices in (
            ("compression", schema.COMPRESSIONS),
            ("input_format", INPUT_FORMATS),
        ):
            if (value := getattr(self, name)) not in choices:
                raise ValueError(
                    f"{name} must be one of {', '.join(choices)}. Received: {value!r}"
                )
        names = self.label_names
        if names is not None and (not all(names) or len(set(names)) < len(names)):
            raise ValueError(
                f"label_names must be unique and not empty. Received: {names}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Returns the settings for `dataset_info.json`, which has its own classes."""
        settings = dataclasses.asdict(self)
        del settings["classes"]
        return settings


class JobContext(NamedTuple):
    """What every step of a running job needs.

    Attributes:
      config: what the data set contains.
      output_dir: where the data set is published.
      working_dir: folder below `output_dir` that this job alone writes to.
      lock_owner: owner id of the lock on `output_dir`.
      scratch_dir: local folder that launcher and workers share in a local run.
    """

    config: JobConfig
    output_dir: str
    working_dir: str
    lock_owner: str
    scratch_dir: str | None = None

"""What decides the records of a data set: the validated settings of the job."""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any

from tfrecords import schema

INPUT_FORMATS = (
    "auto",
    "simplified",
    "raw",
    "binary",
    "sketchrnn",
    "bitmap",
    "png",
)
"""What `pipeline.formats` reads."""

_SPLIT_NAME = re.compile(r"[A-Za-z][\w.+-]*")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of the job that have a say in what the records are.

    Attributes:
      classes: the wanted words, or None for all that are found.
      max_per_class: how many drawings a class keeps at most, or None for all.
      splits: split name to its share; the shares add up to 1.
      seed: decides splits, order and who stays under `max_per_class`.
      num_shards: shards per split.
      keep_duplicates: keeps all drawings that share a key, not just one of them.
      recognized_only: drops the drawings that Google's game did not recognise.
      compression: "none" or "gzip".
      max_rejected: the fraction of lines that may be rejected.
      input_format: what the files are, "auto" to tell it of each.
      label_names: the words that integer labels stand for, in their order.

    Raises:
      ValueError: a setting that cannot be.
    """

    classes: tuple[str, ...] | None
    max_per_class: int | None
    splits: Mapping[str, float]
    seed: int
    num_shards: int
    keep_duplicates: bool
    recognized_only: bool
    compression: str
    max_rejected: float
    input_format: str = "auto"
    label_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.classes is not None:
            if not self.classes:
                raise ValueError("no classes are wanted; name at least one")
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
        if self.compression not in schema.COMPRESSIONS:
            raise ValueError(
                f"compression must be one of {', '.join(schema.COMPRESSIONS)}. "
                f"Received: {self.compression!r}"
            )
        if self.input_format not in INPUT_FORMATS:
            raise ValueError(
                f"input_format must be one of {', '.join(INPUT_FORMATS)}. "
                f"Received: {self.input_format!r}"
            )
        names = self.label_names
        if names is not None and (not all(names) or len(set(names)) < len(names)):
            raise ValueError(f"label_names: one is empty or twice there: {names}")

    def to_dict(self) -> dict[str, Any]:
        """Gives the settings as `dataset_info.json` keeps them.

        Without the classes, which the file holds beside them.
        """
        settings = dataclasses.asdict(self)
        del settings["classes"]
        return settings


def parse_splits(text: str) -> dict[str, float]:
    """Reads `train:0.8,validation:0.1,test:0.1`.

    Raises:
      ValueError: another form, a share that is not positive, a name twice, or shares
        that do not add up to 1.
    """
    splits: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition(":")
        if not _SPLIT_NAME.fullmatch(name) or name in splits:
            raise ValueError(
                f"splits: no or no new name in {part!r}. Received: {text!r}"
            )
        try:
            splits[name] = float(share)
        except ValueError:
            raise ValueError(
                f"splits: no share in {part!r}. Received: {text!r}"
            ) from None
        if not splits[name] > 0:
            raise ValueError(f"splits: a share must be > 0. Received: {text!r}")
    if not math.isclose(sum(splits.values()), 1, abs_tol=1e-6):
        raise ValueError(f"splits must add up to 1. Received: {text!r}")
    return splits

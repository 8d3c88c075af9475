"""What came of the job: where every line went, and whether it is a data set.

Every line, or drawing of a format without lines, ends in exactly one of these counts:

    blank       an empty line
    rejected    no drawing, by kind of reason; kept in `rejected-*.ndjson`
    filtered    a drawing that was not asked for, by filter
    duplicates  a drawing whose key another one has
    written     in a shard
"""

import collections
import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from pipeline.beam_job.config import Recipe
from tfrecords import schema
from tfrecords.dataset_info import DatasetInfo, Shard, Split

ShardKey = tuple[str, int]
Tally = collections.Counter  # of ("read",), ("rejected", kind), ("word", word), …


@dataclasses.dataclass(frozen=True)
class WrittenShard:
    """What was written as a shard.

    Attributes:
      key: split and number of the shard.
      path: its temporary name.
      bytes: its size.
      class_counts: records per class.
      over_cap, duplicates: drawings left out, and why.
    """

    key: ShardKey
    path: str
    bytes: int
    class_counts: tuple[int, ...]
    over_cap: int
    duplicates: int


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the job's last step tells whoever launched it.

    Attributes:
      problem: why there can be no data set, in a line; None where there can.
      counts: where the lines went.
      files: final name to temporary path of each file that is to stay.
      info: the content of `dataset_info.json`; None with a problem.
    """

    problem: str | None
    counts: dict[str, Any]
    files: dict[str, str]
    info: str | None

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        return cls(**json.loads(text))


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """Adds tallies up; associative, so Beam may do it in any grouping."""
    total: Tally = Tally()
    for tally in tallies:
        total.update(tally)
    return total


def conclude(
    shards: Iterable[WrittenShard],
    rejects: dict[str, str],
    tally: Tally,
    classes: tuple[str, ...],
    recipe: Recipe,
) -> Outcome:
    """Draws up the outcome.

    Args:
      shards: all that were written.
      rejects: final name to temporary path of each file of rejected lines.
      tally: the sum of all tallies.
      classes: the words, in order.
      recipe: what was asked for.
    """
    shards = sorted(shards, key=lambda shard: shard.key)
    counts = count_lines(tally, shards)
    problem = find_problem(counts, tally, classes, recipe)
    if problem is not None:
        return Outcome(problem, counts, rejects, info=None)
    names = {
        shard: schema.shard_name(*shard.key, recipe.num_shards, recipe.compression)
        for shard in shards
    }
    info = DatasetInfo(
        classes=classes,
        splits={
            name: _split({s: n for s, n in names.items() if s.key[0] == name})
            for name in recipe.splits
        },
        kind=schema.BITMAP if ("kind", schema.BITMAP) in tally else schema.INK,
        compression=recipe.compression,
        counts=counts,
        made_by=recipe.to_dict(),
    )
    files = {name: shard.path for shard, name in names.items()}
    return Outcome(None, counts, files | rejects, info.to_json())


def count_lines(tally: Tally, shards: Iterable[WrittenShard]) -> dict[str, Any]:
    """Says where every line went (the counts are listed at the top of this file)."""
    groups: dict[str, dict[str, int]] = {"rejected": {}, "filtered": {}}
    for key, number in sorted(tally.items()):
        if key[0] in groups:
            groups[key[0]][key[1]] = number
    if over_cap := sum(shard.over_cap for shard in shards):
        groups["filtered"]["over max_per_class"] = over_cap
    return {
        "read": tally.get(("read",), 0),
        "blank": tally.get(("blank",), 0),
        **groups,
        "duplicates": sum(shard.duplicates for shard in shards),
        "written": sum(sum(shard.class_counts) for shard in shards),
    }


def find_problem(
    counts: dict[str, Any],
    tally: Tally,
    classes: tuple[str, ...],
    recipe: Recipe,
) -> str | None:
    """Says in a line why there can be no data set, or gives None."""
    if unreadable := sorted(key[1] for key in tally if key[0] == "unreadable"):
        return f"cannot read {unreadable[0]}"
    if len([key for key in tally if key[0] == "kind"]) > 1:
        return "the input holds strokes and bitmaps; make a data set of each"
    rejected = sum(counts["rejected"].values())
    if rejected > recipe.max_rejected * counts["read"]:
        reasons = ", ".join(f"{n} {kind}" for kind, n in counts["rejected"].items())
        return (
            f"{rejected} of {counts['read']} lines were rejected ({reasons}), more "
            f"than --max_rejected={recipe.max_rejected:g} allows"
        )
    if not counts["written"]:
        return f"the input has no drawing to write ({counts['read']} lines read)"
    missing = [word for word in classes if ("word", word) not in tally]
    if missing:
        return f"no drawing of {', '.join(map(repr, missing))} in the input"
    return None


def _split(names: dict[WrittenShard, str]) -> Split:
    per_class = zip(*(shard.class_counts for shard in names))
    return Split(
        shards=tuple(
            Shard(name, sum(shard.class_counts), shard.bytes)
            for shard, name in names.items()
        ),
        class_counts=tuple(map(sum, per_class)),
    )

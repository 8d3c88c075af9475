"""The steps of the Beam job, in the order in which a drawing meets them.

    files ─ ReadFile ─ ParseBlock ─┬▶ drawings by shard ─ WriteShard ─┐
              └▶ tally             ├▶ ranks by class ─ caps ─┘        │
                                   ├▶ tally ──────────────────────────┤
                                   └▶ rejects by file ─ WriteRejects  │
                                                         conclude ◀───┘

What they do is in `pipeline.beam_job.transforms`; how a drawing comes out of a file, in
`pipeline.formats.reader` and `pipeline.formats`.
"""

import functools
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from pipeline.beam_job import output_dir
from pipeline.beam_job.class_caps import cap_of
from pipeline.beam_job.config import Recipe
from pipeline.beam_job.result import Tally, add_tallies, conclude
from pipeline.beam_job.transforms import (
    Job,
    ParseBlock,
    ReadFile,
    WriteRejects,
    WriteShard,
    smallest_wanted,
)
from pipeline.formats.reader import Share

OUTCOME = "outcome.json"
"""File in the job's folder: how the job ended, for whoever launched it."""


def build(pipeline: beam.Pipeline, job: Job, shares: list[Share]) -> None:
    """Lays the steps out; the drawing at the top of this file shows how.

    Args:
      pipeline: to lay them out in.
      job: what every step is told.
      shares: what is to be read, all shares of a file or none.
    """
    recipe = job.recipe
    files = sorted({share.path for share in shares})
    read = (
        pipeline
        | "Shares" >> beam.Create(shares)
        | "SpreadShares" >> beam.Reshuffle()
        | "ReadFile"
        >> beam.ParDo(ReadFile(job)).with_outputs(ReadFile.TALLY, main="blocks")
    )
    parsed = read["blocks"] | "ParseBlock" >> beam.ParDo(ParseBlock(job)).with_outputs(
        ParseBlock.REJECTS, ParseBlock.TALLY, ParseBlock.RANKS, main="drawings"
    )
    rejects = (
        parsed[ParseBlock.REJECTS]
        | "RejectsByFile" >> beam.GroupByKey()
        | "WriteRejects"
        >> beam.ParDo(WriteRejects(job, {f: n for n, f in enumerate(files)}))
    )
    tally = (
        (read[ReadFile.TALLY], parsed[ParseBlock.TALLY])
        | "Tallies" >> beam.Flatten()
        | "AddTallies" >> beam.CombineGlobally(add_tallies)
    )
    classes = beam.pvalue.AsSingleton(
        tally | "Classes" >> beam.Map(_classes, wanted=recipe.classes)
    )
    caps = beam.pvalue.AsDict(
        parsed[ParseBlock.RANKS]
        | "SmallestRanks"
        >> beam.CombinePerKey(functools.partial(smallest_wanted, recipe))
        | "Caps"
        >> beam.MapTuple(
            lambda word, ranks: (word, cap_of(ranks, recipe.max_per_class))
        )
        | "CapsThatBind" >> beam.Filter(lambda cap: cap[1] is not None)
    )
    every_shard = [
        ((split, shard), b"")
        for split in recipe.splits
        for shard in range(recipe.num_shards)
    ]
    written = (
        (parsed["drawings"], pipeline | "EveryShard" >> beam.Create(every_shard))
        | "WithEmptyShards" >> beam.Flatten()
        | "DrawingsByShard" >> beam.GroupByKey()
        | "WriteShard" >> beam.ParDo(WriteShard(job), classes=classes, caps=caps)
    )
    (
        pipeline
        | "Once" >> beam.Create([FileSystems.join(job.folder, OUTCOME)])
        | "Conclude"
        >> beam.Map(
            _conclude,
            beam.pvalue.AsList(written),
            beam.pvalue.AsDict(rejects),
            beam.pvalue.AsSingleton(tally),
            classes,
            recipe=recipe,
        )
    )


def _conclude(path: str, *what: Any, recipe: Recipe) -> None:
    output_dir.write_text(path, conclude(*what, recipe=recipe).to_json())


def _classes(tally: Tally, wanted: tuple[str, ...] | None) -> tuple[str, ...]:
    """The wanted classes, or all words that were found; sorted."""
    if wanted is not None:
        return wanted
    return tuple(sorted(key[1] for key in tally if key[0] == "word"))

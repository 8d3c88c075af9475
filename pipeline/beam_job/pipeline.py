"""The steps of the Beam job, in order.

    shares of files ─ ReadFiles ─ ParseBlocks ─┬─ runs of drawings ─ WriteShards ─┐
                                               ├─ ranks ─ caps ──────┘            │
                                               ├─ counts ─ classes ──┘────────────┤
                                               └─ rejects ─ WriteRejects ─────────┤
                                                             SummarizeJob, Publish┘

What the steps do is in `transforms`; how a drawing is read from a file, in
`pipeline.formats.reader`.
"""

import contextlib
import functools
from collections.abc import Iterator

import apache_beam as beam
import apache_beam.pipeline
import numpy as np

from pipeline.beam_job import output_dir, result
from pipeline.beam_job.class_caps import find_max_rank
from pipeline.beam_job.config import JobContext
from pipeline.beam_job.transforms import (
    ParseBlock,
    ReadFile,
    WriteRejects,
    WriteShard,
    keep_smallest_ranks,
)
from pipeline.formats.reader import Share


def build_pipeline(
    pipeline: beam.Pipeline, context: JobContext, shares: list[Share]
) -> None:
    """Adds the steps of the job to a Beam pipeline.

    Args:
      pipeline: an empty pipeline.
      context: what every step needs.
      shares: what to read; all shares of each file.
    """
    with plain_step_names():
        _add_steps(pipeline, context, shares)


def _add_steps(
    pipeline: beam.Pipeline, context: JobContext, shares: list[Share]
) -> None:
    config = context.config
    parsed = (
        pipeline
        | "CreateShares" >> beam.Create(shares)
        | "SpreadShares" >> beam.Reshuffle()
        | "ReadFiles" >> beam.ParDo(ReadFile(context))
        | "ParseBlocks"
        >> beam.ParDo(ParseBlock(context)).with_outputs(
            ParseBlock.COUNTS, ParseBlock.REJECTS, ParseBlock.RANKS, main="runs"
        )
    )
    counts = parsed[ParseBlock.COUNTS] | "SumCounts" >> beam.CombineGlobally(
        result.sum_counts
    )
    classes = beam.pvalue.AsSingleton(
        counts | "ListClasses" >> beam.Map(_list_classes, classes=config.classes)
    )
    max_ranks = beam.pvalue.AsDict(
        parsed[ParseBlock.RANKS]
        | "KeepSmallestRanks"
        >> beam.CombinePerKey(functools.partial(keep_smallest_ranks, config=config))
        | "FindMaxRanks"
        >> beam.FlatMapTuple(
            functools.partial(_find_max_rank, max_per_class=config.max_per_class)
        )
    )
    empty_runs = [
        ((split, shard), b"")
        for split in config.splits
        for shard in range(config.num_shards)
    ]
    shards = (
        (parsed["runs"], pipeline | "CreateEmptyRuns" >> beam.Create(empty_runs))
        | "AddEmptyShards" >> beam.Flatten()
        | "GroupByShard" >> beam.GroupByKey()
        | "WriteShards"
        >> beam.ParDo(WriteShard(context), classes=classes, max_ranks=max_ranks)
    )
    files = sorted({share.path for share in shares})
    rejects = (
        parsed[ParseBlock.REJECTS]
        | "GroupRejectsByFile" >> beam.GroupByKey()
        | "WriteRejects"
        >> beam.ParDo(WriteRejects(context, {f: n for n, f in enumerate(files)}))
    )
    (
        pipeline
        | "CreateConfig" >> beam.Create([config])
        | "SummarizeJob"
        >> beam.Map(
            result.summarize_job,
            shards=beam.pvalue.AsList(shards),
            rejects=beam.pvalue.AsDict(rejects),
            input_counts=beam.pvalue.AsSingleton(counts),
            classes=classes,
        )
        | "Publish" >> beam.Map(output_dir.publish, context=context)
    )


@contextlib.contextmanager
def plain_step_names() -> Iterator[None]:
    """Keeps Beam from prefixing the steps with the number of a notebook cell.

    It would need pandas, and the prefix is meant for interactive pipelines.
    """
    previous = apache_beam.pipeline.alter_label_if_ipython
    apache_beam.pipeline.alter_label_if_ipython = lambda *_: None
    try:
        yield
    finally:
        apache_beam.pipeline.alter_label_if_ipython = previous


def _list_classes(
    counts: result.InputCounts, classes: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Returns the requested classes, or all words of the input, sorted."""
    return tuple(sorted(counts.words)) if classes is None else classes


def _find_max_rank(
    word: str, ranks: np.ndarray, max_per_class: int | None
) -> list[tuple[str, int]]:
    """Returns the word with its largest rank to keep; nothing if all are kept."""
    assert max_per_class is not None
    max_rank = find_max_rank(ranks, max_per_class)
    return [] if max_rank is None else [(word, max_rank)]

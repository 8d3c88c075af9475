"""The steps of the batch prediction job, in order.

    shares of files ─ ReadFiles ─ ParseDrawings
      ├─ RunInference ─ MakeRuns ─ WriteFiles ─┐
      ├─ counts ───────────────────────────────┤
      └─ rejects ─ WriteRejects ───────────────┤
                            Summarize, Publish ┘

A block of a file is read, parsed and classified by the same worker. Sorted runs of the
results are shuffled to one output file per group of input files, so the output has the
order of the input.
"""

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.ml.inference.base import PredictionResult, RunInference
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.beam_job import output_dir, result, shard_shuffle
from pipeline.beam_job.config import JobContext
from pipeline.beam_job.pipeline import plain_step_names
from pipeline.beam_job.progress import ProgressCounter
from pipeline.beam_job.result import InputCounts, JobResult
from pipeline.beam_job.transforms import ReadFile, WriteRejects, count_rejects
from pipeline.formats import registry
from pipeline.formats.blocks import Block
from pipeline.formats.drawing import Drawing
from pipeline.formats.reader import Share
from pipeline.formats.text.line_ranges import LineNumbers
from serve_export.batch_prediction.model_handlers import HANDLERS, DrawingBatch
from serve_export.batch_prediction.output_files import PredictionRow, write_rows
from serve_export.predict import BATCH_SIZE
from tfrecords import storage

INFO_FILE = "predictions.json"
"""Written last: a folder without it has no complete predictions."""


def is_predictions_file(name: str) -> bool:
    """Returns whether a file has the name of an output file."""
    return name.startswith("predictions-")


PREDICTIONS = output_dir.OutputKind("predictions", INFO_FILE, is_predictions_file)

RUN_ROWS = 4096
"""Rows of a run, which a worker holds in memory."""


class PredictionConfig(NamedTuple):
    """The settings of a batch prediction job.

    Attributes:
      export_path: `EXPORT_DIR/<version>`.
      runtime: one of `predictor.RUNTIMES`.
      top_k: number of guesses per drawing.
      output_format: one of `predict_batch.OUTPUT_FORMATS`.
      num_files: number of output files.
    """

    export_path: str
    runtime: str
    top_k: int
    output_format: str
    num_files: int


class WrittenFile(NamedTuple):
    """An output file under its temporary path."""

    number: int
    path: str
    num_rows: int


def build_pipeline(
    pipeline: beam.Pipeline,
    context: JobContext,
    shares: list[Share],
    config: PredictionConfig,
) -> None:
    """Adds the steps of the job to a Beam pipeline.

    Args:
      pipeline: an empty pipeline.
      context: what the steps need that `create_dataset` has too.
      shares: what to read; all shares of each file.
      config: the settings of the prediction.
    """
    with plain_step_names():
        _add_steps(pipeline, context, shares, config)


def _add_steps(
    pipeline: beam.Pipeline,
    context: JobContext,
    shares: list[Share],
    config: PredictionConfig,
) -> None:
    files = sorted({share.path for share in shares})
    file_numbers = {path: number for number, path in enumerate(files)}
    handler = HANDLERS[config.runtime](config.export_path, config.top_k)
    parsed = (
        pipeline
        | "CreateShares" >> beam.Create(shares)
        | "SpreadShares" >> beam.Reshuffle()
        | "ReadFiles" >> beam.ParDo(ReadFile(context))
        | "ParseDrawings"
        >> beam.ParDo(ParseDrawings(context.scratch_dir)).with_outputs(
            ParseDrawings.COUNTS, ParseDrawings.REJECTS, main="batches"
        )
    )
    counts = parsed[ParseDrawings.COUNTS] | "SumCounts" >> beam.CombineGlobally(
        result.sum_counts
    )
    numbers = range(config.num_files)
    written = (
        (
            parsed["batches"]
            | "RunInference" >> RunInference(handler)
            | "MakeRuns"
            >> beam.ParDo(MakeRuns(context.scratch_dir, file_numbers, config)),
            pipeline | "CreateEmptyRuns" >> beam.Create([(n, b"") for n in numbers]),
        )
        | "AddEmptyFiles" >> beam.Flatten()
        | "GroupByFile" >> beam.GroupByKey()
        | "WriteFiles" >> beam.Map(_write_file, context=context, config=config)
    )
    rejects = (
        parsed[ParseDrawings.REJECTS]
        | "GroupRejectsByFile" >> beam.GroupByKey()
        | "WriteRejects" >> beam.ParDo(WriteRejects(context, file_numbers))
    )
    (
        pipeline
        | "CreateConfig" >> beam.Create([config])
        | "Summarize"
        >> beam.Map(
            summarize,
            context=context,
            written=beam.pvalue.AsList(written),
            rejects=beam.pvalue.AsDict(rejects),
            input_counts=beam.pvalue.AsSingleton(counts),
        )
        | "Publish"
        >> beam.Map(output_dir.publish, context=context, info_file=INFO_FILE)
    )


class ParseDrawings(beam.DoFn):
    """Parses a block into batches of drawings.

    Other outputs: `COUNTS`, `InputCounts`; `REJECTS`, (file, run of `RejectedLine`).
    """

    COUNTS, REJECTS = "counts", "rejects"

    def __init__(self, scratch_dir: str | None):
        self._scratch_dir = scratch_dir

    def setup(self) -> None:
        """Runs once per worker."""
        self._progress = ProgressCounter(self._scratch_dir)
        self._run_writer = shard_shuffle.RunWriter(self._scratch_dir)
        self._line_numbers = LineNumbers()

    def process(self, block: Block) -> Iterator[Any]:
        """Yields the batches of a block, and tagged outputs."""
        parsed = registry.parse(block, needs_words=False)
        counts = InputCounts(read=len(parsed))
        if block.is_first:
            counts.add_file(block.file, block.format, block.reason, "")
        if rejects := count_rejects(parsed, block, counts, self._line_numbers):
            run = self._run_writer.write(rejects)
            yield beam.pvalue.TaggedOutput(self.REJECTS, (block.file, run))
        # A line has at least one byte: these numbers rise from range to range.
        numbered = [
            (number, item)
            for number, item in enumerate(parsed, block.offset + block.first)
            if isinstance(item, Drawing)
        ]
        for start in range(0, len(numbered), BATCH_SIZE):
            numbers, drawings = zip(*numbered[start : start + BATCH_SIZE])
            yield DrawingBatch(block.file, list(numbers), list(drawings))
            self._progress.add(lines=len(drawings))
        yield beam.pvalue.TaggedOutput(self.COUNTS, counts)

    def teardown(self) -> None:
        """Runs at the end of a worker."""
        self._run_writer.close()


class MakeRuns(beam.DoFn):
    """Collects the results of batches into sorted runs, by number of output file."""

    def __init__(
        self,
        scratch_dir: str | None,
        file_numbers: dict[str, int],
        config: PredictionConfig,
    ):
        self._scratch_dir = scratch_dir
        self._file_numbers, self._config = file_numbers, config

    def setup(self) -> None:
        """Runs once per worker."""
        self._run_writer = shard_shuffle.RunWriter(self._scratch_dir)

    def start_bundle(self) -> None:
        """Starts without rows."""
        self._rows: list[PredictionRow] = []

    def process(
        self, element: PredictionResult
    ) -> Iterator[tuple[int, shard_shuffle.Run]]:
        """Yields a run when enough rows are collected, or the output file changes."""
        batch: Any = element.example
        guesses_of_drawings: Any = element.inference
        file_number = self._file_numbers[batch.file]
        if self._rows and (
            len(self._rows) >= RUN_ROWS or self._rows[0].file_number != file_number
        ):
            yield self._flush()
        for number, drawing, guesses in zip(
            batch.numbers, batch.drawings, guesses_of_drawings
        ):
            row = PredictionRow(
                file_number, number, drawing.key_id, drawing.word, list(guesses)
            )
            self._rows.append(row)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Yields the remaining rows."""
        if self._rows:
            yield WindowedValue(self._flush(), 0, (GlobalWindow(),))

    def teardown(self) -> None:
        """Runs at the end of a worker."""
        self._run_writer.close()

    def _flush(self) -> tuple[int, shard_shuffle.Run]:
        rows, self._rows = self._rows, []
        rows.sort(key=_get_sort_key)
        number = rows[0].file_number * self._config.num_files // len(self._file_numbers)
        return number, self._run_writer.write(rows)


def _get_sort_key(row: PredictionRow) -> tuple[int, int]:
    return row.sort_key


def _write_file(
    element: tuple[int, Iterable[shard_shuffle.Run]],
    context: JobContext,
    config: PredictionConfig,
) -> WrittenFile:
    """Merges the runs of an output file and writes it."""
    number, runs = element
    rows = shard_shuffle.merge_runs(
        (run for run in runs if run), PredictionRow, _get_sort_key
    )
    path = storage.join(context.working_dir, f"predictions-{uuid.uuid4().hex}")
    num_rows = write_rows(rows, path, config.output_format, config.top_k)
    ProgressCounter(context.scratch_dir).add(written=num_rows)
    return WrittenFile(number, path, num_rows)


def summarize(
    config: PredictionConfig,
    context: JobContext,
    written: list[WrittenFile],
    rejects: dict[str, str],
    input_counts: InputCounts,
) -> JobResult:
    """Makes the result of the job from the results of its steps."""
    counts = {
        "read": input_counts.read,
        "blank": input_counts.blank,
        "rejected": dict(sorted(input_counts.rejected.items())),
        "written": sum(file.num_rows for file in written),
    }
    error = result.find_error(counts, input_counts, (), context.config)
    if error is not None:
        return JobResult(error, counts, rejects, info=None)
    names = {
        f"predictions-{file.number:05d}-of-{config.num_files:05d}"
        f".{config.output_format}": file
        for file in sorted(written)
    }
    info = {
        "export": config.export_path,
        "runtime": config.runtime,
        "top_k": config.top_k,
        "counts": counts,
        "files": {name: file.num_rows for name, file in names.items()},
    }
    files = {name: file.path for name, file in names.items()}
    notes = tuple(input_counts.describe_files())
    return JobResult(
        None, counts, files | rejects, json.dumps(info, indent=1) + "\n", notes
    )

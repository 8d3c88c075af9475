"""Plain Beam with one element per drawing, for `benchmarks.create_dataset`."""

import logging
import os

import apache_beam as beam
from absl import flags

from pipeline import cli, strokes
from pipeline.beam_job import local_runner
from pipeline.formats.text.ndjson_lines import parse_simplified
from tfrecords import encode

NUM_SHARDS = 10


def make_record(line: str, class_indices: dict[str, int]) -> bytes:
    """Converts a line to a serialized record."""
    drawing = parse_simplified(line.encode())
    return encode.encode_example(
        ink=strokes.to_ink(drawing.points),
        class_index=class_indices[drawing.word],
        key_id=drawing.key_id,
        countrycode=drawing.countrycode,
        timestamp=drawing.timestamp,
        recognized=drawing.recognized,
    )


def convert(input_dir: str, output_dir: str) -> None:
    """Converts all ndjson files of a folder, one per class, to ten shards."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    words = [name.removesuffix(".ndjson") for name in sorted(os.listdir(input_dir))]
    class_indices = {word: index for index, word in enumerate(words)}
    options = local_runner.parse_options([])
    os.makedirs(output_dir)
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | beam.io.ReadFromText(os.path.join(input_dir, "*"))
            | beam.Map(make_record, class_indices)
            | beam.io.WriteToTFRecord(
                os.path.join(output_dir, "train"),
                file_name_suffix=".tfrecord",
                num_shards=NUM_SHARDS,
            )
        )


def _define_flags() -> None:
    flags.DEFINE_string("input", None, "Folder of ndjson files.")
    flags.DEFINE_string("output_dir", None, "Folder for the shards.")


def main() -> None:
    """Runs the command with the parsed flags."""
    convert(flags.FLAGS.input, flags.FLAGS.output_dir)


if __name__ == "__main__":
    # Beam pickles objects of `__main__` with everything they refer to.
    from benchmarks import beam_elementwise

    cli.run(beam_elementwise.main, _define_flags, doc=__doc__ or "")

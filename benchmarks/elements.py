"""Plain Beam, a drawing an element, for `benchmarks.create_dataset`."""

import logging
import os

import apache_beam as beam
from absl import flags

from pipeline import cli, strokes
from pipeline.beam_job import local_runner
from pipeline.formats.ndjson_lines import parse_simplified
from tfrecords import encode

NUM_SHARDS = 10


def to_record(line: str, index: dict[str, int]) -> bytes:
    drawing = parse_simplified(line.encode())
    return encode.encode_example(
        ink=strokes.to_ink(drawing.points),
        class_index=index[drawing.word],
        key_id=drawing.key_id,
        countrycode=drawing.countrycode,
        timestamp=drawing.timestamp,
        recognized=drawing.recognized,
    )


def convert(source: str, output_dir: str) -> None:
    """Turns all files of a folder, one per class, into ten shards."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    names = sorted(os.listdir(source))
    index = {name.removesuffix(".ndjson"): place for place, name in enumerate(names)}
    options = local_runner.beam_options([])
    os.makedirs(output_dir)
    with beam.Pipeline(options=options) as job:
        (
            job
            | beam.io.ReadFromText(os.path.join(source, "*"))
            | beam.Map(to_record, index)
            | beam.io.WriteToTFRecord(
                os.path.join(output_dir, "train"),
                file_name_suffix=".tfrecord",
                num_shards=NUM_SHARDS,
            )
        )


def _define_flags() -> None:
    flags.DEFINE_string("input", None, "Folder of ndjson.")
    flags.DEFINE_string("output_dir", None, "Folder for the shards.")


def main() -> None:
    """Converts what the flags say."""
    convert(flags.FLAGS.input, flags.FLAGS.output_dir)


if __name__ == "__main__":
    # Beam pickles what stands in `__main__` along with all it touches.
    from benchmarks import elements

    cli.run(elements.main, _define_flags, doc=__doc__ or "")

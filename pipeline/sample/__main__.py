"""Writes synthetic drawings as simplified ndjson, one file per class.

python -m pipeline.sample --output_dir=/tmp/sample --per_class=500
"""

from absl import flags

from pipeline import cli
from pipeline.sample import CLASSES, write_sample


def _define_flags() -> None:
    flags.DEFINE_string("output_dir", None, "Folder for the files.")
    flags.DEFINE_integer(
        "per_class", 500, "Number of drawings of each class.", lower_bound=1
    )
    flags.DEFINE_integer("seed", 0, "Seed of all drawings.", lower_bound=0)


def main() -> None:
    """Runs the command with the parsed flags."""
    values = flags.FLAGS
    cli.require("output_dir")
    cli.require_local("output_dir")
    write_sample(values.output_dir, values.per_class, values.seed)
    print(
        f"Wrote {len(CLASSES)} classes × {values.per_class} drawings "
        f"to {values.output_dir}"
    )


if __name__ == "__main__":
    cli.run(main, _define_flags, doc=__doc__ or "")

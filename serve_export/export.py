r"""Exports a trained run as SavedModel, Keras file, LiteRT or web model.

    python -m serve_export.export --workdir=runs/rnn --output_dir=exports/rnn \
      --data_dir=data/mine

writes `exports/rnn/<version>/`, the directory layout of TensorFlow Serving. Versions
count from 1. Every format is compared with the Keras model before the version becomes
visible; with --data_dir on drawings of the data set, which also measures the accuracy
lost by 8-bit weights. --formats=savedmodel,litert,web adds a model that runs in a web
page; this downloads LiteRT.js once.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import flags

from pipeline import cli
from pipeline.report.text_table import format_table
from serve_export import layout

FORMATS = {
    "savedmodel": "TensorFlow Serving",
    "keras": "a .keras file",
    "litert": "LiteRT with float32 and with 8-bit weights",
    "litert_int8": "LiteRT with 8-bit weights only, which is all the server needs",
    "web": "a web page that classifies by itself",
}
DEFAULT_FORMATS = ("savedmodel", "litert")


def export(
    workdir: str,
    output_dir: str,
    *,
    data_dir: str = "",
    split: str = "test",
    examples_data_dir: str = "",
    formats: Sequence[str] = DEFAULT_FORMATS,
    attribution: str = layout.DEFAULT_ATTRIBUTION,
    log: Callable[[str], None] = print,
) -> str:
    """Exports the best checkpoint of a run as a new version.

    Args:
      workdir: directory of the run.
      output_dir: directory of the versions, on any storage that TensorFlow supports.
      data_dir: the run's data set, to validate the formats and to choose examples;
        without it they are validated on generated drawings.
      split: part of the data set to validate on.
      examples_data_dir: the data set to choose the examples from, from the same split;
        `data_dir` by default.
      formats: names from `FORMATS`.
      attribution: author and license of the drawings.
      log: called with each line of the result.

    Returns:
      The path of the new version.

    Raises:
      ValueError: there is no run or no checkpoint; the data set has other classes; or
        a format differs from Keras.
    """
    for name in formats:
        if name not in FORMATS:
            raise ValueError(
                f"formats must be some of {', '.join(FORMATS)}. Received: {name}"
            )
    # Imported here: TensorFlow takes seconds to load, and --help does not need it.
    from rnn_model.workdir import Workdir
    from serve_export import model_card, publish
    from serve_export.formats.preprocessing import describe_preprocessing
    from serve_export.formats.writer import write_formats
    from serve_export.validation.drawings import generate_drawings, load_drawings
    from serve_export.validation.validate import validate

    run = Workdir(workdir)
    # Beside a GPU the graph would contain cuDNN operations, which a CPU cannot run
    # (keras-team/keras#18504).
    model = run.load_best(use_cudnn=False)
    classes = run.read_classes()
    preprocessing = describe_preprocessing(model.name, len(classes))
    if data_dir:
        drawings = load_drawings(data_dir, split, classes)
    else:
        drawings = generate_drawings()
    example_drawings = None
    if examples_data_dir:
        example_drawings = load_drawings(examples_data_dir, split, classes)

    with publish.new_version(output_dir) as (staging_dir, version_dir):
        written = write_formats(model, classes, preprocessing, staging_dir, formats)
        metrics, examples = validate(
            model, written, drawings, classes, example_drawings
        )
        metrics["attribution"] = attribution
        card = model_card.render(run, model, preprocessing, metrics)
        _write_file(staging_dir, layout.METRICS_FILE, json.dumps(metrics, indent=1))
        _write_file(staging_dir, layout.EXAMPLES_FILE, examples)
        _write_file(staging_dir, layout.MODEL_CARD_FILE, card)
    header, *rows = metrics["table"]
    log(format_table(header, rows))
    return version_dir


def _write_file(folder: str, name: str, text: str) -> None:
    """Writes a text file, unless the text is empty."""
    if text:
        Path(folder, name).write_text(text.rstrip("\n") + "\n", "utf-8")


def _define_flags() -> None:
    flags.DEFINE_string("workdir", None, "Directory of the run.")
    flags.DEFINE_string("output_dir", None, "Directory of the exported versions.")
    cli.define_list(
        "formats",
        list(DEFAULT_FORMATS),
        "Comma-separated formats: "
        + "; ".join(f"{name} ({use})" for name, use in FORMATS.items())
        + ".",
    )
    flags.DEFINE_string(
        "data_dir",
        "",
        "The run's data set, for validation and for examples of each class. Without it "
        "the formats are validated on generated drawings.",
    )
    flags.DEFINE_string("split", "test", "Split of the data set to validate on.")
    flags.DEFINE_string(
        "examples_data_dir",
        "",
        "Data set of ink with the same classes to choose the examples from, instead of "
        "--data_dir.",
    )
    flags.DEFINE_string(
        "attribution",
        layout.DEFAULT_ATTRIBUTION,
        "Author and license of the drawings, for the model card.",
    )


def main() -> None:
    """Exports a run as the flags say, and prints the path of the version."""
    values = flags.FLAGS
    cli.require("workdir", "output_dir", "formats")
    from rnn_model.workdir import file_errors_as_oserror

    with file_errors_as_oserror():
        path = export(
            values.workdir,
            values.output_dir,
            data_dir=values.data_dir,
            split=values.split,
            examples_data_dir=values.examples_data_dir,
            formats=values.formats,
            attribution=values.attribution,
        )
    print(path)


def run() -> None:
    """Entry point of `quickdraw-export`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()

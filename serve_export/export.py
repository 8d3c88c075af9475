"""Exports a run in forms that need no code of ours.

    python -m serve_export.export --workdir=runs/rnn --output_dir=exports/rnn \\
      --data_dir=data/mine

writes `exports/rnn/<version>/`, the layout of TF Serving, versions counting from 1:
a SavedModel and two LiteRT models, each compared with Keras before anyone can see it.
With --data_dir that is on real drawings, and it is told what eight bits cost.
--formats=savedmodel,litert,web adds what a page needs to guess by itself; LiteRT.js is
fetched for that, once.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import flags

from pipeline import cli, simplification, strokes
from pipeline.report.text_table import format_table
from rnn_model import models
from rnn_model.workdir import Workdir, file_errors_as_oserror
from serve_export import in_progress, layout, model_card, publish, validate
from serve_export.formats import litert, litert_metadata, savedmodel, web
from serve_export.formats.litert_runtime import LiteRT
from serve_export.formats.savedmodel_runtime import SavedModel
from tfrecords import schema
from tfrecords.dataset_info import load_dataset_info

LITERT = {
    "litert": (layout.FLOAT, layout.QUANTISED),
    "litert_int8": (layout.QUANTISED,),  # all that a server takes
}
"""The files of a format."""

FORMATS = ("savedmodel", *LITERT, "web")
USUAL = ("savedmodel", "litert")
"""Those of them that need nothing from elsewhere."""

MOST_CHECKED = 10_000
"""Drawings of a split that the formats are compared on."""


@dataclasses.dataclass(frozen=True)
class Source:
    """What an export is made of.

    Attributes:
      workdir: the run.
      data_dir: its data set, to check the formats on; empty for doodles.
      split: which part of it.
      attribution: whose the drawings are, and on which terms.
    """

    workdir: str
    data_dir: str = ""
    split: str = "test"
    attribution: str = model_card.ATTRIBUTION


def export(
    source: Source,
    output_dir: str,
    formats: Sequence[str] = USUAL,
    tell: Callable[[str], None] = lambda line: None,
) -> str:
    """Exports the best weights of a run.

    Written aside, checked and then put into place (`serve_export.publish`), so that a
    server never sees half an export, nor one that answers otherwise than Keras.

    Args:
      source: the run, and what to check it on.
      output_dir: where `<version>/` goes, on any storage that TensorFlow knows.
      formats: of `FORMATS`.
      tell: is given the lines of the check's table.

    Returns:
      The path of the new version.

    Raises:
      ValueError: there is no run, or no checkpoint yet; the data set has other
        classes; or a format does not answer as Keras does.
    """
    workdir = Workdir(source.workdir)
    # Traced beside a GPU it would hold ops that a CPU lacks (keras-team/keras#18504).
    model = workdir.load_best(use_cudnn=False)
    drawings = _drawings(source, workdir)
    with publish.new_version(output_dir) as (aside, target):
        written = _write_formats(model, workdir, aside, formats)
        metrics = _check(model, workdir, written, drawings, source, aside)
        _write(aside, layout.METRICS, json.dumps(metrics, indent=1) + "\n")
        _write(aside, layout.MODEL_CARD, _card(model, workdir, metrics))
    head, *rows = metrics["table"]
    tell(format_table(head, rows))
    return target


def facts(workdir: Workdir, model: keras.Model) -> dict[str, Any]:
    """What a client must know to make the model's input from a drawing."""
    kind = litert.kind_of(model)
    both = model.name in models.BITMAP_MODELS
    return {
        "model": model.name,
        "description": (
            f"Guesses which of {len(workdir.read_classes())} things a hand-drawn sketch "
            f"shows. Trained with quickdraw-rnn."
        ),
        "format_version": schema.FORMAT_VERSION,
        "reads": list(schema.KINDS) if both else [schema.INK],
        "input": kind,
        "box": strokes.BOX,
        "epsilon": simplification.EPSILON,
        "ink": (
            "rows (dx, dy, pen) of the simplified drawing: the first row is the first "
            "point's x and y, the others are differences, all divided by the box; "
            "pen is 1 on the last point of each stroke"
        ),
        "bitmap": (
            "28 × 28 values from 0 to 1, white ink on black, the drawing centred as "
            "in Google's bitmaps"
        ),
    }


def _drawings(source: Source, workdir: Workdir) -> validate.Drawings:
    if not source.data_dir:
        return validate.of_sample()
    info = load_dataset_info(source.data_dir)
    if info.classes != workdir.read_classes():
        raise ValueError(f"{source.workdir} was trained on other classes than "
                         f"{source.data_dir} has")  # fmt: skip
    return validate.of_data_set(info, source.data_dir, source.split, MOST_CHECKED)


def _write_formats(
    model: keras.Model, workdir: Workdir, folder: str, formats: Sequence[str]
) -> list[validate.Format]:
    """Writes the formats; gives each as what the check takes."""
    words, told = workdir.read_classes(), facts(workdir, model)
    written = []
    if "savedmodel" in formats:
        savedmodel.save(model, words, told, folder)
        answer = SavedModel(folder).probabilities
        written.append(validate.Format("savedmodel", answer, _size(folder), True))
    if "web" in formats:
        path = layout.join(folder, layout.WEB)
        web.write(model, words, told, path)
        answer = web.Padded(path).probabilities
        written.append(validate.Format("web, int8", answer, _size(path), False))
    files = {name for some in formats for name in LITERT.get(some, ())}
    for name in (layout.FLOAT, layout.QUANTISED):
        if name not in files:
            continue
        quantise = name == layout.QUANTISED
        flatbuffer = litert.convert(model, quantise=quantise)
        data = litert_metadata.pack(flatbuffer, words, told, litert.OUTPUT)
        path = layout.join(folder, name)
        Path(path).write_bytes(data)
        answer = LiteRT(path).probabilities
        title = "litert, int8" if quantise else "litert, float"
        written.append(validate.Format(title, answer, len(data), not quantise))
    return written


def _check(
    model: keras.Model,
    workdir: Workdir,
    written: list[validate.Format],
    drawings: validate.Drawings,
    source: Source,
    folder: str,
) -> dict[str, Any]:
    """Compares the formats; gives what `metrics.json` holds, writes the examples."""
    same = drawings.as_kind(validate.kind_for(model, drawings))
    formats = [validate.keras_format(model, same.kind), *written]
    results, answers = validate.compare(formats, same)
    metrics = {
        "source": drawings.source,
        "attribution": source.attribution,
        "formats": [result._asdict() for result in results],
        "table": validate.table(results),
        "classes": {},
    }
    if drawings.labels is None:
        return metrics
    words = workdir.read_classes()
    # The last is what a server takes: LiteRT of eight bits, if there is one.
    metrics["classes"] = validate.class_top1(answers[-1], drawings.labels, words)
    info = load_dataset_info(source.data_dir)
    metrics["splits"] = {name: part.examples for name, part in info.splits.items()}
    metrics["split"] = source.split
    if drawings.kind == schema.INK:
        served = formats[-1]
        early = in_progress.top1_by_share(served, drawings, same.kind)
        metrics["in_progress"] = {"format": served.name, "top1": early}
        sizes = np.array([len(ink) for ink in drawings.items])
        chosen = validate.typical(answers[0], drawings.labels, sizes)
        _write(folder, layout.EXAMPLES, _examples(drawings, chosen, words))
    return metrics


def _examples(
    drawings: validate.Drawings, chosen: dict[int, int], words: Sequence[str]
) -> str:
    """Lines of ndjson as Google publishes them, one a class."""
    lines = []
    for label, place in sorted(chosen.items()):
        drawing = strokes.to_drawing(strokes.from_ink(drawings.items[place]))
        line = {"word": words[label], "key_id": drawings.key_ids[place]}
        text = json.dumps(line | {"drawing": drawing}, separators=(",", ":"))
        lines.append(f"{text}\n")
    return "".join(lines)


def _card(model: keras.Model, workdir: Workdir, metrics: dict[str, Any]) -> str:
    parameters = sum(weight.shape.num_elements() for weight in model.weights)
    settings = dataclasses.asdict(workdir.read_config())
    told, words = facts(workdir, model), workdir.read_classes()
    history = workdir.read_history()
    return model_card.write(told, words, settings, history, metrics, parameters)


def _size(folder: str) -> int:
    """Bytes of all files in a folder."""
    return sum(
        file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()
    )


def _write(folder: str, name: str, text: str) -> None:
    Path(folder, name).write_text(text, "utf-8")


def _define_flags() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run.")
    flags.DEFINE_string("output_dir", None, "Folder for the numbered exports.")
    flags.DEFINE_list("formats", list(USUAL), f"By comma, of {', '.join(FORMATS)}.")
    flags.DEFINE_string(
        "data_dir",
        "",
        "The run's data set: the formats are compared on its drawings, and a typical "
        "one of each class goes along. Without it they are compared on doodles.",
    )
    flags.DEFINE_string("split", "test", "The part of the data set to compare on.")
    flags.DEFINE_string(
        "attribution", model_card.ATTRIBUTION, "Whose drawings they are, on what terms."
    )


def main() -> None:
    """Exports as the flags say; prints the table and the path."""
    values = flags.FLAGS
    cli.require("workdir", "output_dir", "formats")
    if strange := set(values.formats) - set(FORMATS):
        raise ValueError(f"no such format: {min(strange)}; {', '.join(FORMATS)} are")
    source = Source(values.workdir, values.data_dir, values.split, values.attribution)
    with file_errors_as_oserror():
        print(export(source, values.output_dir, values.formats, print))


def run() -> None:
    """Entry point of `quickdraw-export`."""
    cli.run(main, _define_flags, doc=__doc__ or "")


if __name__ == "__main__":
    run()

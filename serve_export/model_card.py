"""`model_card.md`: what a model is, for whoever meets it later.

The headings are those of https://arxiv.org/abs/1810.03993, as far as the run knows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ATTRIBUTION = (
    "The Quick, Draw! Dataset, Google, CC BY 4.0 "
    "(https://github.com/googlecreativelab/quickdraw-dataset)"
)

LIMITS = """\
- It knows its classes alone: a drawing of anything else is given to one of them.
- Its drawings were made in 20 seconds, with a mouse or a finger, for a game that named
  the word first; careful drawings and traced pictures are not like them.
- Who drew lives mostly where the game was known; how a thing is drawn differs by place.
- A probability says how sure the model is, not how good a drawing is.
- The game's moderation was not perfect: single drawings of the data show other things.
"""


def write(
    facts: Mapping[str, Any],
    words: Sequence[str],
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    parameters: int,
) -> str:
    """Makes the card.

    Args:
      facts: see `export.facts`.
      words: the classes.
      config: the run's settings.
      history: the run's epochs.
      metrics: what `metrics.json` holds.
      parameters: how many numbers the model has.
    """
    epochs = len(history)
    best = max((row.get("validation_top1", 0.0) for row in history), default=0.0)
    sections = {
        "Model": [
            facts["description"],
            "",
            f"{parameters:,} parameters, {epochs} epochs, best top-1 on the validation "
            f"split {best:.4f}. Settings that are not empty:",
            "",
            *(f"- {name}: {value}" for name, value in config.items() if value != ""),
        ],
        "Data": [_data(metrics), "", f"Licence of the data: {metrics['attribution']}."],
        "Metrics": [
            f"On {metrics['source']}{_unseen(metrics)}.",
            "",
            *_table(metrics["table"]),
            *_in_progress(metrics),
        ],
        "Classes": [f"{len(words)}: {', '.join(words)}.", *_by_class(metrics)],
        "Limits": [LIMITS.rstrip()],
    }
    lines = [f"# quickdraw-{facts['model']}"]
    for title, content in sections.items():
        lines += ["", f"## {title}", "", *content]
    return "\n".join(lines) + "\n"


def _data(metrics: Mapping[str, Any]) -> str:
    splits = metrics.get("splits")
    if not splits:
        return "The export was not told which data set the run was trained on."
    counts = ", ".join(f"{name} {count:,}" for name, count in splits.items())
    return f"Drawings a split: {counts}. Splits are by key, so none is in two of them."


def _unseen(metrics: Mapping[str, Any]) -> str:
    seen = {None: "", "train": ", which it was trained on",
            "validation": ", by which its best epoch was chosen"}  # fmt: skip
    return seen.get(metrics.get("split"), ", which training never saw")


def _in_progress(metrics: Mapping[str, Any]) -> list[str]:
    """How early it guesses, and why raw strokes have no row of their own."""
    if "in_progress" not in metrics:
        return []
    early = metrics["in_progress"]
    rows = [("of a drawing's points seen", "drawings", "top-1")]
    for of in early["top1"]:
        rows.append((f"{of['seen']:.0%}", f"{of['drawings']:,}", f"{of['top1']:.4f}"))
    return [
        "",
        f"Drawings in progress, asked of {early['format']}. Raw strokes of any canvas "
        f"become such drawings first, so they have no table of their own.",
        "",
        *_table(rows),
    ]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *body = rows
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _by_class(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics["classes"]:
        return []
    best = sorted(metrics["classes"].items(), key=lambda item: -item[1]["top1"])
    rows = [("class", "drawings", "top-1")]
    rows += [(word, f"{of['drawings']:,}", f"{of['top1']:.2f}") for word, of in best]
    return ["", *_table(rows)]

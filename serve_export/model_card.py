"""model_card.md: describes an exported model, its data and its limits for readers.

The headings follow "Model Cards for Model Reporting", https://arxiv.org/abs/1810.03993.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import keras

from rnn_model.workdir import Workdir

TEMPLATES_DIR = Path(__file__).parent / "templates"


def render(
    run: Workdir,
    model: keras.Model,
    preprocessing: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> str:
    """Renders the model card.

    Args:
      run: the trained run.
      model: its model.
      preprocessing: see `describe_preprocessing`.
      metrics: the content of metrics.json.

    Returns:
      The card in Markdown.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES_DIR),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["markdown_table"] = format_markdown_table
    history = run.read_history()
    class_rows = sorted(metrics["classes"].items(), key=lambda item: -item[1]["top1"])
    return environment.get_template("model_card.md.jinja").render(
        preprocessing=preprocessing,
        num_parameters=model.count_params(),
        num_epochs=len(history),
        best_top1=max(
            (row.get("validation_top1", 0.0) for row in history), default=0.0
        ),
        settings={
            name: value
            for name, value in dataclasses.asdict(run.read_config()).items()
            if value != ""
        },
        classes=run.read_classes(),
        metrics=metrics,
        class_rows=class_rows,
    )


def format_markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Formats rows, the header first, as a Markdown table."""
    header, *body = rows
    alignment = ["---", *["---:"] * (len(header) - 1)]
    lines = ["| " + " | ".join(row) + " |" for row in (header, alignment, *body)]
    return "\n".join(lines)

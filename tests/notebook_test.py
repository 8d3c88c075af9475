"""notebooks/quickstart.ipynb: all cells run, and its canvas shows guesses."""

from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]

PARAMETERS = """
SOURCE = "sample"
CLASSES = ["circle", "square", "star"]
PER_CLASS = 60
EPOCHS = 2
"""

DRAW = """
strokes = star["drawing"]
canvas.strokes = strokes
assert [word for word, _ in canvas.guesses] == [
    guess.word for guess in predictor.guess(strokes, top_k=3)
]
assert not canvas.message
"""


def read_notebook():
    return nbformat.read(ROOT / "notebooks" / "quickstart.ipynb", as_version=4)


def test_the_notebook_is_valid_and_has_no_outputs():
    notebook = read_notebook()
    nbformat.validate(notebook)
    code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code_cells)


@pytest.mark.slow
def test_all_cells_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = read_notebook()
    (parameters,) = (
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    )
    parameters.source = PARAMETERS
    notebook.cells.append(nbformat.v4.new_code_cell(DRAW))
    client = nbclient.NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(tmp_path)}},
    )
    client.execute()
    widget_cell = notebook.cells[-2]
    (widget,) = (
        output.data
        for output in widget_cell.outputs
        if output.output_type == "execute_result"
    )
    assert "application/vnd.jupyter.widget-view+json" in widget

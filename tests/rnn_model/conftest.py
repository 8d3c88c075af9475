"""What several tests of evaluations need."""

from pathlib import Path

import pytest

PARTIAL_DRAWINGS = 9


@pytest.fixture(scope="session")
def found(data_dir: Path, trained_rnn: Path, trained_mlp: Path):
    """The tiny rnn and mlp side by side."""
    # Here, as TensorFlow takes seconds.
    from rnn_model import side_by_side

    runs = [str(trained_rnn), f"{trained_mlp}/"]
    return side_by_side.evaluate_runs(runs, str(data_dir), "test", PARTIAL_DRAWINGS)

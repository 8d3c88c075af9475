"""What several tests of evaluations need."""

from pathlib import Path

import pytest

PARTIAL_DRAWINGS = 9


@pytest.fixture(scope="session")
def found(data_dir: Path, trained_rnn: Path, trained_mlp: Path):
    """The tiny rnn and mlp side by side."""
    # Here, as TensorFlow takes seconds.
    from rnn_model.evaluation import compare_runs

    runs = [str(trained_rnn), f"{trained_mlp}/"]
    return compare_runs.evaluate_runs(runs, str(data_dir), "test", PARTIAL_DRAWINGS)

"""Fixtures for the tests of evaluations."""

from pathlib import Path

import pytest

PARTIAL_DRAWINGS = 9


@pytest.fixture(scope="session")
def comparison(data_dir: Path, trained_rnn: Path, trained_mlp: Path):
    """The result of comparing the tiny rnn with the tiny mlp."""
    # Imported here because TensorFlow takes seconds.
    from rnn_model.evaluation import compare_runs

    runs = [str(trained_rnn), f"{trained_mlp}/"]
    return compare_runs.compare_runs(runs, str(data_dir), "test", PARTIAL_DRAWINGS)

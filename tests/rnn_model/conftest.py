"""Fixtures for the tests of evaluations."""

from pathlib import Path

import pytest

from pipeline import sample

PARTIAL_DRAWINGS = 9


@pytest.fixture(scope="session")
def unknown_data_dir(build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of two words that are in `data_dir` and two that are not."""
    doodles = tmp_path_factory.mktemp("unknown_doodles")
    sample.write_sample(doodles, 40, 1, sample.CLASSES[2:6])
    folder = tmp_path_factory.mktemp("data") / "unknown"
    build([doodles / "*.ndjson"], folder)
    return folder


@pytest.fixture(scope="session")
def comparison(
    data_dir: Path, unknown_data_dir: Path, trained_rnn: Path, trained_mlp: Path
):
    """The result of comparing the tiny rnn with the tiny mlp."""
    # Imported here because TensorFlow takes seconds.
    from rnn_model.evaluation import compare_runs

    return compare_runs.compare_runs(
        [str(trained_rnn), f"{trained_mlp}/"],
        str(data_dir),
        num_partial=PARTIAL_DRAWINGS,
        unknown_data_dir=str(unknown_data_dir),
    )

"""What several test modules need: drawings, a small data set, trained runs."""

import os
import re
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from pipeline import rasterize, sample
from pipeline.create_dataset import create_dataset
from pipeline.formats.text.ndjson_lines import parse_simplified

# A loaded machine is no reason to fail.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

IN_PROCESS = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]
"""Beam without worker processes: seconds less for a small job."""


@pytest.fixture(scope="session")
def quickdraw_dir() -> Path:
    """Real drawings, where there are any."""
    default = Path(__file__).parents[2] / "shared" / "quickdraw"
    path = Path(os.environ.get("QUICKDRAW_DIR", default))
    if not path.is_dir():
        pytest.skip(f"no real drawings at {path} (set QUICKDRAW_DIR)")
    return path


@pytest.fixture(scope="session")
def doodles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of ndjson: 40 doodles of each of 4 classes."""
    folder = tmp_path_factory.mktemp("doodles")
    sample.write_sample(folder, 40, 0, sample.CLASSES[:4])
    return folder


@pytest.fixture(scope="session")
def build():
    """Makes a data set in this process: `build(inputs, folder, **settings)`."""

    def build(inputs, folder, beam_args=IN_PROCESS, num_shards=2, **settings):
        create_dataset(
            [str(pattern) for pattern in inputs],
            str(folder),
            beam_args=beam_args,
            num_shards=num_shards,
            **settings,
        )

    return build


@pytest.fixture(scope="session")
def data_dir(build, doodles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of the doodles."""
    folder = tmp_path_factory.mktemp("data") / "doodles"
    build([doodles / "*.ndjson"], folder)
    return folder


@pytest.fixture(scope="session")
def bitmap_data_dir(
    build, doodles: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A small data set of the doodles' bitmaps."""
    source = tmp_path_factory.mktemp("bitmaps")
    for path in doodles.glob("*.ndjson"):
        drawings = map(parse_simplified, path.read_bytes().splitlines())
        bitmaps = [rasterize.rasterize(drawing.points) for drawing in drawings]
        np.save(source / f"{path.stem}.npy", bitmaps)
    folder = tmp_path_factory.mktemp("data") / "bitmaps"
    build([source / "*.npy"], folder)
    return folder


def train_briefly(
    model: str, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The workdir of a run of one epoch in small batches."""
    # Here, as TensorFlow takes seconds that the tests of the lower floors do not need.
    from rnn_model.config import TrainConfig
    from rnn_model.training.loop import train_and_evaluate

    workdir = tmp_path_factory.mktemp("runs") / model
    config = TrainConfig(model=model, epochs=1, batch_size=32)
    train_and_evaluate(config, str(data_dir), str(workdir))
    return workdir


@pytest.fixture(scope="session")
def trained_rnn(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workdir of a tiny run of the rnn on `data_dir`."""
    return train_briefly("rnn", data_dir, tmp_path_factory)


@pytest.fixture(scope="session")
def trained_cnn(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workdir of a tiny run of the cnn on `data_dir`."""
    return train_briefly("cnn", data_dir, tmp_path_factory)


@pytest.fixture(scope="session")
def trained_mlp(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workdir of a tiny run of the mlp on `data_dir`."""
    return train_briefly("mlp", data_dir, tmp_path_factory)


@pytest.fixture(scope="session")
def exported_rnn(
    trained_rnn: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A versioned export of the tiny rnn, checked on `data_dir`."""
    from serve_export import export

    folder = tmp_path_factory.mktemp("exports") / "rnn"
    return Path(export.export(str(trained_rnn), str(folder), data_dir=str(data_dir)))


@pytest.fixture(scope="session")
def exported_mlp(trained_mlp: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A versioned export of the tiny mlp, checked on doodles."""
    from serve_export import export

    folder = tmp_path_factory.mktemp("exports") / "mlp"
    return Path(export.export(str(trained_mlp), str(folder)))


def reason(call, *arguments):
    """The message of the ValueError that a call raises, empty if none."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return ""


TENSORFLOW_LOG = re.compile(
    r"(\[\d\] )?("  # the worker, if there are several
    r"WARNING: All log messages|"
    r"[IWEF]\d{4} \d\d:\d\d:\d+\.|"  # of Abseil and gRPC
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWEF] |"  # of the C++ code
    # More lines of an error of the coordination service, if one worker ends late.
    r"Additional GRPC error information |:UNKNOWN:)"
)


def without_tensorflow_log(stderr: str) -> str:
    """Removes the lines that TensorFlow's C++ code logs."""
    return "".join(
        line
        for line in stderr.splitlines(keepends=True)
        if not TENSORFLOW_LOG.match(line)
    )

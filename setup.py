"""The package `quickdraw-rnn`; Dataflow stages it with `--setup_file=./setup.py`."""

import re
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - pip of an old Python runs this file
    sys.exit("error: quickdraw-rnn needs Python 3.11 or newer")

from setuptools import find_packages, setup

HERE = Path(__file__).parent
URL = "https://github.com/quickdraw-rnn/quickdraw-rnn"
PACKAGES = ("tfrecords", "pipeline", "rnn_model", "serve_export")

LITERT = ["ai-edge-litert>=2.1"]  # also validates an export
# The upper bounds: the models and the optimizer override internals of Keras, and
# `rnn_model.checkpoints` relies on TensorFlow's file names. Before raising a bound, run
# `make test` with the new version: its deprecation warnings are errors.
TRAIN = [
    "tensorflow>=2.20,<2.22",
    "keras>=3.13,<3.16",
    "tensorboard>=2.20",
    "scipy",
    "jinja2",
    *LITERT,
]
PNG = ["pillow"]
SVG = ["svgelements"]
SERVE = [
    "jinja2",
    "prometheus-client",
    "segno",
    "starlette",
    "uvicorn>=0.54,<0.55",  # `limits.http_limits` extends its protocol
    "httptools",
    "uvloop",
    *LITERT,
    *PNG,
]
REPORT = ["jinja2", "matplotlib", *PNG]
SWEEP = ["optuna>=5", *REPORT]
# The upper bound: `pipeline.beam_job.worker_pool` and `local_runner` use internals of
# Beam's local runner, which a minor version may change.
BEAM = "apache-beam{}>=2.70,<2.78"
NOTEBOOK = ["anywidget"]
GCP = [BEAM.format("[gcp]")]
GCS = ["google-cloud-storage", "gcp-storage-emulator"]  # for the tests of gs:// paths
DATAFLOW = ["google-cloud-dataflow-client"]  # for the test of a dry run
TEST = [
    *(*TRAIN, *SERVE, *REPORT, *SWEEP, *SVG, *NOTEBOOK, *GCS, *DATAFLOW),
    "functions-framework",  # runs the Cloud Function of docs/examples
    *("build", "codespell", "mypy", "ruff"),
    *(
        "axe-playwright-python",  # accessibility of the page
        "hypothesis",
        "ipykernel",
        "nbclient",
        "playwright",
        "pytest",
        "pytest-xdist",
        "schemathesis",
    ),
]


def read_description() -> str:
    """Returns README.md with absolute links, as PyPI shows it."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"!\[(.*?)\]\((?!http)", rf"![\1]({URL}/raw/main/", text)
    return re.sub(r"(?<!!)\[(.*?)\]\((?!http)", rf"[\1]({URL}/blob/main/", text)


setup(
    name="quickdraw-rnn",
    version="0.1.0",
    description="A training pipeline for stroke-sequence RNNs on Quick, Draw! data",
    long_description=read_description(),
    long_description_content_type="text/markdown",
    author="The quickdraw-rnn authors",
    url=URL,
    project_urls={
        "Documentation": f"{URL}/tree/main/docs",
        "Changelog": f"{URL}/blob/main/CHANGELOG.md",
        "Issues": f"{URL}/issues",
    },
    license="Apache-2.0",
    keywords="quickdraw sketch recognition rnn lstm tensorflow keras beam litert",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Image Recognition",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=[f"{name}*" for name in PACKAGES]),
    # The bundled model, the web page and the templates.
    package_data={
        "pipeline": ["official_words.txt", "report/templates/*"],
        "serve_export": [
            "*.js",
            "api/templates/*",
            "pretrained/**",
            "static/**",
            "templates/*",
        ],
    },
    # What a Beam worker needs, and tqdm for progress bars.
    install_requires=[
        "absl-py",
        BEAM.format(""),
        "google-apitools",  # without it Beam logs a warning in every worker
        "google-crc32c",
        "msgspec",
        "ndjson",
        "numpy",
        "tqdm",
    ],
    extras_require={
        "train": TRAIN,
        "serve": SERVE,
        "report": REPORT,
        "sweep": SWEEP,
        "notebook": NOTEBOOK,
        "png": PNG,
        "svg": SVG,
        "gcp": GCP,
        "test": TEST,
    },
    entry_points={
        "console_scripts": [
            "quickdraw-create-dataset = pipeline.create_dataset:run",
            "quickdraw-download = pipeline.download:run",
            "quickdraw-convert = pipeline.convert:run",
            "quickdraw-describe = pipeline.describe:run",
            "quickdraw-train = rnn_model.train_command:run",
            "quickdraw-sweep = rnn_model.sweep.command:run",
            "quickdraw-launch = rnn_model.launch:run",
            "quickdraw-evaluate = rnn_model.evaluate_command:run",
            "quickdraw-export = serve_export.export:run",
            "quickdraw-predict = serve_export.predict:run",
            "quickdraw-predict-batch = serve_export.predict_batch:run",
            "quickdraw-serve = serve_export.server:run",
        ]
    },
)

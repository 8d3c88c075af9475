"""The package `quickdraw-rnn`; Dataflow stages it with `--setup_file=./setup.py`."""

import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - an old Python reads this line first
    sys.exit("error: quickdraw-rnn needs Python 3.11 or newer")

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PACKAGES = ("tfrecords", "pipeline", "rnn_model", "serve_export")

LITERT = ["ai-edge-litert>=2.1"]  # an export is checked with what it is served with
TRAIN = [
    "tensorflow>=2.21",
    "keras>=3.15",
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
    "uvicorn",
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
GCS = ["google-cloud-storage", "gcp-storage-emulator"]  # all that gs:// needs in tests
DATAFLOW = ["google-cloud-dataflow-client"]  # all that a dry run needs
TEST = [
    *(*TRAIN, *SERVE, *REPORT, *SWEEP, *SVG, *NOTEBOOK, *GCS, *DATAFLOW),
    "functions-framework",  # starts the Cloud Function of docs/examples
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

setup(
    name="quickdraw-rnn",
    version="0.1.0",
    description="From Quick, Draw! strokes to a model that answers",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=[f"{name}*" for name in PACKAGES]),
    # The model in the box, and the page.
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
    # What a Beam worker needs and, for who waits at a terminal, tqdm.
    install_requires=[
        "absl-py",
        BEAM.format(""),
        "google-apitools",  # Beam warns of its absence in every worker
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
            "quickdraw-serve = serve_export.server:run",
        ]
    },
)

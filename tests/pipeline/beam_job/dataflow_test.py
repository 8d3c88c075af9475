"""The job as Dataflow receives it: translated here, without the service."""

import shlex
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.internal import pickler
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions
from apache_beam.portability.api import beam_runner_api_pb2 as beam_api

from pipeline.beam_job import cluster_runner, config
from pipeline.beam_job.config import JobConfig, JobContext
from pipeline.beam_job.pipeline import build_pipeline
from pipeline.beam_job.transforms import ParseBlock, ReadFile, WriteShard
from pipeline.formats.reader import Share

ROOT = Path(__file__).parents[3]

FLAGS = [
    "--runner=DataflowRunner",
    "--project=some-project",
    "--region=europe-west1",
    "--temp_location=gs://some-bucket/temp",
    "--staging_location=gs://some-bucket/staging",
    "--job_name=quickdraw",
    "--dry_run=True",
    "--no_auth",
]

STEPS = """
AddEmptyShards CreateConfig CreateEmptyRuns CreateShares FindMaxRanks GroupByShard
GroupRejectsByFile KeepSmallestRanks ListClasses ParseBlocks Publish ReadFiles
SpreadShares SumCounts SummarizeJob WriteRejects WriteShards
"""


@pytest.fixture(scope="module")
def translated():
    """The steps that are sent, by name."""
    pytest.importorskip(
        "google.cloud.dataflow", reason="pip install google-cloud-dataflow-client"
    )
    from apache_beam.internal.gcp import auth

    out = "gs://some-bucket/data"
    context = JobContext(JobConfig(max_per_class=9), out, f"{out}/.unfinished/0", "me")
    options = PipelineOptions(FLAGS)
    assert not options.view_as(SetupOptions).save_main_session
    pipeline = beam.Pipeline(options=options)
    build_pipeline(pipeline, context, [Share("gs://some-bucket/in/cat.ndjson.gz", 10)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth._Credentials, "_credentials_init", True)
        patch.setattr(auth._Credentials, "_credentials", None)
        proto = pipeline.run().job.proto_pipeline
    transforms = proto.components.transforms.values()
    return {each.unique_name: each for each in transforms}


def test_every_step_has_a_name(translated):
    names = {name.partition("/")[0] for name in translated}
    root = {name for name in names if name.startswith("ref_AppliedPTransform")}
    assert names - root == set(STEPS.split())
    lambdas = [name for name in translated if "lambda" in name]
    assert all("FlatMap(<lambda at core.py" in name for name in lambdas)  # Beam's own


def test_the_documented_commands_are_valid():
    text = (ROOT / "docs" / "clusters.md").read_text().replace("\\\n", "")
    commands = [
        shlex.split(line)[3:]
        for line in text.splitlines()
        if "--runner=DataflowRunner" in line
    ]
    assert len(commands) == 2
    own = ("--input=", "--output_dir=", "--num_shards=")
    for command in commands:
        beam_args = [flag for flag in command if not flag.startswith(own)]
        assert config.find_unknown_beam_args(beam_args) == []
        cluster_runner.check_options(PipelineOptions(beam_args), ["gs://BUCKET/data"])
        names = {flag.partition("=")[0] for flag in beam_args}
        assert names >= {flag.partition("=")[0] for flag in FLAGS[:6]}
        # Without public addresses workers cannot install from PyPI.
        assert ("--setup_file" in names) != ("--no_use_public_ips" in names)


def test_no_worker_receives_a_local_path(translated):
    for step in (ReadFile, ParseBlock, WriteShard):
        context = unpickle(translated, step)._context
        assert context.working_dir.startswith("gs://")
        assert context.scratch_dir is None


def unpickle(translated, step):
    """Returns the step as a worker receives it."""
    name = step.__name__
    (transform,) = (
        each
        for path, each in translated.items()
        if path in (f"{name}s", f"{name}s/ParDo({name})") and not each.subtransforms
    )
    payload = beam_api.ParDoPayload.FromString(transform.spec.payload)
    return pickler.loads(payload.do_fn.payload)[0]


@pytest.mark.parametrize(
    ("source", "out"),
    [("in/*.ndjson", "gs://some-bucket/out"), ("gs://some-bucket/in/*", "out")],
)
def test_local_paths_are_rejected_at_once(build, source, out):
    local = source if "://" in out else out
    with pytest.raises(ValueError, match="cannot read") as caught:
        build([source], out, beam_args=FLAGS)
    assert str(caught.value).startswith(f"{local} is on this machine")

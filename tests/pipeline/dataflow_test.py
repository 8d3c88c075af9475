"""The job as Dataflow would get it: translated here, without the service."""

import shlex
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.internal import pickler
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions
from apache_beam.portability.api import beam_runner_api_pb2 as beam_api

from pipeline import create_dataset
from pipeline.beam_job import pipeline as job
from pipeline.beam_job.transforms import Job, ParseBlock, ReadFile, WriteShard
from pipeline.formats.reader import Share
from tests.conftest import make_recipe

ROOT = Path(__file__).parents[2]

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
AddTallies Caps CapsThatBind Classes Conclude DrawingsByShard EveryShard Once ParseBlock
ReadFile RejectsByFile Shares SmallestRanks SpreadShares Tallies WithEmptyShards
WriteRejects WriteShard
"""


@pytest.fixture(scope="module")
def translated():
    """The steps that are sent, by name."""
    pytest.importorskip(
        "google.cloud.dataflow", reason="pip install google-cloud-dataflow-client"
    )
    from apache_beam.internal.gcp import auth

    told = Job("gs://some-bucket/data/.unfinished/0", make_recipe(max_per_class=9))
    options = PipelineOptions(FLAGS)
    assert not options.view_as(SetupOptions).save_main_session
    pipeline = beam.Pipeline(options=options)
    job.build(pipeline, told, [Share("gs://some-bucket/in/cat.ndjson.gz", 10)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth._Credentials, "_credentials_init", True)
        patch.setattr(auth._Credentials, "_credentials", None)
        proto = pipeline.run().job.proto_pipeline
    transforms = proto.components.transforms.values()
    return {each.unique_name: each for each in transforms}


def test_every_step_has_a_name_that_a_page_can_show(translated):
    ours = {name.partition("/")[0] for name in translated}
    root = {name for name in ours if name.startswith("ref_AppliedPTransform")}
    assert ours - root == set(STEPS.split())
    strange = [name for name in translated if "lambda" in name]
    assert all("FlatMap(<lambda at core.py" in name for name in strange)  # Beam's own


def test_the_command_to_paste_has_no_flag_that_nobody_knows():
    text = (ROOT / "docs" / "clusters.md").read_text().replace("\\\n", "")
    commands = [
        shlex.split(line)[3:]
        for line in text.splitlines()
        if "--runner=DataflowRunner" in line
    ]
    assert len(commands) == 1
    ours = ("--input=", "--output_dir=", "--num_shards=")
    rest = [flag for flag in commands[0] if not flag.startswith(ours)]
    create_dataset.take_beam_args(rest)
    asked = {flag.partition("=")[0] for flag in rest}
    assert asked >= {flag.partition("=")[0] for flag in FLAGS[:6]} | {"--setup_file"}


def test_no_worker_is_told_of_a_path_of_this_machine(translated):
    for step in (ReadFile, ParseBlock, WriteShard):
        told = unpickled(translated, step)._job
        assert told.folder.startswith("gs://")
        assert told.scratch is None


def unpickled(translated, step):
    """The step as a worker gets it."""
    name = step.__name__
    (found,) = (
        each
        for path, each in translated.items()
        if path in (name, f"{name}/ParDo({name})") and not each.subtransforms
    )
    payload = beam_api.ParDoPayload.FromString(found.spec.payload)
    return pickler.loads(payload.do_fn.payload)[0]


@pytest.mark.parametrize(
    ("source", "out"),
    [("in/*.ndjson", "gs://some-bucket/out"), ("gs://some-bucket/in/*", "out")],
)
def test_what_its_workers_cannot_see_is_refused_at_once(build, source, out):
    local = source if "://" in out else out
    with pytest.raises(ValueError, match="cannot see") as caught:
        build([source], out, beam_args=FLAGS)
    assert str(caught.value).startswith(f"{local} is on this machine")

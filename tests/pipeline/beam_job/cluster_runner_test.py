"""Which paths a cluster can read, and how reading is distributed."""

import types

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.beam_job import cluster_runner


@pytest.mark.parametrize(
    ("flags", "num_files", "readers"),
    [
        ([], 1, 1),
        (["--parallelism=2"], 345, 1),
        (["--parallelism=4"], 2, 8),
        (["--max_num_workers=100"], 345, 2),
        (["--max_num_workers=100", "--worker_machine_type=n1-standard-4"], 345, 5),
        (["--num_workers=100"], 1, 400),
    ],
)
def test_several_workers_read_each_of_few_files(flags, num_files, readers):
    options = PipelineOptions(flags)
    assert cluster_runner.count_readers(options, num_files) == readers


def test_flink_workers_may_share_a_disk_with_the_launcher():
    options = PipelineOptions(["--runner=FlinkRunner"])
    cluster_runner.check_options(options, ["/shared/data", "gs://bucket/data"])


@pytest.mark.parametrize(
    "flag",
    ["--setup_file=./setup.py", "--extra_package=a.gz", "--sdk_container_image=i"],
)
def test_dataflow_workers_need_the_package(flag):
    flags = ["--runner=DataflowRunner"]
    cluster_runner.check_options(PipelineOptions([*flags, flag]), ["gs://bucket/data"])
    with pytest.raises(ValueError, match="need this package: add --setup_file"):
        cluster_runner.check_options(PipelineOptions(flags), ["gs://bucket/data"])


def test_the_page_of_a_dataflow_job_is_printed(capsys):
    flags = ["--runner=DataflowRunner", "--region=europe-west1", "--project=mine"]
    result = types.SimpleNamespace(job_id=lambda: "2026-1")
    cluster_runner._print_job_page(result, PipelineOptions(flags))
    url = "console.cloud.google.com/dataflow/jobs/europe-west1/2026-1?project=mine"
    assert url in capsys.readouterr().err

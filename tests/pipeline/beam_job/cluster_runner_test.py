"""Which paths a cluster can read, and how reading is distributed."""

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
        (["--num_workers=100"], 1, cluster_runner.MAX_READERS),
    ],
)
def test_several_workers_read_each_of_few_files(flags, num_files, readers):
    options = PipelineOptions(flags)
    assert cluster_runner.count_readers(options, num_files) == readers


def test_flink_workers_may_share_a_disk_with_the_launcher():
    options = PipelineOptions(["--runner=FlinkRunner"])
    cluster_runner.check_paths(options, ["/shared/data", "gs://bucket/data"])

"""What a launcher makes of what an engine says."""

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.beam_job import cluster_runner

FLINK = """\
java.lang.RuntimeException: Error received from SDK harness for instruction 4: \
Traceback (most recent call last):
  File "sdk_worker.py", line 315, in _execute
    response = task()
OSError: gs://b/cat.ndjson: the store said no

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "transforms.py", line 99, in process
    raise OSError(f"{share.path}: {error}")
OSError: gs://b/cat.ndjson: the store said no [while running 'ReadFile/ParDo(ReadFile)']
\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient
Caused by: java.lang.IllegalStateException: too late
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (FLINK, "OSError: gs://b/cat.ndjson: the store said no"),
        (
            "Pipeline job-1 failed in state FAILED: java.io.IOException: lost\n\tat X",
            "java.io.IOException: lost",
        ),
        ("", "no reason was given"),
    ],
)
def test_the_reason_is_the_worker_s_in_one_line(text, found):
    assert cluster_runner.reason(text) == found


@pytest.mark.parametrize(
    ("flags", "files", "readers"),
    [
        ([], 1, 1),
        (["--parallelism=2"], 345, 1),
        (["--parallelism=4"], 2, 8),
        (["--max_num_workers=100"], 345, 2),
        (["--num_workers=100"], 1, cluster_runner.MOST_READERS),
    ],
)
def test_of_few_files_each_is_read_by_several(flags, files, readers):
    assert cluster_runner.readers(PipelineOptions(flags), files) == readers


def test_another_engine_s_workers_may_share_our_disk():
    options = PipelineOptions(["--runner=FlinkRunner"])
    cluster_runner.check_paths(options, ["/shared/data", "gs://bucket/data"])

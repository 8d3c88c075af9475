"""The cause of a failed job is one line, whatever the runner reports."""

import pytest

from pipeline.beam_job.errors import find_cause, make_job_error

FLINK = """\
java.lang.RuntimeException: Error received from SDK harness for instruction 4: \
Traceback (most recent call last):
  File "sdk_worker.py", line 315, in _execute
    response = task()
KeyError: 'first'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "transforms.py", line 99, in process
    raise OSError(f"{share.path}: {error}")
OSError: gs://b/cat.ndjson: refused [while running 'ReadFiles/ParDo(ReadFile)']
\tat org.apache.beam.runners.fnexecution.control.FnApiControlClient
Caused by: java.lang.IllegalStateException: too late
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (FLINK, "OSError: gs://b/cat.ndjson: refused"),
        (
            "Pipeline job-1 failed in state FAILED: java.io.IOException: lost\n\tat X",
            "java.io.IOException: lost",
        ),
        (
            "Dataflow pipeline failed. State: FAILED, Error:\n"
            "Workflow failed. Causes: The zone has no machines.",
            "Workflow failed. Causes: The zone has no machines.",
        ),
        ("RuntimeError: a worker died", "a worker died"),
        ("", "no reason was given"),
    ],
)
def test_find_cause(text, cause):
    assert find_cause(text) == cause


def test_an_input_error_needs_no_introduction():
    text = (
        "RuntimeError: Traceback (most recent call last):\n  File …\n"
        "pipeline.beam_job.errors.InputError: cannot read a.gz: damaged [while "
        "running 'ReadFiles']"
    )
    assert str(make_job_error(text)) == "cannot read a.gz: damaged"
    assert str(make_job_error("KeyError: 1")) == "the job failed: KeyError: 1"

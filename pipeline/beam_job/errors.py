"""Errors of a Beam job as one line without stack traces."""

import re

_PYTHON_ERROR = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception)\b: .+")
_STEP = re.compile(r" \[while running '.*?'\]$")
_HEADERS = (
    re.compile(r"Pipeline \S+ failed in state \w+: "),
    re.compile(r"Dataflow pipeline failed\. State: \w+, Error:\s*"),
)


class InputError(ValueError):
    """An input file cannot be read, so the job must fail; retrying does not help."""


_INPUT_ERROR = re.compile(rf"(?:[\w.]+\.)?{InputError.__name__}: (.*)")


def make_job_error(text: str) -> ValueError:
    """Makes the error of a failed job from what its runner reports.

    Args:
      text: an error message, with or without stack traces of Python and Java.
    """
    cause = find_cause(text)
    if input_error := _INPUT_ERROR.fullmatch(cause):
        return ValueError(input_error.group(1))
    return ValueError(f"the job failed: {cause}")


def find_cause(text: str) -> str:
    """Returns the line of an error message that names the cause.

    The error of a step, which Beam marks, is preferred to other errors of Python, and
    those to the errors of the engine that wrap them.
    """
    text = text.strip()
    for header in _HEADERS:
        text = header.sub("", text, count=1)
    traceback = text.partition("Traceback (most recent call last)")[2].splitlines()
    errors = [line for line in traceback if _PYTHON_ERROR.match(line)]
    step_errors = [line for line in errors if _STEP.search(line)]
    line, *_ = [*step_errors[-1:], *errors, *text.splitlines(), "no reason was given"]
    return _STEP.sub("", line).removeprefix("RuntimeError: ")

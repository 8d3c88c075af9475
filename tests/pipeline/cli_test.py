"""Every command ends with the right status, and its errors are one line."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from absl import flags
from pipeline import command

def define_flags():
    flags.DEFINE_integer("number", 3, "How many.\\n  Not few.")
    flags.DEFINE_bool("loud", False, "Say it loud.")
    flags.DEFINE_string("name", None, "Who.")
    flags.DEFINE_list("words", [], "Which.")

def main():
    print("number", flags.FLAGS.number, "loud", flags.FLAGS.loud)
    exec(flags.FLAGS.name or "")

command.run(main, define_flags, doc="Counts.\\n\\n    example", **(
    {"take_rest": lambda rest: print("rest", rest)} if TAKE else {}))
"""


@pytest.fixture
def start():
    def start(*arguments, take=False):
        script = SCRIPT.replace("TAKE", str(take))
        return subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True
        )

    return start


def test_a_command_that_succeeds(start):
    done = start("--number=5", "--loud")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "number 5 loud True\n"


def test_help_has_every_flag_with_its_default(start):
    done = start("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Counts.\n\n    example\n\nFlags:\n"
        "  --loud\n      Say it loud. (default: false)\n"
        "  --name\n      Who.\n"
        "  --number\n      How many. Not few. (default: 3)\n"
        "  --words\n      Which. (default: empty)\n"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--unknown=1", "Unknown command line flag 'unknown'"),
        ("--number=many", "flag --number=many: invalid literal"),
        ("--noloud=1", "--noloud=1 does not take an argument"),
        ("--number", "Missing value for flag --number"),
        ("file", "not a flag: 'file'"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exits_with_2(start, argument, message):
    done = start(argument)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert done.stderr.endswith(" (--help lists the flags)\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("statement", "status", "error"),
    [
        ("raise ValueError('two\\nlines')", 1, "error: two lines\n"),
        ("raise ValueError", 1, "error: ValueError\n"),
        ("open('/nowhere')", 1, "error: [Errno 2] No such file or directory: '/nowh"),
        ("raise KeyboardInterrupt", 130, "error: interrupted\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line(start, statement, status, error):
    done = start(f"--name={statement}")
    assert done.returncode == status
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1


def test_a_fault_of_ours_keeps_its_traceback(start):
    done = start("--name=raise KeyError('x')")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


def test_a_reader_that_has_seen_enough_is_no_error(start):
    done = start("--name=raise BrokenPipeError")
    assert (done.returncode, done.stderr) == (1, "")


def test_the_rest_goes_to_who_takes_it_and_our_flags_do_not(start):
    done = start("--runner", "Other", "--number=4", "--x=1", take=True)
    assert done.stdout.startswith("rest ['--runner', 'Other', '--x=1']\nnumber 4 ")

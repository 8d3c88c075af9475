"""Every command ends with the right status, and its errors are one line."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from absl import flags
from pipeline import cli

def define_flags():
    flags.DEFINE_integer("number", 3, "How many.\\n  At least one.")
    flags.DEFINE_bool("loud", False, "Print more.")
    flags.DEFINE_string("name", None, "A name.")
    cli.define_list("words", [], "Some words.")

def main():
    values = flags.FLAGS
    print("number", values.number, "loud", values.loud, "words", *values.words)
    exec(values.name or "")

def find_unknown_args(args):
    print("extra", args)
    return [arg for arg in args if arg.startswith("--num")]

cli.run(main, define_flags, doc="Counts.\\n\\n    example",
        find_unknown_args=find_unknown_args if EXTRA else None)
"""


@pytest.fixture
def run_command():
    def run_command(*arguments, extra=False):
        script = SCRIPT.replace("EXTRA", str(extra))
        return subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True
        )

    return run_command


def test_success(run_command):
    done = run_command("--number=5", "--loud")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "number 5 loud True words\n"


def test_help_lists_every_flag_with_its_default(run_command):
    done = run_command("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Counts.\n\n    example\n\nFlags:\n"
        "  --loud\n      Print more. (default: false)\n"
        "  --name\n      A name.\n"
        "  --number\n      How many. At least one. (default: 3)\n"
        "  --words\n      Some words. May be repeated. (default: empty)\n"
    )


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--unknown=1", "unknown flag --unknown "),
        ("--nmuber=1", "unknown flag --nmuber; did you mean --number?"),
        ("--number=many", "flag --number=many: invalid literal"),
        ("--noloud=1", "--noloud=1 does not take an argument"),
        ("--number", "Missing value for flag --number"),
        ("file", "not a flag: 'file'"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exits_with_2(run_command, argument, message):
    done = run_command(argument)
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
        ("raise ModuleNotFoundError(name='fcntl')", 1, "error: native Windows is not"),
    ],
)
def test_an_error_that_users_can_correct_is_one_line(
    run_command, statement, status, error
):
    done = run_command(f"--name={statement}")
    assert done.returncode == status
    assert done.stderr.startswith(error)
    assert done.stderr.count("\n") == 1


def test_a_bug_keeps_its_traceback(run_command):
    for statement in ("raise KeyError('x')", "import no_such_module"):
        done = run_command(f"--name={statement}")
        assert done.returncode == 1
        assert done.stderr.startswith("Traceback")


def test_a_reader_that_closes_stdout_is_no_error(run_command):
    done = run_command("--name=raise BrokenPipeError")
    assert (done.returncode, done.stderr) == (1, "")


def test_extra_arguments_are_passed_on(run_command):
    done = run_command("--runner", "Other", "--number=4", "--x=~/y", extra=True)
    extra, line = done.stdout.splitlines()
    assert extra.startswith("extra ['--runner', 'Other', '--x=/")
    assert line.startswith("number 4 ")
    done = run_command("--num=4", "--runner=Other", extra=True)
    assert done.returncode == 2
    assert "did you mean --number?" in done.stderr


def test_home_directories_are_expanded_once(run_command, monkeypatch):
    monkeypatch.setenv("HOME", "/home/~me")
    done = run_command("--words=~/a,b~,gs://~/c", "--name=print(values.name[-3:])#~/a")
    assert done.stdout.splitlines() == [
        "number 3 loud False words /home/~me/a b~ gs://~/c",
        "~/a",
    ]


def test_a_repeated_list_flag_adds_values(run_command):
    done = run_command("--words=a,b", "--words", "c", "--words=")
    assert done.stdout == "number 3 loud False words a b c\n"


def test_a_notebook_survives_errors_and_repeated_runs():
    pytest.importorskip("IPython")
    script = SCRIPT.replace("EXTRA", "False").partition("cli.run")[0] + (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance()\n"
        "for argument in ('--number=1', '--number=2', '--name=raise ValueError'):\n"
        "    sys.argv[1:] = [argument]\n"
        "    try:\n"
        "        cli.run(main, define_flags, doc='')\n"
        "    except SystemExit as error:\n"
        "        print('status', error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.stdout.splitlines() == [
        "number 1 loud False words",
        "number 2 loud False words",
        "number 3 loud False words",
        "status 1",
    ]
    assert done.stderr == "error: ValueError\n"

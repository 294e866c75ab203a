"""The command as a process of its own: streams, pipes, speed."""

import os
import pty
import resource
import subprocess
import sys
from pathlib import Path

import pytest

EXPLAIN = Path(__file__).parents[1] / "golden" / "explain"
COMMAND = [sys.executable, "-m", "pointsman.cli"]
SOURCES = str(Path(__file__).parents[2] / "src")


def environment(**more: str) -> dict[str, str]:
    dropped = ("NO_COLOR", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONPATH": SOURCES, "TERM": "xterm", **more}


def process(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
        cwd=EXPLAIN,
    )


def test_explains_what_comes_by_standard_input() -> None:
    text = (EXPLAIN / "colors.yaml").read_text()
    ended = process("explain", "-", "GET", "/paths/red", stdin=text)
    assert ended.returncode == 0
    assert ended.stdout.startswith(
        "GET /paths/red\nis answered by virtual node colors/red (100 %), which sees\n"
    )
    assert ended.stderr == ""


def test_errors_go_to_standard_error_and_results_do_not() -> None:
    ended = process("explain", "nowhere.yaml", "GET", "/")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("pointsman: nowhere.yaml does not exist\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("explain", "split.yaml", "GET", "/api"), id="less than a buffer"),
        pytest.param(("render", "split.yaml", "--json"), id="more than a buffer"),
    ],
)
def test_a_reader_that_leaves_early_hears_no_complaint(arguments: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=EXPLAIN,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        errors = running.stderr.read().decode()
        running.wait(60)
    assert errors == ""
    assert running.returncode == 1


def on_terminal(*arguments: str, **more: str) -> str:
    """What a command prints to a terminal of 40 columns."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(COLUMNS="40", **more),
            cwd=EXPLAIN,
        ) as running:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # EIO tells that the other side has closed
                    break
                if not part:
                    break
                shown += part
            running.wait(60)
    finally:
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def test_colour_is_for_terminals_that_want_it_and_lines_are_never_wrapped() -> None:
    arguments = ("explain", "colors.yaml", "GET", "/paths/red")
    plain = (EXPLAIN / "two-stages.txt").read_text().splitlines()[4]
    coloured = on_terminal(*arguments)
    assert "\x1b[" in coloured
    assert "\x1b[" not in on_terminal(*arguments, "--no-color")
    bare = on_terminal(*arguments, NO_COLOR="1")
    assert "\x1b[" not in bare
    assert plain in bare.splitlines()


def test_help_is_there_at_once() -> None:
    def processor_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Processor time, and the best of some, because this machine may be busy with other tests.
    assert min(processor_seconds() for _ in range(3)) < 0.3


def run_script(script: str) -> str:
    """What a script prints in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment(),
    )
    return ended.stdout


@pytest.mark.parametrize("module", ["pointsman.api.client", "pointsman.api.admin_client"])
def test_commands_to_an_instance_do_not_load_what_manifests_are_made_of(module: str) -> None:
    script = (
        f"import sys, {module}\n"
        "print([name for name in sys.modules if name.startswith('pointsman.resources.kinds')])"
    )
    assert run_script(script) == "[]\n"


def test_an_instance_without_callers_does_not_load_what_databases_need() -> None:
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "import pointsman.app.instance\n"
        "from pointsman.app.access import AccessState, StateOptions\n"
        "from pointsman.resources.resource_set import ResourceSet\n"
        "state = AccessState(StateOptions('sqlite:///nowhere.db', Path('nowhere.key')))\n"
        "print(asyncio.run(state.sources(ResourceSet())), 'sqlalchemy' in sys.modules)\n"
    )
    assert run_script(script) == "{} False\n"

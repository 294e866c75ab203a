"""Guides are true: what they say is typed here, against a real instance, and answered so."""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.docs.documents import GUIDES, ROOT, Typed, blocks, console
from tests.support import prometheus
from tests.support.up import Up, command, free_port, running, until
from tests.up import manifests as m

pytestmark = [pytest.mark.envoy]

GATEWAY = "127.0.0.1:8088"
OTHERS = ("127.0.0.1:9900", "127.0.0.1:9600", "127.0.0.1:9090")
"""The administration, the page for Prometheus, and Prometheus."""
ISSUER = "localhost:8088"
"""The gateway, where the host of the address matters."""
LOGIN = ROOT / "docs" / "guides" / "log-in-with-oidc.md"
NEEDS = {"watch-with-prometheus-and-grafana": prometheus.needs_prometheus}
_END = re.compile(r"^<<(\d+)>>$")


class Shell:
    """A shell in which `pointsman` is that of this checkout.

    Args:
        folder: where it is; it has the examples, as the checkout has.
        up: the instance that commands find; None for none.
        moved: addresses in the guide, and where they are here.
    """

    def __init__(self, folder: Path, up: Up | None, moved: dict[str, str]) -> None:
        self._moved = moved
        for name in ("examples", "dashboards"):
            (folder / name).symlink_to(ROOT / name)
        own = folder / "bin" / "pointsman"
        own.parent.mkdir()
        own.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pointsman.cli "$@"\n')
        own.chmod(own.stat().st_mode | stat.S_IXUSR)
        path = f"{own.parent}:/usr/local/bin:/usr/bin:/bin"
        runtime = {} if up is None else {"XDG_RUNTIME_DIR": str(up.home / "run")}
        self._process = subprocess.Popen(
            ["bash"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            start_new_session=True,
            env={"PATH": path, "PYTHONPATH": str(ROOT / "src"), "HOME": str(folder), **runtime},
        )

    def type(self, text: str) -> list[str]:
        """The lines that a command answers; the shell's own complaints fail."""
        for there, here in self._moved.items():
            text = text.replace(there, here)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{text}\nprintf '\\n<<%d>>\\n' $?\n")
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            found = _END.match(line)
            if found:
                assert found[1] == "0", (text, lines)
                break
            lines.append(line.rstrip("\r\n"))
        return lines

    def close(self) -> None:
        """Ends it, with what it has in the background."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.stdout.close()


def answers(lines: list[str], expected: tuple[str, ...]) -> bool:
    """Whether lines are as a guide shows them; a line that is `…` alone is any number of them.

    Empty ones are not compared, nor how wide columns are.
    """
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else f"{'.*'.join(map(re.escape, _narrow(line).split('…')))}\n"
        for line in expected
        if line.strip()
    )
    found = "".join(f"{_narrow(line)}\n" for line in lines if line.strip())
    return re.fullmatch(pattern, found) is not None


def _narrow(line: str) -> str:
    return re.sub(" +", " ", line.rstrip())


def follow(shell: Shell, typed: Typed) -> None:
    """Types what a guide says; a key that was just made may take a moment to be known."""

    def fits() -> bool:
        found = shell.type(typed.command)
        assert not typed.answer or answers(found, typed.answer), (typed.command, found)
        return True

    if typed.command.startswith("curl "):
        until(fits, 3.0, typed.command)
    else:
        fits()


@pytest.fixture
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    """A shell beside the instance that a guide begins with."""
    (first, *_) = console(request.param)
    moved: dict[str, str] = {}
    with ExitStack() as stack:
        up = None
        if first.command.startswith("pointsman up "):
            arguments = [*first.command.split()[2:], "--listen", "8088=0"]
            moved.update((address, f"127.0.0.1:{free_port()}") for address in OTHERS)
            arguments = [moved.get(item, item) for item in arguments]
            up = stack.enter_context(running(ROOT / arguments[0], *arguments[1:]))
            moved[GATEWAY] = up.address()
            moved[ISSUER] = f"localhost:{moved[GATEWAY].rpartition(':')[2]}"
        made = Shell(tmp_path, up, moved)
        stack.callback(made.close)
        yield made


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("shell", "guide"),
    [pytest.param(path, path, marks=NEEDS.get(path.stem, ()), id=path.stem) for path in GUIDES],
    indirect=["shell"],
)
def test_what_a_guide_says_is_so(shell: Shell, guide: Path) -> None:
    for typed in console(guide):
        if not typed.command.startswith("pointsman up "):
            follow(shell, typed)


def test_manifests_in_guides_are_those_of_the_example() -> None:
    examples = [ROOT / "examples" / name for name in ("callers", "tokens", "rollouts", "versions")]
    known = [
        document
        for example in examples
        for file in example.glob("*.yaml")
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]
    shown = [
        document
        for guide in GUIDES
        if guide != LOGIN
        for block in blocks(guide, "yaml")
        for document in yaml.safe_load_all(block)
    ]
    assert shown
    assert [document for document in shown if document not in known] == []


def test_the_policy_of_the_login_guide_has_no_errors(tmp_path: Path) -> None:
    (policy,) = (yaml.safe_load(block) for block in blocks(LOGIN, "yaml"))
    mesh = (m.mesh(), m.gateway("front", 8088), *m.shop("pages"), policy)
    (tmp_path / "mesh.yaml").write_text(m.text(*mesh), encoding="utf-8")
    done = command("check", tmp_path)
    assert (done.returncode, "error" in done.stdout) == (0, False), done.stdout

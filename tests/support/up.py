"""The real `pointsman up` as a subprocess: started, asked, ended, and looked after.

Each run has a home of its own for sockets and temporary files, and marks its environment, which
its children inherit; so a test can tell what a run left behind without looking at its neighbours.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pointsman.api.client import Client
from pointsman.api.instances import find_instance
from pointsman.errors import InstanceError
from pointsman.observe.status import Status
from pointsman.rollout.view import RolloutView
from pointsman.settings import read_settings

MARK = "POINTSMAN_TEST_RUN"
READY_S = 40.0
END_S = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def seen(self) -> dict[str, Any]:
        """What a demo backend says it saw."""
        seen: dict[str, Any] = json.loads(self.body)
        return seen

    @property
    def node(self) -> str:
        """The virtual node that answered, or "" when it was not a demo backend."""
        return self.headers.get("x-pointsman-virtual-node", "")


def ask(
    address: str,
    path: str = "/",
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    seconds: float = 10.0,
    body: str = "",
) -> Answer:
    """One request on a connection of its own."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=seconds)
    try:
        connection.request(method, path, body.encode() or None, dict(headers or {}))
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    finally:
        connection.close()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 10.0, what: str = "") -> None:
    """Wait until `condition` is true; what it raises counts as false."""
    limit = time.monotonic() + seconds
    while True:
        try:
            value: object = condition()
        except (OSError, http.client.HTTPException, InstanceError, AssertionError) as error:
            value = error
        if value and not isinstance(value, BaseException):
            return
        assert time.monotonic() < limit, f"{what or condition} was {value!r} for {seconds} s"
        time.sleep(0.01)


@dataclass
class Up:
    """A running command; what it writes is collected as it comes."""

    process: "subprocess.Popen[bytes]"
    home: Path
    mark: str
    said: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    _readers: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        *arguments: str | Path,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        command: str = "up",
    ) -> Self:
        """Start `pointsman COMMAND` with the arguments; does not wait for anything."""
        home = Path(tempfile.mkdtemp(prefix="pm-"))
        (home / "tmp").mkdir()
        (home / "run").mkdir()
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            [sys.executable, "-m", "pointsman.cli", command, *map(str, arguments)],
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("POINTSMAN_")},
                "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
                "XDG_RUNTIME_DIR": str(home / "run"),
                "XDG_STATE_HOME": str(home / "state"),
                "TMPDIR": str(home / "tmp"),
                "PYTHONWARNINGS": "error::ResourceWarning",
                "PYTHONFAULTHANDLER": "1",
                MARK: mark,
                **(environment or {}),
            },
        )
        run = cls(process, home, mark)
        if stdin is not None:
            assert process.stdin is not None
            process.stdin.write(stdin)
            process.stdin.close()
        for stream, lines in ((process.stderr, run.said), (process.stdout, run.logged)):
            reader = threading.Thread(target=_collect, args=(stream, lines), daemon=True)
            reader.start()
            run._readers.append(reader)
        return run

    @property
    def text(self) -> str:
        """Standard error so far."""
        return "".join(self.said)

    def says(self, pattern: str, seconds: float = READY_S, since: int = 0) -> re.Match[str]:
        """Wait until standard error, from its line `since` on, matches the pattern."""
        limit = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None and not self._reading()
            found = re.search(pattern, "".join(self.said[since:]), re.MULTILINE)
            if found:
                return found
            assert not ended, f"ended without saying {pattern!r}:\n{self.text}"
            assert time.monotonic() < limit, f"did not say {pattern!r}:\n{self.text}"
            time.sleep(0.01)

    def ready(self) -> Self:
        """Wait until it serves."""
        self.says(r"Ctrl-C ends", READY_S)
        return self

    def status(self) -> Status:
        """What `pointsman status` shows."""
        with self._client() as client:
            return client.status()

    def rollouts(self) -> list[RolloutView]:
        """What `pointsman rollout status` shows."""
        with self._client() as client:
            return client.rollouts()

    def _client(self) -> Client:
        settings = read_settings({"XDG_RUNTIME_DIR": str(self.home / "run")})
        return Client(find_instance(settings.runtime_folder))

    def command(self, *arguments: str) -> str:
        """What another command says to this instance; it must not fail."""
        done = command(*arguments, runtime=self.home / "run")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def address(self, gateway: str = "", port: int | None = None) -> str:
        """Where a gateway listens, as `HOST:PORT`: its first listener, or that of a port.

        Args:
            gateway: end of its name; empty when there is one.
            port: the port in the manifest, for one that was moved.
        """
        if port is not None:
            return self.says(rf"http://(\S+)  \(.*port {port} in the manifest").group(1)
        until(lambda: self._addresses(gateway), READY_S, f"the address of {gateway}")
        return self._addresses(gateway)[0]

    def _addresses(self, gateway: str) -> list[str]:
        proxies = self.status().proxies
        return [a for p in proxies if p.gateway.endswith(gateway) for a in p.addresses]

    def envoys(self) -> list[int]:
        """Process ids of its Envoys."""
        return [pid for pid in self.children() if "envoy" in _name(pid)]

    def children(self) -> list[int]:
        """Process ids of all processes of the run, its own aside."""
        return [pid for pid in _marked(self.mark) if pid != self.process.pid]

    def send(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send a signal to the command alone."""
        self.process.send_signal(number)

    def wait(self, seconds: float = END_S) -> int:
        """Wait for its end; gives its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            # What each thread is at, in its last words.
            self.process.send_signal(signal.SIGABRT)
            self.process.wait(seconds)
            for reader in self._readers:
                reader.join(seconds)
            raise AssertionError(f"still runs after {seconds} s:\n{self.text}") from None
        for reader in self._readers:
            reader.join(seconds)
        return status

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as a person does, and wait for the end."""
        self.send(number)
        return self.wait()

    def left_behind(self) -> list[str]:
        """Processes, sockets and files that are still there."""
        files = [str(p) for name in ("tmp", "run") for p in (self.home / name).rglob("*")]
        processes = [f"process {pid} {_name(pid)}" for pid in _marked(self.mark)]
        # The folder of the sockets stays for the next run.
        return processes + [file for file in files if not _is_empty_home(Path(file))]

    def clear(self) -> None:
        """End whatever is still there, however it got there."""
        for pid in _marked(self.mark):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(END_S)
        for reader in self._readers:
            reader.join(END_S)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _reading(self) -> bool:
        return any(reader.is_alive() for reader in self._readers)


@contextmanager
def running(
    *arguments: str | Path,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[Up]:
    """`pointsman up` with the arguments, serving; ended as by Ctrl-C, with nothing left behind."""
    up = Up.start(*arguments, stdin=stdin, environment=environment, folder=folder)
    try:
        yield up.ready()
        if up.process.poll() is None:
            assert up.end() == 0, up.text
            assert up.left_behind() == []
        assert "Traceback" not in up.text, up.text
    finally:
        up.clear()


@contextmanager
def starting(
    *arguments: str | Path,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Up]:
    """`pointsman up` for tests of how it ends; only cleared away afterwards."""
    up = Up.start(*arguments, stdin=stdin, environment=environment)
    try:
        yield up
    finally:
        up.clear()


def command(
    *arguments: str | Path, seconds: float = 60.0, runtime: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Any command of Pointsman, run to its end.

    Args:
        arguments: the command.
        seconds: it takes at most.
        runtime: the folder in which it looks for instances; that of the user by default.
    """
    own = {} if runtime is None else {"XDG_RUNTIME_DIR": str(runtime)}
    return subprocess.run(
        [sys.executable, "-m", "pointsman.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src"), **own},
    )


def _collect(stream: Any, lines: list[str]) -> None:
    lines.extend(line.decode("utf-8", "replace") for line in stream)


def _marked(mark: str) -> list[int]:
    wanted = f"{MARK}={mark}".encode()
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and wanted in _environment(entry)
    ]


def _environment(entry: Path) -> Sequence[bytes]:
    try:
        return (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return ()


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:80]
    except OSError:
        return ""


def _is_empty_home(path: Path) -> bool:
    return path.is_dir() and path.name == f"pointsman-{os.getuid()}" and not any(path.iterdir())

"""One machine of a mesh: a namespace with an application and, mostly, a proxy before it."""

import http.client
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.netns import Namespace
from tests.support.up import until

APP, ENVOY = 1000, 1337
"""Users. Connections of Envoy's user are not redirected."""
SOURCES = Path(__file__).parents[2] / "src"
_APPLICATION = Path(__file__).with_name("application.py")
_WAIT_S = 60.0


@dataclass
class Place:
    """A machine of a mesh.

    Attributes:
        namespace: its network.
        folder: where its sockets and logs are.
        served: ports of its application by what is spoken there, as `application.py` wants them.
        pids: process ids of what runs there: "app" and "proxy".
    """

    namespace: Namespace
    folder: Path
    served: dict[str, Any]
    pids: dict[str, int]

    @contextmanager
    def application(self) -> Iterator[None]:
        """Its application runs."""
        control = self.folder / "app.sock"
        control.unlink(missing_ok=True)
        name = self.folder.name
        options = json.dumps({"name": name, "control": str(control), **self.served})
        python = (sys.executable, "-I", "-S", _APPLICATION)
        with self.namespace.started(*python, options, uid=APP) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            self.pids["app"] = process.pid
            yield

    @contextmanager
    def proxy(self, xds: str, node: str) -> Iterator[None]:
        """Its proxy runs; not necessarily ready."""
        said = self.folder / "proxy.log"
        options = (f"--xds={xds}", f"--node={node}", f"--admin-socket={self.folder}/admin.sock")
        command = (sys.executable, "-m", "pointsman.cli", "proxy", *options, "--concurrency=1")
        with self.namespace.started(
            *("sh", "-c", f'exec "$@" 2>>{said}', "sh", *command),
            uid=ENVOY,
            env={"PYTHONPATH": str(SOURCES), "TMPDIR": str(self.folder)},
        ) as process:
            self.pids["proxy"] = process.pid
            yield

    def intercept(self, *flags: object) -> None:
        """Has the kernel lead connections through the proxy."""
        command = (sys.executable, "-m", "pointsman.cli", "intercept", *flags)
        self.namespace.run(*command, env={"PYTHONPATH": str(SOURCES)})

    def wait_ready(self) -> None:
        """Waits until the proxy serves."""
        try:
            until(lambda: self.admin("/ready").strip() == "LIVE", _WAIT_S)
        except AssertionError:
            said = (self.folder / "proxy.log").read_text("utf-8")
            raise AssertionError(f"{self.folder.name} is not ready: {said}") from None

    def do(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Has the application do something."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(self.folder / "app.sock"))
            client.sendall(json.dumps({"do": what, **arguments}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(client.makefile().read())
            return answer

    def ask(self, host: str, port: int = 8080, path: str = "/", **more: Any) -> "Answer":
        """One HTTP request of the application."""
        answer = self.do("ask", host=host, port=port, path=path, **more)
        return Answer(
            answer.get("status", 0),
            answer.get("body"),
            answer.get("error", ""),
            answer.get("shown", ""),
        )

    def greeted(self, host: str, port: int, sni: str | None = None) -> str:
        """Who speaks first at an address; "" when nobody does."""
        said: str = self.do("greet", host=host, port=port, sni=sni).get("said", "")
        return said.removesuffix(" greets")

    def admin(self, path: str) -> str:
        """What Envoy's administration answers."""
        connection = http.client.HTTPConnection("envoy", timeout=10)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.folder / "admin.sock"))
            connection.sock = client
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    def held(self) -> dict[str, Any]:
        """All that Envoy has got and uses, by name.

        Contents are told, not versions: an active listener whose filter chains alone were replaced
        is shown with the version of the one before.
        """
        found: dict[str, Any] = {}
        for part in json.loads(self.admin("/config_dump"))["configs"]:
            for item in part.get("dynamic_active_clusters", ()):
                found[item["cluster"]["name"]] = item["cluster"]
            for item in part.get("dynamic_listeners", ()):
                found[item["name"]] = item.get("active_state", {}).get("listener")
            for item in part.get("dynamic_route_configs", ()):
                found[item["route_config"]["name"]] = item["route_config"]
        return found

    def count(self, *names: str) -> int:
        """The sum of Envoy's counters and gauges whose names end so."""
        stats = json.loads(self.admin("/stats?format=json"))["stats"]
        return sum(
            stat["value"] for stat in stats if "value" in stat and stat["name"].endswith(names)
        )

    def envoys(self) -> list[int]:
        """Process ids of Envoys here."""
        inside = self.namespace.pids()
        return [pid for pid in inside if _program(pid) == "envoy"]

    def kill(self, what: str) -> None:
        """Ends the application at once."""
        os.kill(self.pids[what], signal.SIGKILL)


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        status: of HTTP; 0 without an answer.
        body: what came; for an application, who it is and what it saw.
        error: why there was no answer.
        shown: SHA-256 of the certificate the server showed, if any.
    """

    status: int
    body: Any
    error: str
    shown: str

    @property
    def app(self) -> str:
        """The application that answered, or "" when that was none."""
        return self.body["app"] if isinstance(self.body, dict) else ""

    @property
    def short(self) -> tuple[int, str]:
        """Status and application."""
        return self.status, self.app


def _program(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/exe").readlink().name
    return ""


def load_of(seen: dict[str, int], *wanted: str) -> dict[str, int]:
    """Results of a load that are none of the wanted."""
    return {what: count for what, count in seen.items() if what not in wanted}

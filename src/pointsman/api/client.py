"""Talks to a running instance over its Unix socket.

Every instance has one socket, `PID.sock` in the user's runtime folder of mode 0700: who may open
it is the file system's decision, so there is neither a port nor a password.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2

from pointsman.errors import InstanceError
from pointsman.observe.lines import Piece
from pointsman.observe.status import Status, parse_status
from pointsman.observe.told import Told
from pointsman.observe.traffic import By, TrafficReport, parse_traffic
from pointsman.rollout.view import RolloutView, parse_views
from pointsman.telemetry.requests import Request, parse_request
from pointsman.telemetry.requests_wanted import Wanted

TIMEOUT_S = 5.0
NOT_FOUND = 404
REQUESTS = "/v1/requests"
_START = "start one with: pointsman up PATH..."


def socket_path(runtime_folder: Path, pid: int) -> Path:
    """Where the instance with that process id listens."""
    return runtime_folder / f"{pid}.sock"


def find_instance(runtime_folder: Path, pid: int | None = None) -> Path:
    """The socket of a running instance.

    Args:
        runtime_folder: where instances keep their sockets.
        pid: process id of the instance; None takes the only one.

    Raises:
        InstanceError: there is none, none with that id, or it cannot be told which.
    """
    if pid is not None:
        path = socket_path(runtime_folder, pid)
        if not _is_alive(path):
            raise InstanceError(
                f"there is no running instance {pid}", hint=_running(runtime_folder)
            )
        return path
    alive = list(_alive(runtime_folder))
    if not alive:
        raise InstanceError("there is no running instance", hint=_START)
    if len(alive) > 1:
        raise InstanceError(
            f"which of {len(alive)} running instances?",
            hint=f"name one with --instance PID: {', '.join(path.stem for path in alive)}",
        )
    return alive[0]


def _running(runtime_folder: Path) -> str:
    pids = ", ".join(path.stem for path in _alive(runtime_folder))
    return f"running: {pids}" if pids else _START


def _alive(runtime_folder: Path) -> Iterator[Path]:
    """Sockets somebody listens on; an instance that was killed leaves its socket behind."""
    return (path for path in sorted(runtime_folder.glob("*.sock")) if _is_alive(path))


def _is_alive(path: Path) -> bool:
    # In a folder that is not ours, such as one made below /tmp before us, nobody is trusted.
    try:
        if path.parent.stat().st_uid != os.getuid():
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(TIMEOUT_S)
            probe.connect(str(path))
    except OSError:
        return False
    return True


class Client:
    """A typed client of one instance; use it as a context manager."""

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._path = path
        self._http = httpx2.Client(
            transport=httpx2.HTTPTransport(uds=str(path)),
            base_url="http://pointsman",
            timeout=timeout_s,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def status(self) -> Status:
        """How the instance is doing.

        Raises:
            InstanceError: it does not answer, or not with a status.
        """
        try:
            return parse_status(self._get("/v1/status"))
        except ValueError:
            raise InstanceError(
                f"instance {self._path.stem} answers with something that is no status",
                hint="its version may differ from that of this command",
            ) from None

    def traffic(self, by: By, over: float) -> TrafficReport:
        """The traffic of the last seconds.

        Args:
            by: what there is a row for.
            over: how many seconds.

        Raises:
            InstanceError: it does not answer, or not with traffic.
        """
        try:
            return parse_traffic(self._get(f"/v1/traffic?by={by}&over={over:g}"))
        except ValueError:
            raise InstanceError(
                f"instance {self._path.stem} answers with something that is no traffic",
                hint="its version may differ from that of this command",
            ) from None

    def register(
        self, namespace: str, service: str, instance: str, body: Mapping[str, Any]
    ) -> None:
        """Registers an instance of a service.

        Args:
            namespace: Cloud Map namespace.
            service: service in it.
            instance: id of the instance.
            body: what `docs/discovery.md` says an instance is, with its `ttl`.

        Raises:
            InstanceError: it does not answer, or refuses the body.
        """
        self._ask("PUT", _path(namespace, service, "instances", instance), json=dict(body))

    def heartbeat(self, namespace: str, service: str, instance: str) -> None:
        """Renews a registration.

        Raises:
            InstanceError: it does not answer, or the instance has to be registered anew.
        """
        self._ask("PUT", _path(namespace, service, "heartbeats", instance))

    def deregister(self, namespace: str, service: str, instance: str) -> None:
        """Takes a registration back.

        Raises:
            InstanceError: it does not answer, or the instance is not registered.
        """
        self._ask("DELETE", _path(namespace, service, "instances", instance))

    def requests(self, wanted: Wanted, *, follow: bool = False) -> Iterator[Request]:
        """Recorded requests, the earliest first.

        Args:
            wanted: which of them.
            follow: whether to go on with what comes, until the instance ends.

        Raises:
            InstanceError: it does not answer, or with something else.
        """
        query = {**wanted.query(), **({"follow": "1"} if follow else {})}
        timeout = httpx2.Timeout(TIMEOUT_S, read=None if follow else TIMEOUT_S)
        try:
            with self._http.stream("GET", REQUESTS, params=query, timeout=timeout) as answer:
                if not answer.is_success:
                    raise InstanceError(
                        f"instance {self._path.stem} answers {answer.status_code} "
                        f"to GET {REQUESTS}",
                        hint="its version may differ from that of this command",
                    )
                for text in answer.iter_lines():
                    if text:
                        yield parse_request(text)
        except (httpx2.HTTPError, ValueError) as error:
            raise InstanceError(f"instance {self._path.stem} does not answer: {error}") from None

    def why(self, request_id: str) -> Told | None:
        """What became of a request; None when it is not kept.

        Raises:
            InstanceError: it does not answer, or with something else.
        """
        answer = self._answer("GET", f"{REQUESTS}/{quote(request_id, safe='')}/why")
        return None if answer.status_code == NOT_FOUND else self._told(answer)

    def explain(self, question: Mapping[str, Any]) -> Told:
        """Where a request would go by what the instance serves.

        Args:
            question: `Question` of `app.explained`, as it travels.

        Raises:
            InstanceError: it does not answer, or cannot tell who is asked.
        """
        return self._told(self._answer("POST", "/v1/explain", dict(question)))

    def _told(self, answer: httpx2.Response) -> Told:
        self._succeeded(answer)
        body = answer.json()
        (known,) = (body[name] for name in body if name != "told")
        return Told(known, [tuple(Piece(*piece) for piece in item) for item in body["told"]])

    def rollouts(self) -> list[RolloutView]:
        """How rollouts are doing.

        Raises:
            InstanceError: it does not answer, or not with rollouts.
        """
        try:
            return parse_views(json.loads(self._get("/v1/rollouts"))["items"])
        except (ValueError, KeyError, TypeError):
            raise InstanceError(
                f"instance {self._path.stem} answers with something that is no list of rollouts",
                hint="its version may differ from that of this command",
            ) from None

    def rollout_events(self, rollout: tuple[str, str, str], limit: int) -> list[dict[str, Any]]:
        """What happened to a rollout, the newest first.

        Args:
            rollout: kind, namespace and name.
            limit: how many events at most.

        Raises:
            InstanceError: it does not answer.
        """
        found = json.loads(self._get(f"{_rollout(rollout)}/events?limit={limit}"))
        items: list[dict[str, Any]] = found["items"]
        return items

    def tell_rollout(
        self, rollout: tuple[str, str, str], command: str, weight: int | None = None
    ) -> None:
        """Has a rollout do something.

        Args:
            rollout: kind, namespace and name.
            command: one of `rollout.commands.Command`.
            weight: the candidate's share, for `set-weight`.

        Raises:
            InstanceError: it does not answer, or refuses.
        """
        body = None if weight is None else {"weight": weight}
        self._ask("POST", f"{_rollout(rollout)}/{command}", body)

    def _get(self, path: str) -> bytes:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, json: Any = None) -> bytes:
        answer = self._answer(method, path, json)
        self._succeeded(answer)
        return answer.content

    def _answer(self, method: str, path: str, json: Any = None) -> httpx2.Response:
        try:
            return self._http.request(method, path, json=json)
        except httpx2.TimeoutException:
            raise InstanceError(f"instance {self._path.stem} does not answer in time") from None
        except httpx2.HTTPError as error:
            raise InstanceError(f"instance {self._path.stem} does not answer: {error}") from None

    def _succeeded(self, answer: httpx2.Response) -> None:
        if not answer.is_success:
            asked = f"{answer.request.method} {answer.request.url.path}"
            raise InstanceError(
                f"instance {self._path.stem} answers {answer.status_code} to {asked}"
                f"{_reason(answer)}"
            )


def _rollout(names: tuple[str, str, str]) -> str:
    return "/v1/rollouts/" + "/".join(quote(name, safe="") for name in names)


def _path(namespace: str, service: str, what: str, instance: str) -> str:
    names = (quote(name, safe="") for name in (namespace, service, instance))
    return "/v1/registry/namespaces/{}/services/{}/{what}/{}".format(*names, what=what)


def _reason(answer: httpx2.Response) -> str:
    """What an answer says of itself; "" for those that say nothing to people."""
    try:
        return f": {answer.json()['error']}"
    except (ValueError, KeyError, TypeError):
        return ""

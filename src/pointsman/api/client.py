"""Talks to a running instance over its Unix socket; `api.instances` finds it."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
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

if TYPE_CHECKING:
    from pointsman.observe.service_graph import ServiceGraph
    from pointsman.observe.versions import VersionReport

T = TypeVar("T")

TIMEOUT_S = 5.0
NOT_FOUND = 404
REQUESTS = "/v1/requests"


class Client:
    """A typed client of one instance; use it as a context manager."""

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._path = path
        self._http = httpx2.Client(
            # There is no TLS on a socket, and loading authorities takes 50 ms of a start.
            transport=httpx2.HTTPTransport(uds=str(path), verify=False),
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
        return self._parsed("/v1/status", parse_status, "status")

    def traffic(self, by: By, over: float) -> TrafficReport:
        """The traffic of the last seconds.

        Args:
            by: what there is a row for.
            over: how many seconds.

        Raises:
            InstanceError: it does not answer, or not with traffic.
        """
        return self._parsed(f"/v1/traffic?by={by}&over={over:g}", parse_traffic, "traffic")

    def graph(self, over: float) -> "ServiceGraph":
        """Who calls whom, and how much in the last seconds.

        Raises:
            InstanceError: it does not answer, or not with a graph.
        """
        from pointsman.observe.service_graph import parse_graph  # noqa: PLC0415

        return self._parsed(f"/v1/graph?over={over:g}", parse_graph, "graph")

    def versions(self, over: float) -> "VersionReport":
        """Versions of APIs, and their use in the last seconds.

        Raises:
            InstanceError: it does not answer, or not with versions.
        """
        from pointsman.observe.versions import parse_report  # noqa: PLC0415

        return self._parsed(f"/v1/versions?over={over:g}", parse_report, "list of versions")

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
                    answer.read()
                self._succeeded(answer)
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

    def doctor(self, over: float, symptom: str | None) -> Told:
        """What is wrong with the instance, by what it has seen in the last seconds.

        Raises:
            InstanceError: it does not answer.
        """
        query = f"?over={over:g}" + (f"&symptom={symptom}" if symptom else "")
        return self._told(self._answer("GET", f"/v1/doctor{query}"))

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
        return self._parsed("/v1/rollouts", parse_views, "list of rollouts")

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

    def _parsed(self, path: str, parse: Callable[[bytes], T], what: str) -> T:
        """What is answered to GET, parsed."""
        try:
            return parse(self._get(path))
        except ValueError:
            raise InstanceError(
                f"instance {self._path.stem} answers with something that is no {what}",
                hint="its version may differ from that of this command",
            ) from None

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

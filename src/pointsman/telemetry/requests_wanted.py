"""Which requests somebody wants to see, as text that travels and as a test of a record."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from pointsman.telemetry.requests import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Requests for which everything holds that is given.

    Attributes:
        route: text in the name of their route.
        node: their proxy or the virtual node they went to: a node id, a name inside App Mesh, or
            such a name without the `_NAMESPACE` at its end.
        status: a status such as `404`, or a class such as `5xx`.
        consumer: who called, as `NAMESPACE/NAME` or `NAME`.
        slow_ms: ms they took at the least.
        since: when they began at the earliest, in seconds since 1970.
        request_id: their id.
    """

    route: str = ""
    node: str = ""
    status: str = ""
    consumer: str = ""
    slow_ms: float = 0.0
    since: float = 0.0
    request_id: str = ""

    def matches(self, request: Request) -> bool:
        """Whether a request is wanted."""
        return (
            self.route in request.route
            and (not self.node or _is_node(self.node, request))
            and _has_status(self.status, request.status)
            and self.consumer in ("", request.consumer, request.consumer.rpartition("/")[2])
            and request.duration >= self.slow_ms
            and request.start >= self.since
            and self.request_id in ("", request.id)
        )

    def query(self) -> dict[str, str]:
        """What is given, as parameters of a query."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: str(value) for name, value in values.items() if value}


def parse_wanted(query: Mapping[str, str]) -> Wanted:
    """The same from parameters of a query.

    Raises:
        ValueError: a number is none.
    """
    return Wanted(
        route=query.get("route", ""),
        node=query.get("node", ""),
        status=query.get("status", ""),
        consumer=query.get("consumer", ""),
        slow_ms=float(query.get("slow_ms", "0")),
        since=float(query.get("since", "0")),
        request_id=query.get("request_id", ""),
    )


def is_status(text: str) -> bool:
    """Whether a text is a status or a class of them."""
    return len(text) == 3 and text[0] in "012345" and (text[1:] == "xx" or text[1:].isdigit())


def _has_status(wanted: str, status: int) -> bool:
    return not wanted or f"{status:03}".startswith(wanted.removesuffix("xx"))


def _is_node(wanted: str, request: Request) -> bool:
    names = (request.node, request.proxy, request.target)
    return any(wanted in (name, name.rpartition("_")[0]) for name in names)

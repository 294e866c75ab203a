"""What policies do to the requests of a route, for `pointsman explain`."""

from collections.abc import Iterator
from typing import Any

from pointsman.graph.model.cluster import CookieHash, HeaderHash, Stickiness
from pointsman.graph.model.effects import Fault, HeaderChange
from pointsman.graph.model.route import Route, sticky_ways


def seconds(ms: int) -> float:
    """Milliseconds as seconds, whole ones as an integer."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def effects_json(route: Route | None) -> dict[str, Any] | None:
    """The effects there are, by the names of the fields of policies; None without a route."""
    if route is None:
        return None
    effects, ways = route.effects, sticky_ways(route)
    mirror, fault = effects.mirror, effects.fault
    found = {
        "policies": [key.path for key in route.policies],
        "mirror": mirror
        and {"virtualNode": mirror.cluster.node.path, "percent": _number(mirror.percent)},
        "fault": fault and _fault(fault),
        "requestHeaders": [_change(item) for item in effects.request_headers],
        "responseHeaders": [_change(item) for item in effects.response_headers],
        "cors": effects.cors and list(effects.cors.origins),
        "cohort": _way(effects.cohort) if effects.cohort else None,
        "stickiness": _way(ways[0]) if ways else None,
    }
    return {name: value for name, value in found.items() if value}


def effects_lines(route: Route | None) -> Iterator[str]:
    """The effects there are, a line each."""
    if route is None:
        return
    effects = route.effects
    if effects.fault is not None and effects.fault.delay is not None:
        delay = effects.fault.delay
        yield f"{_number(delay.percent)} % wait for {seconds(delay.ms)} s on purpose"
    if effects.fault is not None and effects.fault.abort is not None:
        abort = effects.fault.abort
        status = abort.status if abort.grpc_status is None else f"grpc-status {abort.grpc_status}"
        yield f"{_number(abort.percent)} % are answered {status} on purpose"
    if effects.mirror is not None:
        node = effects.mirror.cluster.node.path
        yield f"{_number(effects.mirror.percent)} % are copied to virtual node {node}"
    for kind, changes in (
        ("request", effects.request_headers),
        ("response", effects.response_headers),
    ):
        if changes:
            yield f"{kind} headers: {', '.join(map(_change, changes))}"
    if effects.cors is not None:
        yield f"scripts of {', '.join(effects.cors.origins)} may read the answers"
    yield from _stays(route)
    if route.policies:
        yield f"by route policies: {', '.join(key.path for key in route.policies)}"


def _stays(route: Route) -> Iterator[str]:
    if route.effects.cohort is not None:
        yield f"requests stay with one of the targets by {_way(route.effects.cohort)}"
    for way in sticky_ways(route)[:1]:
        yield f"requests stay with one endpoint of a virtual node by {_way(way)}"


def _fault(fault: Fault) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if fault.delay is not None:
        found["delay"] = {
            "duration": seconds(fault.delay.ms),
            "percent": _number(fault.delay.percent),
        }
    if fault.abort is not None:
        abort = fault.abort
        status = "httpStatus" if abort.grpc_status is None else "grpcStatus"
        found["abort"] = {
            status: abort.status if abort.grpc_status is None else abort.grpc_status,
            "percent": _number(abort.percent),
        }
    return found


def _change(item: HeaderChange) -> str:
    return f"{item.verb} {item.name}" + ("" if item.verb == "remove" else f": {item.value}")


def _way(way: Stickiness) -> str:
    match way:
        case CookieHash():
            return f"cookie {way.name}"
        case HeaderHash():
            return f"header {way.name}"
    return "source address"


def _number(value: float) -> float:
    return int(value) if value == int(value) else value

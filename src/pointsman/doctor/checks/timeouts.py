"""L01 and L04: routes that allow more time than the node at their end.

Two proxies watch the clock, and only one of them is told by the route. Routes that leave the time
at its default are left alone: there a shorter time of the node is what was meant.
"""

from collections.abc import Iterator

from pointsman.doctor.catalogue.latency import CUT_BY_NODE, STREAM_CUT
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, Place, fact, found
from pointsman.doctor.paths import Call, calls
from pointsman.doctor.written import listener_field, timeout_of
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.route import DEFAULT_TIMEOUT_MS


def cut_requests(evidence: Evidence) -> Iterator[Finding]:
    """Routes whose time the node's own proxy does not grant."""
    seen: set[tuple[Place, Cluster]] = set()
    for call in calls(evidence):
        if call.request_ms == DEFAULT_TIMEOUT_MS:
            continue
        for cluster in call.clusters:
            listener = evidence.ingress.get((cluster.node, cluster.port))
            node_ms = listener.timeouts.request_ms if listener is not None else 0
            if node_ms and (call.try_ms == 0 or call.try_ms > node_ms):
                place = timeout_of(evidence, call)
                if (place, cluster) not in seen:
                    seen.add((place, cluster))
                    yield _finding(evidence, call, cluster, node_ms, place)


def _finding(
    evidence: Evidence, call: Call, cluster: Cluster, node_ms: int, place: Place
) -> Finding:
    assert place.key is not None
    where = f"{cluster.node} on port {cluster.port}"
    written = "by default" if node_ms == DEFAULT_TIMEOUT_MS else "as its listener says"
    field = listener_field(evidence, cluster.node, cluster.port)
    limit = fact(f"{where} ends requests after {seconds(node_ms)}, {written}", cluster.node, field)
    advice = f"set timeout.{cluster.protocol}.perRequest of the node's listener"
    if call.try_ms == 0:
        message = f"requests without a time limit end after {seconds(node_ms)} at {where}"
        return found(STREAM_CUT, place.key, place.path, message, limit, advice=f"{advice} to 0")
    message = f"{seconds(call.try_ms)} are allowed, but {where} ends requests after "
    return found(
        CUT_BY_NODE,
        place.key,
        place.path,
        message + seconds(node_ms),
        limit,
        advice=f"{advice} to {seconds(call.try_ms)} or more, or allow less here",
    )


def seconds(ms: int) -> str:
    """Milliseconds as people write them: `15 s`, `250 ms`."""
    return f"{ms // 1000} s" if ms % 1000 == 0 else f"{ms} ms"

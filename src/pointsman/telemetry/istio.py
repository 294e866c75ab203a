"""The window's totals under Istio's names, for dashboards and analyses that were made for Istio.

Istio's proxies tell every request twice: the caller's with `reporter="source"`, and that of the
called with `reporter="destination"`. So do these: a gateway or sidecar is the source of what it
sends to nodes, and a node's own sidecar the destination of what it takes. Statuses are known by
class, so `response_code` is `5xx` where Istio says `503`; queries ask for `5.*`.
"""

from collections.abc import Iterator
from typing import Final

from pointsman.envoy.stats import Scope
from pointsman.resources.key import Key
from pointsman.telemetry.family import Family, Labels
from pointsman.telemetry.prometheus import add_requests
from pointsman.telemetry.traffic import Traffic, add_up
from pointsman.telemetry.window import Subject, Window

_CODE: Final = ("response_code", "xx")
UNKNOWN: Final = "unknown"
"""As Istio calls what a reporter does not know."""


def istio_families(window: Window) -> Iterator[Family]:
    """The traffic since the control plane started.

    Args:
        window: what was counted.
    """
    requests = Family("istio_requests_total", "counter", "requests")
    times = Family(
        "istio_request_duration_milliseconds", "histogram", "requests, by their time in ms", "ms"
    )
    for labels, traffic in _by_labels(window):
        add_requests(requests, times, traffic, labels, _CODE)
    yield from (requests, times)


def _by_labels(window: Window) -> Iterator[tuple[Labels, Traffic]]:
    """Sums: Istio's labels do not tell a gateway from a node of the same name."""
    found: dict[tuple[tuple[str, str], ...], list[tuple[int, ...]]] = {}
    for scope in (Scope.NODE, Scope.PROXY):
        for total in window.totals(scope):
            labels = _labels(total.subject)
            if labels is not None:
                found.setdefault(tuple(labels.items()), []).append(total.traffic.numbers)
    for pairs, numbers in found.items():
        yield dict(pairs), add_up(numbers)


def _labels(subject: Subject) -> Labels | None:
    """Who called whom; None for what Istio does not tell, such as requests that gateways take."""
    proxy = subject.proxy
    if subject.node is not None and proxy is not None:
        return {
            "reporter": "source",
            **_workload("source", proxy),
            **_workload("destination", subject.node),
            **_service(subject.service),
        }
    if subject.scope is Scope.PROXY and proxy is not None and proxy.kind == "VirtualNode":
        return {
            "reporter": "destination",
            **_workload("source", None),
            **_workload("destination", proxy),
            **_service(None),
        }
    return None


def _workload(role: str, key: Key | None) -> dict[str, str]:
    name, namespace = (UNKNOWN, UNKNOWN) if key is None else (key.name, key.namespace)
    return {f"{role}_workload": name, f"{role}_workload_namespace": namespace}


def _service(key: Key | None) -> dict[str, str]:
    if key is None:
        named, namespace, host = UNKNOWN, UNKNOWN, UNKNOWN
    else:
        named, namespace, host = key.name, key.namespace, f"{key.name}.{key.namespace}"
    return {
        "destination_service": host,
        "destination_service_name": named,
        "destination_service_namespace": namespace,
    }

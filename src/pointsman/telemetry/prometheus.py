"""The window's totals under the names Envoy gives them to Prometheus.

They are sums over all proxies of a gateway or node, so there are as many series as the window
has, whatever the number of proxies. Where several of Envoy's counters are one of the window's, the
name is that of the one that is meant first.
"""

from collections.abc import Collection, Iterator
from typing import Final

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.family import Distribution, Family, Labels
from pointsman.telemetry.traffic import Traffic
from pointsman.telemetry.window import Subject, Window

OTHERS: Final = "(others)"
"""Stands for those for which the window has no room."""
_CODE: Final = ("envoy_response_code_class", "")
_BEGIN: Final = {
    Scope.PROXY: "envoy_http_downstream",
    Scope.NODE: "envoy_cluster_upstream",
    Scope.ROUTE: "envoy_vhost_route_upstream",
    Scope.CONSUMER: "pointsman_consumer",
}
_WHAT: Final = {
    Scope.PROXY: "requests that proxies took",
    Scope.NODE: "requests that proxies sent to virtual nodes",
    Scope.ROUTE: "requests that proxies sent on by a route",
    Scope.CONSUMER: "requests of consumers",
}
_COUNTERS: Final = {
    Scope.PROXY: {
        Measure.CONNECTION: ("envoy_http_downstream_cx_total", "connections taken"),
        Measure.NO_ROUTE: ("envoy_http_no_route", "requests that no route takes"),
        Measure.DENIED: ("pointsman_denied_total", "requests refused because of who sent them"),
        Measure.LIMITED: (
            "envoy_http_local_rate_limit_enforced",
            "requests refused by a limit of the proxy itself",
        ),
    },
    Scope.NODE: {
        Measure.TIMEOUT: ("envoy_cluster_upstream_rq_timeout", "requests that took too long"),
        Measure.CONNECT_FAILURE: (
            "envoy_cluster_upstream_cx_connect_fail",
            "connections that did not come about",
        ),
        Measure.RESET: ("envoy_cluster_upstream_rq_rx_reset", "requests reset by the other side"),
        Measure.OVERFLOW: (
            "envoy_cluster_upstream_rq_pending_overflow",
            "requests refused because a connection pool was full",
        ),
        Measure.RETRY: ("envoy_cluster_upstream_rq_retry", "tries after the first"),
        Measure.EJECTION: (
            "envoy_cluster_outlier_detection_ejections_enforced_total",
            "endpoints taken out because they failed",
        ),
        Measure.NO_ENDPOINT: (
            "envoy_cluster_upstream_cx_none_healthy",
            "requests without a healthy endpoint",
        ),
        Measure.CONNECTION: ("envoy_cluster_upstream_cx_total", "connections opened"),
    },
    Scope.CONSUMER: {
        Measure.LIMITED: (
            "pointsman_consumer_rq_limited",
            "requests of consumers answered 429, by a limit of the mesh or by an application",
        ),
    },
    Scope.ROUTE: {
        Measure.TIMEOUT: ("envoy_vhost_route_upstream_rq_timeout", "requests that took too long"),
        Measure.RETRY: ("envoy_vhost_route_upstream_rq_retry", "tries after the first"),
    },
}


def traffic_families(
    window: Window, connections: Connections, now: float, proxies: Collection[Key] | None = None
) -> Iterator[Family]:
    """The traffic since the control plane started.

    Args:
        window: what was counted.
        connections: what is open.
        now: in seconds since the epoch.
        proxies: whose traffic is wanted; None for all there is, with what could not be kept apart.
    """
    for scope in Scope:
        yield from _scope(scope, window, proxies)
    opened = {
        scope: Family(f"{_BEGIN[scope]}_cx_active", "gauge", "connections that are open")
        for scope in (Scope.PROXY, Scope.NODE)
    }
    for subject, count in connections.by_subject(now).items():
        if _is_wanted(subject, proxies):
            opened[subject.scope].add(count, _labels(subject))
    yield from opened.values()


def _is_wanted(subject: Subject, proxies: Collection[Key] | None) -> bool:
    return proxies is None or subject.proxy in proxies


def _scope(scope: Scope, window: Window, proxies: Collection[Key] | None) -> Iterator[Family]:
    begin, what = _BEGIN[scope], _WHAT[scope]
    classes = Family(f"{begin}_rq_xx", "counter", f"{what}, by class of the answer's status")
    times = Family(f"{begin}_rq_time", "histogram", f"{what}, by their time in ms", "ms")
    counters = {
        measure: Family(name, "counter", about)
        for measure, (name, about) in _COUNTERS[scope].items()
    }
    for total in window.totals(scope):
        if not _is_wanted(total.subject, proxies):
            continue
        labels = _labels(total.subject)
        add_requests(classes, times, total.traffic, labels, _CODE, total.since)
        for measure, family in counters.items():
            if total.traffic.numbers[measure]:
                family.add(total.traffic.numbers[measure], labels, total.since)
    yield from (classes, times, *counters.values())


def add_requests(
    classes: Family,
    times: Family,
    traffic: Traffic,
    labels: Labels,
    code: tuple[str, str],
    since: float = 0.0,
) -> None:
    """Adds how many requests there were, by class of status, and the time they took.

    Args:
        classes: takes the numbers.
        times: takes the times.
        traffic: what was counted.
        labels: what it is about.
        code: name of the label with the class, and what follows the digit there.
        since: see `Number`.
    """
    name, ending = code
    for index, count in enumerate(traffic.classes, 1):
        if count:
            classes.add(count, {**labels, name: f"{index}{ending}"}, since)
    latency = traffic.latency
    if latency.count:
        counts, total_ms = latency.counts, latency.total_ms
        times.samples.append(Distribution(labels, BUCKETS_MS, counts, total_ms, since))


def _labels(subject: Subject) -> dict[str, str]:
    """Who counted, and what: objects are `namespace/name`."""
    if subject.proxy is None:
        return {"proxy": OTHERS}
    labels = {"proxy": subject.proxy.path, _LABELS[subject.proxy.kind]: subject.proxy.path}
    if subject.node is not None:
        # Dashboards for Envoy tell clusters apart by this name.
        labels |= {
            "envoy_cluster_name": subject.node.path,
            "target_virtual_node": subject.node.path,
        }
    if subject.consumer:
        labels["consumer"] = subject.consumer
    if subject.route:
        labels["envoy_route"] = subject.route
    if subject.service is not None:
        labels["target_virtual_service"] = subject.service.path
    return labels


_LABELS: Final = {
    "VirtualGateway": "appmesh_virtual_gateway",
    "VirtualNode": "appmesh_virtual_node",
}

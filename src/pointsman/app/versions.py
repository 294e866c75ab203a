"""Versions of APIs in force, and how much each of them is used."""

from collections.abc import Iterable, Mapping

from pointsman.envoy import names
from pointsman.envoy.stats import Scope
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.version import ApiVersion, Stage
from pointsman.observe.versions import CallerUse, VersionReport, VersionUse
from pointsman.telemetry.callers import Calls
from pointsman.telemetry.window import WINDOW_S, Selector, Window

Called = Mapping[tuple[str, str], Calls]
"""Requests by (name of the route, caller)."""


def version_report(
    graph: Graph, window: Window, called: Called, over: float, now: float
) -> VersionReport:
    """All versions, by policy, with the requests of the `over` seconds before `now`."""
    over = min(over, WINDOW_S)
    counts: dict[str, int] = {}
    for subject, traffic in window.rows(Selector(Scope.ROUTE), now - over, now):
        counts[subject.route] = counts.get(subject.route, 0) + traffic.requests
    served: dict[ApiVersion, dict[str, None]] = {}
    routes: dict[ApiVersion, set[str]] = {}
    for rule in graph.rules:
        if rule.version is not None:
            served.setdefault(rule.version, {})[rule.key.path] = None
            routes.setdefault(rule.version, set()).update(names.routes(rule))
    found = [
        _use(version, tuple(served[version]), routes[version], counts, called)
        for version in sorted(served, key=lambda version: version.policy)
    ]
    return VersionReport(over=over, versions=tuple(found))


def _use(
    version: ApiVersion,
    served: tuple[str, ...],
    routes: set[str],
    counts: Mapping[str, int],
    called: Called,
) -> VersionUse:
    keeps = version.stage is not Stage.CURRENT
    return VersionUse(
        policy=version.policy.path,
        version=version.name,
        stage=version.stage.value,
        routes=served,
        deprecated=version.deprecated_s,
        sunset=version.sunset_s,
        requests=sum(counts.get(route, 0) for route in routes),
        callers=tuple(_callers(routes, called)) if keeps else (),
    )


def _callers(routes: set[str], called: Called) -> Iterable[CallerUse]:
    sums: dict[str, Calls] = {}
    for (route, caller), calls in called.items():
        if route in routes:
            known = sums.setdefault(caller, Calls())
            known.count += calls.count
            known.last = max(known.last, calls.last)
    uses = [
        CallerUse(caller=caller, requests=calls.count, last=calls.last)
        for caller, calls in sums.items()
    ]
    return sorted(uses, key=lambda use: (-use.requests, use.caller))

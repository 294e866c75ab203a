"""What `explain` says is what Envoy does.

The decision from the graph and the answers of a real Envoy with the graph's translation are
compared for drawn graphs and requests. `--hypothesis-profile=thorough` draws many more.
"""

import pytest
from hypothesis import HealthCheck, given, note, settings

from pointsman.envoy import names
from pointsman.graph.intent import Intent, Share, decide
from pointsman.graph.link import link
from pointsman.graph.request import Request
from pointsman.observe.explain import client_status
from tests.property.strategies import Scene, scenes
from tests.support.gateway import Outcome, outcomes, running

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(3600)]

GRPC_STATUS = {400: 13, 404: 12, 503: 14}
"""INTERNAL, UNIMPLEMENTED and UNAVAILABLE: how Envoy says an HTTP status to a gRPC client."""


@settings(suppress_health_check=list(HealthCheck), deadline=None, print_blob=True)
@given(scene=scenes())
def test_explain_and_envoy_agree(scene: Scene) -> None:
    graph = link(scene.resources).graph
    (gateway,) = graph.gateways.values()
    with running(graph) as envoy:
        for listener in gateway.listeners:
            asked = [request for port, request in scene.requests if port == listener.port]
            for request, seen in zip(asked, outcomes(envoy, listener.port, asked), strict=True):
                wanted = possible(decide(gateway, listener, request), request)
                note(f"{listener.port} {request}\n  seen   {seen}\n  wanted {wanted}")
                assert seen in wanted


def possible(intent: Intent, request: Request) -> set[Outcome]:
    """All outcomes that an intent allows: one for each target that may be chosen."""
    host = None
    if intent.host is not None:
        host = names.virtual_host(names.route_config(intent.listener), intent.host.domain)
    if intent.rule is None:
        return {_refusal(intent.status or 0, request, None, None)}
    route = names.route(intent.rule, None)
    if not intent.shares:
        return {_refusal(intent.status or 0, request, route, host)}
    found: set[Outcome] = set()
    for share in intent.shares:
        found |= _outcomes_of(intent, share, request, host)
    return found


def _outcomes_of(intent: Intent, share: Share, request: Request, host: str | None) -> set[Outcome]:
    assert intent.rule is not None
    route = names.route(intent.rule, share.route)
    chosen = [target.cluster for target in share.targets if target.weight]
    if share.route is None:
        return {_refusal(404, request, route, host)}
    if share.abort is not None:
        status, grpc = client_status(share.abort, request)
        # A fault in front of an answer of Envoy's own leaves no trace of the route it was for.
        if not chosen:
            return {Outcome(status, grpc, None, None, None, None, None)}
        return {Outcome(status, grpc, route, None, host, None, None)}
    if not chosen:
        return {_refusal(503, request, route, host)}
    seen = share.request.target, share.request.authority
    return {
        Outcome(None, None, route, names.cluster(cluster), host, *seen)
        if cluster.is_found
        else _refusal(503, request, route, host)
        for cluster in chosen
    }


def _refusal(status: int, request: Request, route: str | None, host: str | None) -> Outcome:
    if request.is_grpc:
        return Outcome(200, GRPC_STATUS[status], route, None, host, None, None)
    return Outcome(status, None, route, None, host, None, None)

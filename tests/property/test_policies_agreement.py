"""What `explain` says is what Envoy does, also where policies fail requests on purpose.

Each policy's fault has a status of its own, so that the answer tells which of them counted.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from pointsman.graph.intent import decide
from pointsman.graph.link import link
from pointsman.resources.key import Key
from pointsman.resources.kinds.route_policy import (
    Fault,
    FaultAbort,
    HeaderChange,
    HeaderField,
    RoutePolicySpec,
)
from pointsman.resources.kinds.targets import TargetRef
from pointsman.resources.origin import Origin
from pointsman.resources.resource import Resource
from pointsman.resources.resource_set import ResourceSet
from tests.property.strategies import Scene, scenes
from tests.property.test_agreement import possible
from tests.support.gateway import outcomes, running

pytestmark = [pytest.mark.envoy, pytest.mark.slow, pytest.mark.timeout(3600)]
STATUSES = (401, 403, 418, 429, 500, 501, 502, 503, 504, 511)


def targets(resources: ResourceSet) -> list[TargetRef]:
    """Everything a RoutePolicy may be attached to."""
    found = [
        TargetRef(kind=kind, name=key.name, namespace=key.namespace)
        for kind in ("GatewayRoute", "VirtualService", "VirtualRouter")
        for key in resources.of(kind)
    ]
    for key, router in resources.of("VirtualRouter").items():
        found += [
            TargetRef(
                kind="VirtualRouter",
                name=key.name,
                namespace=key.namespace,
                section_name=route.name,
            )
            for route in router.spec.routes
        ]
    return found


@st.composite
def policed(draw: st.DrawFn) -> Scene:
    """A scene some of whose routes fail on purpose."""
    scene = draw(scenes())
    known = targets(scene.resources)
    chosen = draw(st.lists(st.sampled_from(known), max_size=5, unique=True))
    policies = {}
    for status, ref in zip(STATUSES, chosen, strict=False):
        key = Key("RoutePolicy", str(ref.namespace), f"p{status}")
        grpc = draw(st.sampled_from((None, None, None, 8)))
        abort = FaultAbort(http_status=None if grpc else status, grpc_status=grpc)
        spec = RoutePolicySpec(
            target_refs=(ref,),
            fault=Fault(abort=abort) if draw(st.integers(0, 3)) else None,
            request_headers=HeaderChange(set=(HeaderField(name="x-a", value="%1%"),)),
        )
        policies[key] = Resource(key, {}, spec, Origin("test", 1))
    written = scene.resources
    by_kind = {**written.by_kind, "RoutePolicy": policies}
    return replace(scene, resources=replace(written, by_kind=by_kind))


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=list(HealthCheck),
    deadline=None,
    print_blob=True,
)
@given(scene=policed())
def test_explain_and_envoy_agree_on_policies(scene: Scene) -> None:
    graph = link(scene.resources).graph
    (gateway,) = graph.gateways.values()
    with running(graph) as envoy:
        for listener in gateway.listeners:
            asked = [request for port, request in scene.requests if port == listener.port]
            for request, seen in zip(asked, outcomes(envoy, listener.port, asked), strict=True):
                wanted = possible(decide(gateway, listener, request), request)
                note(f"{listener.port} {request}\n  seen   {seen}\n  wanted {wanted}")
                assert seen in wanted

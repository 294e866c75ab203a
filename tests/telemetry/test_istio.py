"""What was made for Istio finds its names."""

from pointsman.envoy.stats import Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.exposition import render
from pointsman.telemetry.istio import istio_families
from pointsman.telemetry.window import Subject, Window

NOW = 1_800_000_000.0
EDGE, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")
SERVICE = Key("VirtualService", "shop", "carts")


def test_callers_and_those_they_call_tell_of_requests() -> None:
    window = Window()
    window.add(Subject(Scope.NODE, EDGE, CART, SERVICE), Measure.ANSWERED_5XX, 2, NOW)
    window.add(Subject(Scope.PROXY, CART), Measure.ANSWERED_2XX, 3, NOW)
    cart = 'destination_workload="cart",destination_workload_namespace="shop"'
    assert render(istio_families(window)) == (
        "# HELP istio_requests_total requests\n"
        "# TYPE istio_requests_total counter\n"
        'istio_requests_total{reporter="source",source_workload="edge",'
        f'source_workload_namespace="shop",{cart},destination_service="carts.shop",'
        'destination_service_name="carts",destination_service_namespace="shop",'
        'response_code="5xx"} 2\n'
        'istio_requests_total{reporter="destination",source_workload="unknown",'
        f'source_workload_namespace="unknown",{cart},destination_service="unknown",'
        'destination_service_name="unknown",destination_service_namespace="unknown",'
        'response_code="2xx"} 3\n'
    )


def test_a_gateway_and_a_node_of_one_name_are_one_workload() -> None:
    """Two lines of one name and the same labels would be taken for a mistake."""
    window, same = Window(), Key("VirtualNode", "shop", "edge")
    for proxy in (EDGE, same):
        window.add(Subject(Scope.NODE, proxy, CART, SERVICE), Measure.ANSWERED_2XX, 2, NOW)
    (line,) = [line for line in render(istio_families(window)).split("\n") if line[:1] == "i"]
    assert line.endswith('response_code="2xx"} 4')


def test_what_gateways_take_and_what_could_not_be_kept_apart_is_left_out() -> None:
    window = Window({Scope.PROXY: 1, Scope.NODE: 0, Scope.ROUTE: 1})
    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_2XX, 3, NOW)
    window.add(Subject(Scope.ROUTE, EDGE, None, SERVICE, "a"), Measure.ANSWERED_2XX, 3, NOW)
    window.add(Subject(Scope.NODE, EDGE, CART, SERVICE), Measure.ANSWERED_2XX, 3, NOW)
    window.add(Subject(Scope.PROXY, CART), Measure.ANSWERED_2XX, 3, NOW)
    assert render(istio_families(window)) == ""

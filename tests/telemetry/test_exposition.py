"""What Prometheus is answered."""

import re

from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope
from pointsman.resources.key import Key
from pointsman.telemetry.connections import Connections
from pointsman.telemetry.exposition import render
from pointsman.telemetry.family import Family
from pointsman.telemetry.own import OwnCounts
from pointsman.telemetry.prometheus import traffic_families
from pointsman.telemetry.window import Subject, Window

NOW = 1_800_000_000.0
EDGE, CART = Key("VirtualGateway", "shop", "edge"), Key("VirtualNode", "shop", "cart")
SERVICE = Key("VirtualService", "shop", "cart")
SAMPLE = re.compile(r'[a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? [0-9.e+-]+')


def test_envoys_names_with_objects_of_the_mesh_as_labels() -> None:
    window, connections = Window(), Connections()
    node = Subject(Scope.NODE, EDGE, CART, SERVICE)
    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_2XX, 5, NOW)
    window.add(Subject(Scope.PROXY, EDGE), Measure.ANSWERED_5XX, 1, NOW)
    window.add(node, Measure.CONNECT_FAILURE, 3, NOW)
    window.add(Subject(Scope.ROUTE, EDGE, None, SERVICE, "shop/a"), Measure.ANSWERED_4XX, 2, NOW)
    connections.report("a", EDGE, {node: 4}, NOW)
    text = render(traffic_families(window, connections, NOW))
    edge = 'proxy="shop/edge",appmesh_virtual_gateway="shop/edge"'
    cart = 'envoy_cluster_name="shop/cart",target_virtual_node="shop/cart"'
    service = 'target_virtual_service="shop/cart"'
    assert text == (
        "# HELP envoy_http_downstream_rq_xx requests that proxies took, "
        "by class of the answer's status\n"
        "# TYPE envoy_http_downstream_rq_xx counter\n"
        f'envoy_http_downstream_rq_xx{{{edge},envoy_response_code_class="2"}} 5\n'
        f'envoy_http_downstream_rq_xx{{{edge},envoy_response_code_class="5"}} 1\n'
        "# HELP envoy_cluster_upstream_cx_connect_fail connections that did not come about\n"
        "# TYPE envoy_cluster_upstream_cx_connect_fail counter\n"
        f"envoy_cluster_upstream_cx_connect_fail{{{edge},{cart},{service}}} 3\n"
        "# HELP envoy_vhost_route_upstream_rq_xx requests that proxies sent on by a route, "
        "by class of the answer's status\n"
        "# TYPE envoy_vhost_route_upstream_rq_xx counter\n"
        f'envoy_vhost_route_upstream_rq_xx{{{edge},envoy_route="shop/a",{service},'
        'envoy_response_code_class="4"} 2\n'
        "# HELP envoy_cluster_upstream_cx_active connections that are open\n"
        "# TYPE envoy_cluster_upstream_cx_active gauge\n"
        f"envoy_cluster_upstream_cx_active{{{edge},{cart},{service}}} 4\n"
    )


def test_histograms_are_cumulative() -> None:
    window = Window()
    window.add_latencies(Subject(Scope.PROXY, EDGE), {0: 3, 1: 2, len(BUCKETS_MS): 1}, 70_000, NOW)
    text = render(traffic_families(window, Connections(), NOW))
    found = re.findall(r'le="([^"]+)"} ([0-9]+)', text)
    assert [name for name, _ in found] == [*map(str, BUCKETS_MS), "+Inf"]
    counts = [int(count) for _, count in found]
    assert (counts[0], counts[1], counts[-2], counts[-1]) == (3, 5, 5, 6)
    assert 'envoy_http_downstream_rq_time_count{proxy="shop/edge",' in text


def test_every_line_is_a_sample_or_says_what_samples_are() -> None:
    own = OwnCounts()
    own.pushed(0.3)
    own.pushed(None)
    own.translations.add(0.02)
    own.rejections["cluster"] += 1
    own.resources = {"VirtualNode": 2}
    text = render(own.families({EDGE: 3}))
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or SAMPLE.fullmatch(line), line
    assert 'pointsman_connected_proxies{kind="VirtualGateway",proxy="shop/edge"} 3\n' in text
    assert 'pointsman_push_seconds_bucket{le="0.25"} 0\n' in text
    assert 'pointsman_push_seconds_bucket{le="0.5"} 1\n' in text
    assert "pointsman_push_seconds_sum 0.3\n" in text
    assert "pointsman_push_unfinished_total 1\n" in text


def test_labels_are_escaped() -> None:
    family = Family("a", "gauge", "b")
    family.add(1.5, {"c": 'd"e\\f\ng'})
    assert render([family]).splitlines()[-1] == 'a{c="d\\"e\\\\f\\ng"} 1.5'

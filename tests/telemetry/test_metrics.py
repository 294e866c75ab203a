"""Reports of proxies, from messages to the window."""

from collections.abc import Iterable
from typing import Any

from pointsman.envoy import names, pb
from pointsman.envoy.stats import BUCKETS_MS, Measure, Scope, parse
from pointsman.graph.link import link
from pointsman.graph.model.graph import Graph
from pointsman.resources.key import Key
from pointsman.telemetry.connections import FRESH_S, Connections
from pointsman.telemetry.expiries import Expiries
from pointsman.telemetry.metrics import MetricsServer
from pointsman.telemetry.subjects import Subjects
from pointsman.telemetry.window import Selector, Subject, Window
from pointsman.xds.admission import Anyone
from tests.support.manifests import read
from tests.up import manifests as m

NOW = 1_800_000_000.0
EDGE = Key("VirtualGateway", "shop", "front")
CART = Key("VirtualNode", "shop", "cart")
CLUSTER = "cds_egress_shop_cart_shop_http_8080"


def graph() -> Graph:
    objects = (m.mesh(), m.gateway("front", 8088), *m.shop("cart"), m.node("one"), m.node("two"))
    split = (*m.routed("split", one=9, two=1), m.route("split"), m.route("again", service="cart"))
    return link(read(m.text(*objects, *split))).graph


class Reported:
    """A window, and a server that fills it."""

    def __init__(self) -> None:
        self.now = NOW
        self.window = Window()
        self.connections = Connections()
        self.expiries = Expiries()
        self.subjects = Subjects(graph())
        self.server = MetricsServer(
            Anyone(),
            lambda _id: EDGE,
            self.subjects,
            self.window,
            self.connections,
            self.expiries,
            lambda: self.now,
        )

    def take(self, *metrics: dict[str, Any], whose: str = "a") -> None:
        self.server.take(EDGE, whose, resource(metrics))

    def sum(self, scope: Scope, **named: Any) -> Any:
        return self.window.sum(Selector(scope, **named), NOW, NOW + 1000)


def resource(metrics: Iterable[dict[str, Any]]) -> Any:
    scopes = [{"metrics": list(metrics)}]
    request = pb.MetricsRequest(resource_metrics=[{"instrumentation_library_metrics": scopes}])
    return request.resource_metrics[0]


def counter(name: str, amount: int) -> dict[str, Any]:
    return {"name": name, "sum": {"data_points": [{"as_int": amount}]}}


def gauge(name: str, value: int) -> dict[str, Any]:
    return {"name": name, "gauge": {"data_points": [{"as_int": value}]}}


def histogram(name: str, bounds: Iterable[float], counts: list[int]) -> dict[str, Any]:
    point = {
        "count": sum(counts),
        "sum": 12.6,
        "explicit_bounds": list(bounds),
        "bucket_counts": counts,
    }
    return {"name": name, "histogram": {"data_points": [point]}}


def vhost(name: str) -> str:
    return f"vhost.rds_ingress_http_8088/*.route.{names.route_stat(name)}"


def test_each_name_counts_for_its_object() -> None:
    seen = Reported()
    seen.take(
        counter("http.ingress.downstream_rq_2xx", 7),
        counter(f"cluster.{CLUSTER}.upstream_rq_2xx", 6),
        counter(f"cluster.{CLUSTER}_2.upstream_rq_5xx", 1),
        counter(f"{vhost('shop/cart')}.upstream_rq_2xx", 5),
        counter(f"{vhost('shop/split/all')}.upstream_rq_5xx", 4),
    )
    assert seen.sum(Scope.PROXY, proxy=EDGE).requests == 7
    assert seen.sum(Scope.NODE, node=CART).classes == (0, 6, 0, 0, 1)
    cart = Key("VirtualService", "shop", "cart")
    assert seen.sum(Scope.NODE, service=cart).requests == 7
    assert seen.sum(Scope.ROUTE, service=cart).requests == 5
    assert seen.sum(Scope.ROUTE, route="shop/split/all").failures == 4
    assert seen.server.numbers == 5


def test_what_is_not_configured_counts_for_nothing() -> None:
    seen = Reported()
    seen.take(
        counter("cluster.cds_egress_shop_gone_shop_http_8080.upstream_rq_2xx", 1),
        counter(f"{vhost('shop/gone')}.upstream_rq_2xx", 1),
        counter("server.uptime", 1),
        counter(f"cluster.{CLUSTER}.upstream_rq_2xx", -5),
        counter(f"cluster.{CLUSTER}.upstream_rq_2xx", 0),
    )
    assert len(seen.window) == 0


def test_names_follow_the_graph() -> None:
    seen = Reported()
    seen.take(counter(f"{vhost('shop/cart')}.upstream_rq_2xx", 1))
    seen.subjects.follow(Graph())
    seen.take(counter(f"{vhost('shop/cart')}.upstream_rq_2xx", 10))
    assert seen.sum(Scope.ROUTE).requests == 1
    seen.subjects.follow(graph())
    seen.take(counter(f"{vhost('shop/cart')}.upstream_rq_2xx", 100))
    assert seen.sum(Scope.ROUTE).requests == 101


def test_latencies_count_with_our_bounds_only() -> None:
    seen = Reported()
    counts = [0] * (len(BUCKETS_MS) + 1)
    counts[3] = 4
    seen.take(histogram(f"cluster.{CLUSTER}.upstream_rq_time", BUCKETS_MS, counts))
    seen.take(histogram(f"cluster.{CLUSTER}.upstream_rq_time", (1.0, 2.0), [1, 1, 1]))
    latency = seen.sum(Scope.NODE, node=CART).latency
    assert (latency.count, latency.total_ms, latency.quantile(1)) == (4, 13, 5)


def test_connections_are_those_of_all_proxies_that_are_there() -> None:
    seen = Reported()
    name = f"cluster.{CLUSTER}.upstream_cx_active"
    seen.take(gauge(name, 3), whose="a")
    seen.take(gauge(name, 2), gauge("http.ingress.downstream_cx_active", 9), whose="b")
    found = seen.connections.by_subject(NOW)
    assert {subject.scope: count for subject, count in found.items()} == {
        Scope.NODE: 5,
        Scope.PROXY: 9,
    }
    assert seen.connections.proxies(NOW) == {EDGE: 2}
    seen.now += FRESH_S
    seen.take(gauge(name, 1), whose="a")
    assert sum(seen.connections.by_subject(seen.now).values()) == 12
    seen.now += 0.1
    assert sum(seen.connections.by_subject(seen.now).values()) == 1


def test_a_report_may_come_in_parts() -> None:
    seen = Reported()
    seen.take(gauge(f"cluster.{CLUSTER}.upstream_cx_active", 3))
    seen.take(counter("http.ingress.downstream_rq_2xx", 1))
    assert sum(seen.connections.by_subject(NOW).values()) == 3
    # A cluster that is not there any more is not spoken of.
    seen.now += FRESH_S + 0.1
    seen.take(gauge("http.ingress.downstream_cx_active", 1))
    assert sum(seen.connections.by_subject(seen.now).values()) == 1


def test_a_cluster_of_two_services_is_of_neither() -> None:
    objects = (m.mesh(), m.gateway("front", 8088), *m.shop("cart"))
    other = (m.service("other", "cart"), m.route("other"))
    subjects = Subjects(link(read(m.text(*objects, *other))).graph)
    stat = parse(f"cluster.{CLUSTER}.upstream_rq_2xx")
    assert stat is not None
    assert subjects.find(EDGE, stat) == Subject(Scope.NODE, EDGE, CART)


def test_measures_are_columns() -> None:
    assert [*Measure] == sorted(Measure)

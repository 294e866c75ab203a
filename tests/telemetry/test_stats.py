"""What Envoy is asked to send is what is understood, name by name."""

import pytest
import re2

from pointsman.envoy import names
from pointsman.envoy.stats import UNWANTED, WANTED, Measure, Scope, Stat, parse

CLUSTER = "cds_egress_shop_cart.v2_shop_http_8080"
ROUTE = names.route_stat("shop/books.v1.route.a/all")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"cluster.{CLUSTER}.upstream_rq_5xx", Stat(Scope.NODE, CLUSTER, Measure.ANSWERED_5XX)),
        (f"cluster.{CLUSTER}.upstream_rq_timeout", Stat(Scope.NODE, CLUSTER, Measure.TIMEOUT)),
        (f"cluster.{CLUSTER}.upstream_rq_time", Stat(Scope.NODE, CLUSTER, None)),
        (
            f"cluster.{CLUSTER}.outlier_detection.ejections_enforced_total",
            Stat(Scope.NODE, CLUSTER, Measure.EJECTION),
        ),
        (
            f"vhost.rds_ingress_http_80/a.route.example.com.route.{ROUTE}.upstream_rq_2xx",
            Stat(Scope.ROUTE, ROUTE, Measure.ANSWERED_2XX),
        ),
        ("http.ingress.downstream_rq_4xx", Stat(Scope.PROXY, "", Measure.ANSWERED_4XX)),
        ("http.ingress.http2.8080.downstream_cx_active", Stat(Scope.PROXY, "", None)),
        ("http.ingress.rbac.denied", Stat(Scope.PROXY, "", Measure.DENIED)),
        ("tcp.ingress.tcp.5432.downstream_cx_total", Stat(Scope.PROXY, "", Measure.CONNECTION)),
        (
            "pointsman.limit.shop.plan.few.http_local_rate_limit.enforced",
            Stat(Scope.PROXY, "", Measure.LIMITED),
        ),
        (
            "pointsman.consumer.rq.code.404.consumer.shop/a.consumer.b",
            Stat(Scope.CONSUMER, "shop/a.consumer.b", Measure.ANSWERED_4XX),
        ),
        (
            "pointsman.consumer.rq_time.consumer.shop/a",
            Stat(Scope.CONSUMER, "shop/a", None),
        ),
        (
            "pointsman.consumer.rq.code.429.consumer.shop/a",
            Stat(Scope.CONSUMER, "shop/a", Measure.ANSWERED_4XX, Measure.LIMITED),
        ),
    ],
)
def test_what_is_wanted_is_understood(name: str, expected: Stat) -> None:
    assert parse(name) == expected
    assert re2.fullmatch(WANTED, name)
    assert not re2.fullmatch(UNWANTED, name)


@pytest.mark.parametrize(
    "name",
    [
        f"cluster.{CLUSTER}.upstream_rq_200",
        f"cluster.{CLUSTER}.upstream_rq_completed",
        f"cluster.{CLUSTER}.membership_healthy",
        "cluster.pointsman_xds.upstream_rq_2xx",
        "http.admin.downstream_rq_2xx",
        "http.egress.lds_egress_pool_80.downstream_rq_2xx",
        "http.ingress.downstream_rq_total",
        "server.uptime",
        "",
    ],
)
def test_nothing_else_is_sent(name: str) -> None:
    assert not re2.fullmatch(WANTED, name)


@pytest.mark.parametrize("part", ["external", "internal", "retry", "canary", "zone.a.b"])
def test_parts_of_what_is_counted_as_a_whole_are_not_sent(part: str) -> None:
    assert re2.fullmatch(UNWANTED, f"cluster.{CLUSTER}.{part}.upstream_rq_2xx")

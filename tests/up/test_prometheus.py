"""The real Prometheus reads what a running instance says of itself and of the mesh."""

from functools import partial
from pathlib import Path

import pytest

from tests.support import prometheus
from tests.support.dashboards import questions
from tests.support.up import ask, free_port, running, until
from tests.up import manifests as m

pytestmark = [
    pytest.mark.envoy,
    pytest.mark.xdist_group("up-prometheus"),
    prometheus.needs_prometheus,
]

NOTHING_OF_IT = {
    *("Denied", "Limited", "No route", "Timeouts", "Resets", "Overflow", "Retries", "Ejections"),
    *("Connections that did not come about", "No endpoint", "Rejections"),
    *("Requests by consumer", "Failing by consumer"),
    *("Time, half of them, by consumer", "Time, 99 of 100, by consumer"),
}
"""What does not happen here, and so has no numbers."""

BOOKS = 'reporter="source",destination_workload="books",destination_workload_namespace="shop"'
ISTIO = f"sum(istio_requests_total{{{BOOKS},"
ISTIO_P99 = f"""
    histogram_quantile(0.99, sum by (le) (istio_request_duration_milliseconds_bucket{{{BOOKS}}}))
"""
"""As what was made for Istio asks."""


def test_numbers_are_those_of_what_was_sent(tmp_path: Path) -> None:
    mesh = tmp_path / "mesh.yaml"
    mesh.write_text(m.text(m.mesh(), m.gateway("front", 8088), *m.shop("books")))
    port = free_port()
    options = ("--echo", "--listen", "8088=0", "--metrics", str(port))
    scraped = {
        f"127.0.0.1:{port}/metrics": {"from": "test"},
        f"127.0.0.1:{port}/metrics/istio": {},
    }
    with running(mesh, *options) as up, prometheus.prometheus(tmp_path, scraped) as address:
        value = partial(prometheus.value, address)
        for status in (200, 200, 500):
            sent = ask(up.address("front"), "/books", {"x-echo-status": str(status)})
            assert sent.status == status
        mesh.write_text(mesh.read_text() + "\n# touched\n")

        until(lambda: value("sum(envoy_cluster_upstream_rq_xx)") == 3, 40)
        assert value('up{from="test"}') == 1
        failed = 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}'
        ((labels, count),) = prometheus.query(address, failed)
        assert count == 1
        assert labels["target_virtual_node"] == labels["target_virtual_service"] == "shop/books"
        assert labels["appmesh_virtual_gateway"] == "shop/front"
        name = "envoy_vhost_route_upstream_rq_time_bucket"
        within = value(f"histogram_quantile(1, sum by (le) ({name}))")
        assert within is not None
        assert 0 < within < 10_000
        until(lambda: value(f'{ISTIO}response_code!~"5.*"}}) / {ISTIO}}})') == 2 / 3, 20)
        assert 0 < (value(ISTIO_P99) or 0) < 10_000
        until(lambda: (value("pointsman_push_seconds_count") or 0) >= 2, 20)
        assert value("pointsman_connected_proxies") == 1
        assert value('pointsman_resources{kind="VirtualNode"}') == 1
        until(lambda: unanswered(address) == NOTHING_OF_IT, 20)


def unanswered(address: str) -> set[str]:
    """Graphs of the dashboards that have nothing to show."""
    chosen = {"proxy": ".*", "node": ".*", "stable": "shop/books", "candidate": "shop/books"}
    return {
        question.panel
        for question in questions()
        if not prometheus.query(address, question.asked(**chosen))
    }

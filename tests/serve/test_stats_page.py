"""Prometheus reads each proxy itself, and Flagger's own queries find what they ask for."""

from functools import partial
from pathlib import Path

import pytest

from tests.support import prometheus
from tests.support.serve import Shop, proxying, serving, wait_ready
from tests.support.up import ask, free_port, until

pytestmark = [pytest.mark.envoy]

PODS = 'kubernetes_namespace="shop",kubernetes_pod_name=~"web-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)"'
SUCCESS = f"""
    sum(rate(envoy_cluster_upstream_rq{{{PODS},envoy_response_code!~"5.*"}}[1m]))
    / sum(rate(envoy_cluster_upstream_rq{{{PODS}}}[1m])) * 100
"""
DURATION = f"""
    histogram_quantile(0.99, sum(rate(
        envoy_cluster_upstream_rq_time_bucket{{{PODS}}}[1m])) by (le))
"""
"""As Flagger's provider for App Mesh asks."""


@prometheus.needs_prometheus
def test_flaggers_queries_are_answered(shop: Shop, folder: Path) -> None:
    page, xds = f"127.0.0.1:{free_port()}", f"unix:{folder}/xds.sock"
    pod = {"kubernetes_namespace": "shop", "kubernetes_pod_name": "web-6d4c-x7x9z"}
    scraped = {f"{page}/stats/prometheus": pod}
    with (
        serving(shop, xds),
        proxying(xds, f"--prometheus={page}") as proxy,
        prometheus.prometheus(folder, scraped) as address,
    ):
        wait_ready(proxy)
        value = partial(prometheus.value, address)
        until(lambda: value("envoy_server_live") == 1, 30)

        def asked(query: str) -> float:
            for status in (200, 200, 200, 500):
                ask(f"127.0.0.1:{shop.port}", "/web", {"x-status": str(status)})
            return value(query) or 0

        until(lambda: 70 < asked(SUCCESS) < 80, 30)
        # Envoy adds times up every five seconds.
        until(lambda: 0 < asked(DURATION) < 10_000, 30)
        assert value('count(envoy_cluster_upstream_rq{appmesh_virtual_gateway="front_shop"})')


def test_nothing_else_of_the_administration_is_there(shop: Shop, folder: Path) -> None:
    page, xds = f"127.0.0.1:{free_port()}", f"unix:{folder}/xds.sock"
    with serving(shop, xds), proxying(xds, f"--prometheus={page}") as proxy:
        wait_ready(proxy)
        assert ask(page, "/stats/prometheus").status == 200
        for path in ("/", "/config_dump", "/stats", "/stats/prometheus/../../config_dump"):
            assert ask(page, path).status == 404
        assert ask(page, "/quitquitquit", method="POST").status == 404
        assert ask(page, "/stats/prometheus", method="POST").status == 404

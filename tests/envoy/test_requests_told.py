"""Which requests proxies tell the control plane of, and what."""

import json
from pathlib import Path

import pytest
import yaml

from pointsman.envoy import pb
from pointsman.envoy.node_class import NodeClass, Wire
from pointsman.envoy.requests import http_logs
from pointsman.graph.model.gateway import AccessLogFile, Gateway
from pointsman.resources.key import Key
from tests.conftest import Golden

GATEWAY = Gateway(Key("VirtualGateway", "shop", "front"), "shop", "front_shop", ())
LOGGING = Gateway(GATEWAY.key, "shop", "front_shop", (), AccessLogFile("/dev/stdout"))


def test_what_is_told(golden: Golden) -> None:
    (told,) = http_logs(GATEWAY, NodeClass(GATEWAY.key), 80)
    manager = pb.HttpConnectionManager(access_log=[told])
    text = json.dumps(pb.to_dict(manager)["access_log"][0], sort_keys=True)
    golden.check(Path(__file__).parent / "told.yaml", yaml.safe_dump(json.loads(text), width=100))


@pytest.mark.parametrize("wire", ["sotw", "static"])
def test_proxies_of_other_wires_tell_nothing(wire: Wire) -> None:
    node_class = NodeClass(GATEWAY.key, wire)
    assert http_logs(GATEWAY, node_class, 80) == []
    assert len(http_logs(LOGGING, node_class, 80)) == 1


def test_what_a_file_need_not_have_is_told_all_the_same() -> None:
    (told,) = http_logs(LOGGING, NodeClass(GATEWAY.key), 80, written=False)
    assert told["name"] == "envoy.access_loggers.http_grpc"

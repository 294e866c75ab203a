import json
from pathlib import Path
from typing import Any

import pytest

from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import Dialect, bootstrap
from pointsman.proxy.validate import validate
from pointsman.proxy.xds_cluster import XdsAddress
from tests.proxy.static_envoy import static_bootstrap

pytestmark = pytest.mark.envoy

UNIX = XdsAddress(path=Path("/tmp/xds.sock"))


def made(xds: XdsAddress = UNIX, dialect: Dialect = "delta") -> dict[str, Any]:
    return bootstrap(
        node_id="mesh/shop/virtualGateway/in",
        node_cluster="in",
        xds=xds,
        admin=Path("/tmp/admin.sock"),
        metadata={"zone": "a", "weights": [1, 2]},
        dialect=dialect,
    )


@pytest.mark.parametrize("dialect", ["delta", "sotw"])
@pytest.mark.parametrize(
    "xds",
    [UNIX, XdsAddress("127.0.0.1", 18000), XdsAddress("::1", 18000), XdsAddress("xds.svc", 18000)],
    ids=["unix", "ipv4", "ipv6", "name"],
)
def test_envoy_takes_it(envoy: EnvoyBinary, xds: XdsAddress, dialect: Dialect) -> None:
    assert validate(envoy, json.dumps(made(xds, dialect))) == []


def test_dialects_differ_in_one_word() -> None:
    delta, sotw = made(), made(dialect="sotw")
    assert delta["dynamic_resources"]["ads_config"].pop("api_type") == "DELTA_GRPC"
    assert sotw["dynamic_resources"]["ads_config"].pop("api_type") == "GRPC"
    assert delta == sotw


def test_complaints_are_envoys_own_words(envoy: EnvoyBinary) -> None:
    misspelt = made() | {"nod": {}}
    (complaint,) = validate(envoy, json.dumps(misspelt))
    assert "nod" in complaint
    assert "bootstrap.json" not in complaint

    no_cluster = static_bootstrap(Path("/tmp"), 8080)
    no_cluster["static_resources"]["clusters"] = []
    assert validate(envoy, json.dumps(no_cluster)) == ["route: unknown cluster 'upstream'"]


def test_validation_needs_no_free_port(envoy: EnvoyBinary) -> None:
    assert validate(envoy, json.dumps(static_bootstrap(Path("/tmp"), 1))) == []

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.bootstrap import Dialect, bootstrap
from pointsman.proxy.identity_files import IdentityFiles
from pointsman.proxy.validate import validate
from pointsman.proxy.xds_cluster import Xds, XdsAddress, XdsTls
from tests.proxy.static_envoy import static_bootstrap
from tests.support.pem_files import Authority

pytestmark = pytest.mark.envoy

UNIX = XdsAddress(path=Path("/tmp/xds.sock"))


def made(
    xds: XdsAddress | Xds = UNIX,
    dialect: Dialect = "delta",
    *,
    admin: Path | int = Path("/tmp/admin.sock"),
    **others: Any,
) -> dict[str, Any]:
    return bootstrap(
        node_id="mesh/shop/virtualGateway/in",
        node_cluster="in",
        xds=xds,
        admin=admin,
        metadata={"zone": "a", "weights": [1, 2]},
        dialect=dialect,
        **others,
    )


@pytest.mark.parametrize("dialect", ["delta", "sotw"])
@pytest.mark.parametrize(
    "xds",
    [UNIX, XdsAddress("127.0.0.1", 18000), XdsAddress("::1", 18000), XdsAddress("xds.svc", 18000)],
    ids=["unix", "ipv4", "ipv6", "name"],
)
def test_envoy_takes_it(envoy: EnvoyBinary, xds: XdsAddress, dialect: Dialect) -> None:
    assert validate(envoy, json.dumps(made(xds, dialect))) == []


@pytest.mark.parametrize(
    ("node_id", "fixed"),
    [
        ("mesh/shop/virtualNode/a_b", {"appmesh.mesh": "shop", "appmesh.virtual_node": "a_b"}),
        (
            "arn:aws:appmesh:eu-west-1:123456789012:mesh/shop@123/virtualGateway/in",
            {"appmesh.mesh": "shop", "appmesh.virtual_gateway": "in"},
        ),
        ("stranger", {}),
    ],
)
def test_statistics_carry_the_tags_of_app_mesh(node_id: str, fixed: dict[str, str]) -> None:
    made = bootstrap(node_id=node_id, node_cluster="x", xds=UNIX, admin=Path("/tmp/admin"))
    tags = made["stats_config"]["stats_tags"]
    assert {t["tag_name"]: t["fixed_value"] for t in tags if "fixed_value" in t} == fixed
    by_name = {t["tag_name"]: re.compile(t["regex"]) for t in tags if "regex" in t}

    def read(tag: str, name: str) -> str | None:
        found = by_name[f"appmesh.listener_{tag}"].search(name)
        return found and found[2]

    assert read("protocol", "http.ingress.http2.8080.downstream_rq_total") == "http2"
    assert read("port", "http.ingress.http2.8080.downstream_rq_total") == "8080"
    assert read("port", "tcp.egress.5432.downstream_cx_total") == "5432"
    assert read("port", "http.ingress.downstream_rq_total") is None


TLS = XdsTls(Path("ca.pem"), None, Path("own.pem"), Path("own.key"))
HOSTS = (XdsAddress("one.xds.svc", 18000), XdsAddress("127.0.0.1", 18000))


@pytest.mark.parametrize("direct", [True, False], ids=["files", "secrets"])
def test_envoy_takes_an_identity(envoy: EnvoyBinary, tmp_path: Path, direct: bool) -> None:
    pair = Authority(tmp_path).issue("own", "spiffe://pointsman.local/mesh/shop/virtualNode/a")
    (tmp_path / "token").write_text("abc\n")
    tls = XdsTls(tmp_path / "ca.pem", None, pair.certificate, pair.key)
    if direct:
        xds = Xds(HOSTS, tls)
    else:
        IdentityFiles(tmp_path, tls, tmp_path / "token").write()
        xds = Xds(HOSTS, tls, tmp_path, token=True)
    text = json.dumps(made(xds, sds_socket=Path("/tmp/sds.sock"), zone="a"))
    assert validate(envoy, text) == []
    assert "PRIVATE KEY" not in text
    assert "abc" not in text


def test_the_name_of_the_control_plane_has_to_be_right() -> None:
    cluster, _ = made(Xds(HOSTS, TLS))["static_resources"]["clusters"]
    context = cluster["transport_socket"]["typed_config"]
    wanted = context["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"]
    assert [(item["san_type"], item["matcher"]["exact"]) for item in wanted] == [
        ("DNS", "one.xds.svc"),
        ("IP_ADDRESS", "127.0.0.1"),
    ]
    assert context["sni"] == "one.xds.svc"


def test_an_app_mesh_image_gets_nothing_its_envoy_does_not_know(envoy: EnvoyBinary) -> None:
    older = made(envoy="app-mesh", patient=True, admin=9901)
    assert validate(envoy, json.dumps(older)) == []
    text = json.dumps(older)
    for fresh in ("overload_manager", "deferred_stat_options", "retry_policy"):
        assert fresh not in text
    assert older["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    assert older["dynamic_resources"]["lds_config"]["initial_fetch_timeout"] == "0s"


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

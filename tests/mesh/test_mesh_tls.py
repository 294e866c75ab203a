"""Nodes prove to each other who they are, and others get nowhere."""

import json
from pathlib import Path

import pytest

from tests.mesh.conftest import COLOR, DB, Mesh
from tests.mesh.place import Place, load_of
from tests.support.pem_files import Authority
from tests.support.up import command, until

pytestmark = [pytest.mark.netns, pytest.mark.envoy, pytest.mark.xdist_group("mesh")]

RED = {"color": "red"}
HANDSHAKES = "listener.0.0.0.0_15000.ssl.handshake"
DOMAIN = "spiffe://pointsman.local/"
FRONT = "mesh/shop/virtualNode/front_shop"


def secure(mesh: Mesh, mode: str) -> None:
    """Has all nodes of the mesh follow a MeshTLS of that mode."""
    policy = {
        "apiVersion": "pointsman.dev/v1alpha1",
        "kind": "MeshTLS",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "targetRefs": [{"group": "appmesh.k8s.aws", "kind": "Mesh", "name": "shop"}],
            "mode": mode,
        },
    }
    mesh.write("tls.yaml", json.dumps(policy))
    tls, plain = {"STRICT": (True, False), "PERMISSIVE": (True, True), "DISABLED": (False, True)}[
        mode
    ]
    outside, front = mesh["outside"], mesh["front"]
    for name in ("red", "blue-1", "blue-2"):
        address = mesh[name].namespace.ipv4
        until(lambda a=address: bool(outside.ask(a).status) == plain, 20)  # type: ignore[misc]
    for cluster in ("red", "blue"):
        until(lambda c=cluster: speaks_tls(front, c) == tls, 20)  # type: ignore[misc]


def speaks_tls(front: Place, node: str) -> bool:
    """Whether a caller does towards a node."""
    dump = front.admin("/config_dump?resource=dynamic_active_clusters")
    return any(
        "transport_socket" in item["cluster"]
        for item in json.loads(dump)["configs"]
        if item["cluster"]["name"] == f"cds_egress_shop_{node}_shop_http_8080"
    )


def test_strict_nodes_speak_mutual_tls_and_nothing_else(mesh: Mesh) -> None:
    front, red, outside = mesh["front"], mesh["red"], mesh["outside"]
    before = red.count(HANDSHAKES)
    secure(mesh, "STRICT")
    assert front.ask(COLOR, headers=RED).short == (200, "red")
    assert front.greeted(DB, 3306) == "red"
    assert red.count(HANDSHAKES) == before + 2  # HTTP and TCP
    assert front.ask(COLOR).app.startswith("blue")
    address = red.namespace.ipv4
    assert outside.ask(address).short == (0, "")
    assert outside.greeted(address, 9000) == ""
    assert outside.ask(address, tls=True).short == (0, ""), "without a certificate"


def test_permissive_nodes_take_both(mesh: Mesh) -> None:
    front, red, outside = mesh["front"], mesh["red"], mesh["outside"]
    before = red.count(HANDSHAKES)
    secure(mesh, "PERMISSIVE")
    assert front.ask(COLOR, headers=RED).short == (200, "red")
    assert front.greeted(DB, 3306) == "red"
    assert red.count(HANDSHAKES) == before + 2
    assert outside.ask(red.namespace.ipv4).short == (200, "red")
    assert red.count(HANDSHAKES) == before + 2


def test_only_certificates_of_the_mesh_open_a_node(mesh: Mesh, tmp_path: Path) -> None:
    secure(mesh, "STRICT")
    outside, address = mesh["outside"], mesh["red"].namespace.ipv4
    issued = command("identity", "issue", mesh.identity, FRONT, "--out", tmp_path / "own")
    assert issued.returncode == 0, issued.stderr
    own = [str(tmp_path / "own" / name) for name in ("tls.crt", "tls.key")]
    assert outside.ask(address, tls=True, pair=own).short == (200, "red")
    alien = Authority(tmp_path, "alien").issue("alien", DOMAIN + FRONT)
    pair = [str(alien.certificate), str(alien.key)]
    assert outside.ask(address, tls=True, pair=pair).short == (0, "")


def test_a_node_at_the_address_of_another_is_not_believed(mesh: Mesh) -> None:
    front = mesh["front"]
    impostor = {"color": "impostor"}
    assert front.ask(COLOR, headers=impostor).short == (200, "red")
    secure(mesh, "STRICT")
    assert front.ask(COLOR, headers=impostor).status == 503
    assert front.count("cds_egress_shop_impostor_shop_http_8080.ssl.fail_verify_san") > 0


def test_from_permissive_to_strict_and_back_no_request_is_even_tried_twice(mesh: Mesh) -> None:
    """All callers speak TLS before and after, so it is no matter who learns of it first."""
    front = mesh["front"]
    retries = "cds_egress_shop_blue_shop_http_8080.upstream_rq_retry"
    secure(mesh, "PERMISSIVE")
    before = front.count(retries)
    front.do("load", host=COLOR, port=8080, threads=4)
    for mode in ("STRICT", "PERMISSIVE", "STRICT"):
        secure(mesh, mode)
        changed = sum(front.do("seen").values())
        until(lambda n=changed: sum(front.do("seen").values()) > n + 30, 20)  # type: ignore[misc]
    seen = front.do("stop")
    assert load_of(seen, "200 blue-1", "200 blue-2") == {}, seen
    assert front.count(retries) == before


def test_replaced_certificates_are_shown_and_no_request_fails(mesh: Mesh) -> None:
    outside, address = mesh["outside"], mesh["red"].namespace.ipv4
    certificates = mesh.folder.parent / "certificates"
    certificates.mkdir()
    authority = Authority(certificates)
    pair = authority.issue("red", "red.shop")
    files = {"certificateChain": str(pair.certificate), "privateKey": str(pair.key)}
    tls = json.dumps({"mode": "STRICT", "certificate": {"file": files}})
    listener = "- portMapping: {port: 8080, protocol: http}\n      timeout"
    mesh.edit("color.yaml", (listener, listener.replace("timeout", f"tls: {tls}\n      timeout")))
    until(lambda: outside.ask(address, tls=True).short == (200, "red"), 20)
    outside.do("load", host=address, port=8080, tls=True, threads=1)  # each with a handshake
    for _ in range(4):
        shown = outside.ask(address, tls=True).shown
        authority.issue("red", "red.shop")
        until(lambda s=shown: outside.ask(address, tls=True).shown not in ("", s), 20)  # type: ignore[misc]
    until(lambda: sum(outside.do("seen").values()) > 20, 20)
    seen = outside.do("stop")
    assert load_of(seen, "200 red") == {}, seen

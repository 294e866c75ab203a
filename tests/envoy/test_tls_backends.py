"""TLS from a gateway to its backends, as those meet it."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from pointsman.graph.links.certificates import CertificateMap
from pointsman.resources.kinds.tls import FileTrust
from tests.support.certificates import Authority, Leaf
from tests.support.manifests import MESH, Document, gateway, gateway_route, service
from tests.support.manifests import document as manifest
from tests.support.tls import showing, tls_backend, tls_gateway
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
HOST = "books.test"
ARN = "arn:aws:acm:x:1:certificate/a"
AUTHORITY_ARN = "arn:aws:acm-pca:x:1:certificate-authority/a"
STRICT = {
    "mode": "STRICT",
    "certificate": {"file": {"certificateChain": "/none/c.pem", "privateKey": "/none/k.pem"}},
}
"""A node's own TLS; its files are on the node's machine, and the gateway never reads them."""


def mesh(policy: Document | None, discovery: Document | None = None, **listener: Any) -> Any:
    """A gateway with a client policy, in front of the node books."""
    mapped = {"portMapping": {"port": 80, "protocol": "http"}, **listener}
    defaults: dict[str, Any] = {}
    if policy is not None:
        defaults = {"backendDefaults": {"clientPolicy": {"tls": policy}}}
    found = {"dns": {"hostname": HOST}} if discovery is None else discovery
    return (
        MESH,
        gateway(**defaults),
        manifest("VirtualNode", "books", {"listeners": [mapped], "serviceDiscovery": found}),
        service("books", node="books"),
        gateway_route("books", {"prefix": "/"}, "books"),
    )


class Pki:
    """The authority that backends are verified by, and its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority("backends")
        self.file = self.authority.write(self.sub("ca"))

    def sub(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made

    def policy(self, *names: str, **more: Any) -> dict[str, Any]:
        """A policy that trusts the authority."""
        validation: dict[str, Any] = {"trust": {"file": {"certificateChain": str(self.file)}}}
        if names:
            validation["subjectAlternativeNames"] = {"match": {"exact": list(names)}}
        return {"validation": validation, **more}

    def server(self, leaf: Leaf | None, clients: Path | None = None) -> ssl.SSLContext | None:
        """What a backend shows; nothing in plaintext."""
        return None if leaf is None else showing(leaf.write(self.sub("server")), clients)


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


async def answer(
    pki: Pki,
    documents: tuple[Document, ...],
    leaf: Leaf | None,
    *,
    host: str = HOST,
    certificates: CertificateMap | None = None,
) -> tuple[int, str]:
    """What a client of the gateway gets, and by which means the backend was asked.

    The means are "" for TLS, "plaintext", and "nothing" for a request that did not get there.
    """
    async with (
        tls_backend(pki.server(leaf)) as books,
        tls_gateway(
            *documents, folder=pki.folder, backends={host: books.port}, certificates=certificates
        ) as shop,
    ):
        status = await shop.ask(8080)
        return status, next(iter(books.seen), "nothing")


TLS = (200, "")
PLAINTEXT = (200, "plaintext")
UNREACHED = (503, "nothing")


@pytest.mark.parametrize(
    ("accepted", "shown", "expected"),
    [
        ((), (HOST,), TLS),
        ((), ("BOOKS.test",), TLS),
        ((), (f"spiffe://{HOST}", "other.test"), UNREACHED),
        ((), ("*.test",), UNREACHED),
        ((), (), UNREACHED),
        (("a.test", "b.test"), ("b.test",), TLS),
        (("a.test",), (HOST,), UNREACHED),
        (("a.test",), ("*.test",), UNREACHED),
        (("*.test",), ("*.test",), TLS),
        (("*.test",), ("a.test",), UNREACHED),
        (("spiffe://mesh/books",), ("spiffe://mesh/books",), TLS),
        (("spiffe://mesh/books",), ("spiffe://mesh/books/more",), UNREACHED),
        (("spiffe://mesh/*",), ("spiffe://mesh/books",), UNREACHED),
    ],
)
async def test_a_server_must_have_an_accepted_name(
    pki: Pki, accepted: tuple[str, ...], shown: tuple[str, ...], expected: tuple[int, str]
) -> None:
    documents = mesh(pki.policy(*accepted), tls=STRICT)
    assert await answer(pki, documents, pki.authority.issue(*shown)) == expected


async def test_the_name_in_cloud_map_is_a_name_too(pki: Pki) -> None:
    cloud_map = {"awsCloudMap": {"namespaceName": "test", "serviceName": "books"}}
    documents = mesh(pki.policy(), cloud_map)
    assert await answer(pki, documents, pki.authority.issue(HOST)) == TLS


async def test_a_server_must_be_signed_by_whom_the_policy_trusts(pki: Pki) -> None:
    leaf = Authority("others").issue(HOST)
    assert await answer(pki, mesh(pki.policy(), tls=STRICT), leaf) == UNREACHED


async def test_an_expired_server_is_refused(pki: Pki) -> None:
    leaf = pki.authority.issue(HOST, days=-1)
    assert await answer(pki, mesh(pki.policy(), tls=STRICT), leaf) == UNREACHED


async def test_an_authority_of_aws_is_verified_by_its_file(pki: Pki) -> None:
    trust = {"acm": {"certificateAuthorityARNs": [AUTHORITY_ARN]}}
    known = CertificateMap({}, {AUTHORITY_ARN: FileTrust(certificate_chain=str(pki.file))})
    documents = mesh({"validation": {"trust": trust}})
    leaf = pki.authority.issue(HOST)
    assert await answer(pki, documents, leaf, certificates=known) == TLS


async def test_an_unknown_authority_of_aws_is_not_called(pki: Pki) -> None:
    trust = {"acm": {"certificateAuthorityARNs": [AUTHORITY_ARN]}}
    documents = mesh({"enforce": False, "validation": {"trust": trust}})
    assert await answer(pki, documents, None) == UNREACHED


@pytest.mark.parametrize(
    ("more", "speaks", "expected"),
    [
        ({}, False, UNREACHED),
        ({"ports": [80]}, False, UNREACHED),
        ({"ports": [81]}, False, PLAINTEXT),
        ({"enforce": False}, False, PLAINTEXT),
        ({"enforce": False}, True, TLS),
        ({"enforce": False, "ports": [81]}, True, TLS),
    ],
)
async def test_a_policy_says_whether_plaintext_will_do(
    pki: Pki, more: dict[str, Any], speaks: bool, expected: tuple[int, str]
) -> None:
    documents = mesh(pki.policy(**more), **({"tls": STRICT} if speaks else {}))
    leaf = pki.authority.issue(HOST) if speaks else None
    assert await answer(pki, documents, leaf) == expected


async def test_an_optional_policy_verifies_all_the_same(pki: Pki) -> None:
    documents = mesh(pki.policy(enforce=False), tls=STRICT)
    assert await answer(pki, documents, Authority("others").issue(HOST)) == UNREACHED


@pytest.mark.parametrize("mode", ["STRICT", "PERMISSIVE", "DISABLED"])
async def test_without_a_policy_tls_is_spoken_to_servers_that_speak_it(pki: Pki, mode: str) -> None:
    documents = mesh(None, tls={**STRICT, "mode": mode})
    leaf = None if mode == "DISABLED" else Authority("others").issue("other.test")
    assert await answer(pki, documents, leaf) == (PLAINTEXT if leaf is None else TLS)


async def test_without_a_policy_known_signers_are_verified(pki: Pki) -> None:
    documents = mesh(None, tls={"mode": "STRICT", "certificate": {"acm": {"certificateARN": ARN}}})
    known = CertificateMap(signers={ARN: FileTrust(certificate_chain=str(pki.file))})
    good, bad = pki.authority.issue("*.test"), Authority("others").issue(HOST)
    assert await answer(pki, documents, good, certificates=known) == TLS
    (pki.folder / "server").rename(pki.folder / "before")
    assert await answer(pki, documents, bad, certificates=known) == UNREACHED


async def test_a_certificate_is_shown_to_servers_that_ask(pki: Pki) -> None:
    clients = Authority("clients")
    leaf = clients.issue("gateway.test")
    shown = leaf.write(pki.sub("client"))
    context = pki.server(pki.authority.issue(HOST), clients.write(pki.sub("clients")))
    for certificate, status in ((shown.manifest, 200), (None, 503)):
        more = {} if certificate is None else {"certificate": certificate}
        async with (
            tls_backend(context) as books,
            tls_gateway(
                *mesh(pki.policy(**more)), folder=pki.folder, backends={HOST: books.port}
            ) as shop,
        ):
            assert await shop.ask(8080) == status
            assert ("" in books.seen, len(books.seen)) == (False, int(status == 200))
        (pki.folder / "ads.sock").unlink(missing_ok=True)
        (pki.folder / "admin.sock").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("protocol", "agreed"), [("http", "http/1.1"), ("http2", "h2"), ("grpc", "h2")]
)
async def test_the_protocol_and_the_name_are_asked_for(
    pki: Pki, protocol: str, agreed: str
) -> None:
    context = pki.server(pki.authority.issue(HOST))
    assert context is not None
    context.set_alpn_protocols(["h2", "http/1.1"])
    asked: list[str | None] = []
    context.sni_callback = lambda _connection, name, _context: asked.append(name)
    documents = mesh(pki.policy(), portMapping={"port": 80, "protocol": protocol})
    async with (
        tls_backend(context) as books,
        tls_gateway(*documents, folder=pki.folder, backends={HOST: books.port}) as shop,
    ):
        await shop.ask(8080)
        await eventually(lambda: books.agreed)
    assert books.agreed == {agreed}
    assert set(asked) == {HOST}


@pytest.mark.parametrize("speaks", [True, False])
async def test_health_checks_speak_what_requests_speak(pki: Pki, speaks: bool) -> None:
    check = {
        "healthyThreshold": 2,
        "unhealthyThreshold": 2,
        "intervalMillis": 5000,
        "timeoutMillis": 2000,
        "protocol": "http",
        "path": "/",
    }
    documents = mesh(pki.policy(), healthCheck=check)
    context = pki.server(pki.authority.issue(HOST) if speaks else None)
    name = "cluster.cds_egress_mesh_books_shop_http_80"
    async with (
        tls_backend(context) as books,
        tls_gateway(*documents, folder=pki.folder, backends={HOST: books.port}) as shop,
    ):
        result = "success" if speaks else "failure"
        await eventually(lambda: shop.envoy.counter(f"{name}.health_check.{result}"))
        assert await shop.envoy.counter(f"{name}.membership_healthy") == int(speaks)
        assert await shop.ask(8080) == (200 if speaks else 503)

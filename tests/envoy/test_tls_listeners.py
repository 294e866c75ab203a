"""TLS of gateway listeners, as clients meet it."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.graph.links.certificates import CertificateMap
from pointsman.resources.kinds.tls import FileCertificate
from tests.support.certificates import Authority
from tests.support.manifests import (
    MESH,
    Document,
    gateway,
    gateway_route,
    node,
    route,
    router,
    service,
)
from tests.support.sds import LocalSds, authorities, certificate, local_sds
from tests.support.tls import REFUSED, TlsGateway, tls_backend, tls_gateway, trusting
from tests.support.wait import eventually

pytestmark = pytest.mark.envoy
PORT = 8443


def mesh(tls: Document, **listener: Any) -> tuple[Document, ...]:
    """A gateway with one TLS listener, in front of a plaintext backend at books.test."""
    mapped = {"portMapping": {"port": PORT, "protocol": "http"}, "tls": tls, **listener}
    return (
        MESH,
        gateway(listeners=[mapped]),
        node("books", 80),
        service("books", node="books"),
        gateway_route("books", {"prefix": "/"}, "books"),
    )


class Pki:
    """Authorities and files of one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers = Authority("servers")
        self.files = self.servers.issue("shop.test").write(self.sub("server"))
        self.ca = self.servers.write(self.sub("ca"))

    def sub(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made

    def client(self, name: str, authority: Authority | None, *names: str) -> ssl.SSLContext:
        """A client that trusts the servers and shows a certificate of an authority."""
        if authority is None:
            return trusting(self.ca)
        return trusting(self.ca, authority.issue(*names).write(self.sub(name)))


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path)


@pytest.mark.parametrize("wire", ["delta", "sotw"])
async def test_a_strict_listener_takes_tls_only(pki: Pki, wire: Any) -> None:
    documents = mesh({"mode": "STRICT", "certificate": pki.files.manifest})
    async with (
        tls_backend(None) as books,
        tls_gateway(
            *documents, folder=pki.folder, backends={"books.test": books.port}, wire=wire
        ) as shop,
    ):
        assert await shop.ask(PORT, trusting(pki.ca)) == 200
        assert await shop.ask(PORT) == REFUSED
        stranger = Authority("strangers").write(pki.sub("stranger"))
        assert await shop.ask(PORT, trusting(stranger)) == REFUSED
    assert books.seen == {"plaintext": 1}


async def test_a_permissive_listener_takes_both(pki: Pki) -> None:
    documents = mesh({"mode": "PERMISSIVE", "certificate": pki.files.manifest})
    async with (
        tls_backend(None) as books,
        tls_gateway(*documents, folder=pki.folder, backends={"books.test": books.port}) as shop,
    ):
        assert await shop.ask(PORT, trusting(pki.ca)) == 200
        assert await shop.ask(PORT) == 200


async def test_a_disabled_block_is_plaintext(pki: Pki) -> None:
    documents = mesh({"mode": "DISABLED", "certificate": pki.files.manifest})
    async with (
        tls_backend(None) as books,
        tls_gateway(*documents, folder=pki.folder, backends={"books.test": books.port}) as shop,
    ):
        assert await shop.ask(PORT) == 200
        assert await shop.ask(PORT, trusting(pki.ca)) == REFUSED


async def test_files_stand_for_a_certificate_of_aws(pki: Pki) -> None:
    arn = "arn:aws:acm:x:1:certificate/a"
    documents = mesh({"mode": "STRICT", "certificate": {"acm": {"certificateARN": arn}}})
    files = FileCertificate(certificate_chain=str(pki.files.chain), private_key=str(pki.files.key))
    async with (
        tls_backend(None) as books,
        tls_gateway(
            *documents,
            folder=pki.folder,
            backends={"books.test": books.port},
            certificates=CertificateMap({arn: files}),
        ) as shop,
    ):
        assert await shop.ask(PORT, trusting(pki.ca)) == 200


@pytest.mark.parametrize("accepted", [None, ["cart.test"], ["spiffe://mesh/cart"]])
async def test_clients_must_show_a_certificate(pki: Pki, accepted: list[str] | None) -> None:
    ours, theirs = Authority("clients"), Authority("others")
    validation: dict[str, Any] = {
        "trust": {"file": {"certificateChain": str(ours.write(pki.sub("clients")))}}
    }
    if accepted is not None:
        validation["subjectAlternativeNames"] = {"match": {"exact": accepted}}
    tls = {"mode": "STRICT", "certificate": pki.files.manifest, "validation": validation}
    named = pki.client("named", ours, "cart.test", "spiffe://mesh/cart")
    expired = trusting(pki.ca, ours.issue("cart.test", days=-1).write(pki.sub("expired")))
    async with (
        tls_backend(None) as books,
        tls_gateway(*mesh(tls), folder=pki.folder, backends={"books.test": books.port}) as shop,
    ):
        assert await shop.ask(PORT, named) == 200
        assert await shop.ask(PORT, pki.client("none", None)) == REFUSED
        foreign = pki.client("foreign", theirs, "cart.test", "spiffe://mesh/cart")
        assert await shop.ask(PORT, foreign) == REFUSED
        assert await shop.ask(PORT, expired) == REFUSED
        other = pki.client("other", ours, "*.test", "spiffe://mesh/other")
        assert await shop.ask(PORT, other) == (200 if accepted is None else REFUSED)
        assert await shop.ask(PORT) == REFUSED


async def test_secrets_come_from_a_local_service(pki: Pki) -> None:
    clients = Authority("clients")
    tls = {
        "mode": "STRICT",
        "certificate": {"sds": {"secretName": "front"}},
        "validation": {"trust": {"sds": {"secretName": "bundle"}}},
    }
    first, second = pki.servers.issue("shop.test"), Authority("later").issue("shop.test")
    client = pki.client("client", clients)
    async with local_sds(pki.folder) as sds:
        await _put(sds, first.chain, first.key, clients)
        async with (
            tls_backend(None) as books,
            tls_gateway(*mesh(tls), folder=pki.folder, backends={"books.test": books.port}) as shop,
        ):
            assert await shop.ask(PORT, client) == 200
            assert await shop.ask(PORT, trusting(pki.ca)) == REFUSED
            await _put(sds, second.chain, second.key, clients)
            # What the client does not trust is what the service has given since.
            await eventually(lambda: _is_refused(shop, client), what="the new certificate")


async def _put(sds: LocalSds, chain: bytes, key: bytes, clients: Authority) -> None:
    await sds.put(certificate("front", chain, key), authorities("bundle", clients.pem))


async def _is_refused(shop: TlsGateway, client: ssl.SSLContext) -> bool:
    return await shop.ask(PORT, client) == REFUSED


POOL = {"connectionPool": {"http": {"maxConnections": 10}}}


@pytest.mark.parametrize("pool", [{}, POOL], ids=["plain", "pooled"])
@pytest.mark.parametrize("rewrite", [{}, {"rewrite": {"prefix": {"value": "/x/"}}}])
async def test_routes_may_ask_for_the_scheme(
    pki: Pki, pool: dict[str, Any], rewrite: dict[str, Any]
) -> None:
    """By regex the router's route needs the second pass behind a rewritten prefix."""
    tls = {"mode": "PERMISSIVE", "certificate": pki.files.manifest}
    match = {"path": {"regex": ".*"}, "scheme": "https"}
    documents = (
        *mesh(tls, **pool)[:3],
        service("books", router="books"),
        router("books", route("secure", match, ("books", 1))),
        gateway_route("books", {"prefix": "/"}, "books", **rewrite),
    )
    async with (
        tls_backend(None) as books,
        tls_gateway(*documents, folder=pki.folder, backends={"books.test": books.port}) as shop,
    ):
        assert await shop.ask(PORT, trusting(pki.ca)) == 200
        assert await shop.ask(PORT) == 404


def _alpn(protocols: list[str], pki: Pki) -> ssl.SSLContext:
    context = trusting(pki.ca)
    context.set_alpn_protocols(protocols)
    return context


@pytest.mark.parametrize(
    ("protocol", "offered", "chosen"),
    [
        ("http", ["h2", "http/1.1"], "h2"),
        ("http", ["http/1.1"], "http/1.1"),
        ("http2", ["h2", "http/1.1"], "h2"),
        ("grpc", ["h2"], "h2"),
    ],
)
async def test_the_protocol_is_agreed_upon(
    pki: Pki, protocol: str, offered: list[str], chosen: str
) -> None:
    tls = {"mode": "STRICT", "certificate": pki.files.manifest}
    documents = mesh(tls, portMapping={"port": PORT, "protocol": protocol})
    async with tls_gateway(*documents, folder=pki.folder) as shop:
        assert await shop.agreed(PORT, _alpn(offered, pki)) == (chosen, "TLSv1.3")
        old = _alpn(offered, pki)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert await shop.agreed(PORT, old) == (chosen, "TLSv1.2")


@pytest.fixture(autouse=True)
def short(tmp_path: Path) -> Iterator[None]:
    """Unix sockets take 107 bytes of a path."""
    assert len(str(tmp_path)) < 90
    yield

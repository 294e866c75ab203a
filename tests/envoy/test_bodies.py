"""Bodies that are compared with an OpenAPI document, through Envoy and the control plane."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pointsman.access.check import check_handlers
from pointsman.access.introspection import Introspector
from pointsman.bodies.service import Bodies
from pointsman.envoy import names
from pointsman.envoy.filters.schemas import DOCUMENT
from pointsman.graph.guarded import body_schemas
from pointsman.xds.admission import Anyone
from pointsman.xds.server import AdsServer
from tests.envoy.test_access_keys import DIRECT, ROUTED, TWICE
from tests.envoy.test_hygiene import ask, hygiene, raw
from tests.support.authz import point_at
from tests.support.gateway import Running
from tests.support.http1 import Answer
from tests.support.instrument import Messages
from tests.support.manifests import Document
from tests.support.openapi import document
from tests.support.scenes import linked, serving, serving_with
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.envoy
JSON = ("content-type", "application/json")
PET, CAT = b'{"name": "rex"}', b'{"name": "Rex"}'


@pytest.fixture
async def backend() -> AsyncIterator[Upstream]:
    async with upstream() as found:
        yield found


def api(base: str = "", **more: Any) -> dict[str, Any]:
    found = document(servers=[{"url": f"https://shop.example{base}"}])
    return {"document": json.dumps(found), **more}


@asynccontextmanager
async def comparing(
    bodies: Bodies, *documents: Document, backend: Upstream
) -> AsyncIterator[Running]:
    """A gateway whose control plane compares bodies."""
    bodies.follow(body_schemas(linked(*documents, books=backend.port).graph))
    others = {DOCUMENT: bodies.answer}
    server = AdsServer(lambda _: None, services=(check_handlers(Introspector(), Anyone(), others),))
    address = await server.start("127.0.0.1:0")

    def change(messages: Messages) -> None:
        point_at(messages, names.XDS_CLUSTER, int(address.rpartition(":")[2]))

    try:
        async with serving_with(change, *documents, books=backend.port) as envoy:
            yield envoy
    finally:
        await server.stop(0)


async def post(envoy: Running, content: bytes, *headers: tuple[str, str]) -> Answer:
    return await ask(envoy, "/shop/pets", *(headers or (JSON,)), method="POST", body=content)


@pytest.mark.parametrize("scene", [DIRECT, ROUTED, TWICE], ids=["direct", "routed", "two passes"])
async def test_bodies_are_as_the_document_says_or_are_refused(
    backend: Upstream, scene: tuple[Document, ...]
) -> None:
    guard = hygiene(openapi=api("/shop"))
    async with comparing(Bodies(), *scene, guard, backend=backend) as envoy:
        assert (await post(envoy, PET)).status == 200
        refused = await post(envoy, CAT)
        packed = gzip.compress(PET)
        assert (await post(envoy, packed, JSON, ("content-encoding", "gzip"))).status == 415
        assert (await post(envoy, PET, ("content-type", "text/plain"))).status == 415
        assert (await post(envoy, b"")).status == 400
        assert (await ask(envoy, "/shop/a")).status == 200
    assert refused.status == 400
    assert refused.header("content-type") == "application/problem+json"
    told = json.loads(refused.body)
    assert told["errors"] == [{"at": "/name", "detail": 'the value does not match "^[a-z]+$"'}]
    assert "Rex" not in str(refused.body)
    assert len(backend.seen) == 2


async def test_bodies_in_chunks_are_compared_as_a_whole_and_long_ones_are_refused(
    backend: Upstream,
) -> None:
    guard = hygiene(openapi=api("/shop"), maxBodyBytes=100)
    head = (
        b"POST /shop/pets HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n"
        b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    async with comparing(Bodies(), *DIRECT, guard, backend=backend) as envoy:
        for content, expected in ((PET, b"200"), (CAT, b"400"), (PET + b" " * 90, b"413")):
            chunks = b"".join(
                b"%x\r\n%b\r\n" % (len(part), part) for part in (content[:5], content[5:]) if part
            )
            answer = await raw(envoy, head + chunks + b"0\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 " + expected), content


async def test_a_gateway_route_has_a_document_of_its_own(backend: Upstream) -> None:
    inner = hygiene("GatewayRoute/books", "inner", openapi=api("/other", unknown="refuse"))
    outer = hygiene(openapi=api("/shop"))
    async with comparing(Bodies(), *DIRECT, outer, inner, backend=backend) as envoy:
        assert (await post(envoy, CAT)).status == 404
        answer = await ask(envoy, "/other/pets", JSON, method="DELETE", body=CAT)
        assert answer.status == 405


async def test_another_document_counts_from_the_moment_it_is_known(backend: Upstream) -> None:
    guard, bodies = hygiene(openapi=api("/shop")), Bodies()
    async with comparing(bodies, *DIRECT, guard, backend=backend) as envoy:
        assert (await post(envoy, CAT)).status == 400
        # Proxies that still ask by the old one get no answer that could be wrong.
        fresh = hygiene(openapi=api("/else"))
        bodies.follow(body_schemas(linked(*DIRECT, fresh, books=backend.port).graph))
        assert (await post(envoy, PET)).status == 503


@pytest.mark.parametrize(("away", "expected"), [({}, 503), ({"whenAway": "allow"}, 200)])
async def test_without_the_control_plane_bodies_are_refused_or_pass(
    backend: Upstream, away: dict[str, str], expected: int
) -> None:
    guard = hygiene(openapi=api("/shop", **away))
    async with serving(*DIRECT, guard, books=backend.port) as envoy:
        assert (await post(envoy, CAT)).status == expected

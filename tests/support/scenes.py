"""Small meshes for tests that bring backends of their own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pointsman.graph.link import LinkResult, link
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key
from tests.support.gateway import Running, running
from tests.support.instrument import Messages
from tests.support.manifests import NAMESPACE, Document, resources


def linked(*documents: Document, **ports: int) -> LinkResult:
    """Links documents; nodes named by keyword are found at a port of 127.0.0.1."""
    written = resources(documents)
    given = {
        (key, listener.port_mapping.port): Address("127.0.0.1", ports[key.name])
        for key, node in written.of("VirtualNode").items()
        if key.name in ports
        for listener in node.spec.listeners
    }
    return link(written, GivenEndpoints(by_node=given))


def key(kind: str, name: str) -> Key:
    """A key in the namespace that tests are in."""
    return Key(kind, NAMESPACE, name)


@asynccontextmanager
async def serving(*documents: Document, **ports: int) -> AsyncIterator[Running]:
    """Runs a gateway in front of real backends."""
    with running(linked(*documents, **ports).graph, echo=False) as envoy:
        yield envoy


@asynccontextmanager
async def serving_with(
    change: Callable[[Messages], None], *documents: Document, **ports: int
) -> AsyncIterator[Running]:
    """The same, with a last change of the messages."""
    with running(linked(*documents, **ports).graph, echo=False, change=change) as envoy:
        yield envoy

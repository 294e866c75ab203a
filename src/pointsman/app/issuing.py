"""Certificates for the proxies of a running instance, from the mesh's own authority."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pointsman.control.compile import Proxy
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.sidecar import Sidecar
from pointsman.identity.ca import Authority
from pointsman.identity.folder import open_authority
from pointsman.identity.rotation import Identities, Subject
from pointsman.identity.secrets import with_secrets
from pointsman.xds.snapshot import Snapshot


def read_authority(folder: Path | None, trust_domain: str | None = None) -> Authority:
    """The authority kept in a folder, or one that lasts as long as this process.

    Raises:
        IdentityError: the folder cannot be used.
    """
    now = datetime.now(UTC)
    if folder is not None:
        return open_authority(folder, now, trust_domain)
    if trust_domain is not None:
        return Authority.in_memory(now, trust_domain)
    return Authority.in_memory(now)


class Issuing:
    """Issues and renews certificates, as far as any policy asks for them.

    Use it as a context manager: certificates are renewed as long as it is open.

    Args:
        authority: who issues.
    """

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self._identities = Identities(authority, self._renewed)
        self._listener: Callable[[frozenset[str]], None] = lambda _node_ids: None
        self._needed = False
        self._task: asyncio.Task[None] | None = None

    def on_change(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Tells `listener` the node ids whose secrets are new."""
        self._listener = listener

    def want(self, graph: Graph) -> None:
        """Sets for whom certificates are issued: everybody, or nobody where no policy asks."""
        self._needed = graph.identities
        proxies = graph.proxies.values() if graph.identities else ()
        self._identities.want(
            Subject(proxy.node_id, _names(proxy), (proxy.key,)) for proxy in proxies
        )

    def finish(self, proxy: Proxy, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the proxy's certificate, where certificates are needed."""
        if not self._needed:
            return snapshot
        return with_secrets(snapshot, self._identities.secrets(proxy.node_id))

    def _renewed(self, node_ids: frozenset[str]) -> None:
        self._listener(node_ids)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._identities.run(), name="identities")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])


def _names(proxy: Proxy) -> tuple[str, ...]:
    return (proxy.hostname,) if isinstance(proxy, Sidecar) and proxy.hostname else ()

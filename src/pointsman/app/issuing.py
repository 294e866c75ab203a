"""Certificates for the proxies of a running instance, from the mesh's own authority."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pointsman.aio.endless import endless
from pointsman.app.authority_folder import follow_authority
from pointsman.control.compile import Proxy
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.sidecar import Sidecar
from pointsman.identity.ca import Authority
from pointsman.identity.folder import open_authority
from pointsman.identity.rotation import Identities, Subject
from pointsman.identity.secrets import with_secrets
from pointsman.resources.codes import identity as codes
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem
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

    Use it as a context manager: certificates are renewed, and the authority's folder is followed,
    as long as it is open.

    Args:
        authority: who issues.
        folder: where the authority is kept, if anywhere.
        withheld: why nobody may be given a key; "" when they may.
        restarts: whether proxies outlive this process, and with it an authority in memory.
    """

    def __init__(
        self,
        authority: Authority,
        folder: Path | None = None,
        *,
        withheld: str = "",
        restarts: bool = False,
    ) -> None:
        self._identities = Identities(authority, self._renewed)
        self._folder = folder
        self._withheld = withheld
        self._is_fleeting = restarts and folder is None
        self._listener: Callable[[frozenset[str]], None] = lambda _node_ids: None
        self._needed = False
        self._keys: dict[str, Key] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def authority(self) -> Authority:
        """Who issues now."""
        return self._identities.authority

    @property
    def certificates(self) -> dict[Key, tuple[float, float]]:
        """From when and until when certificates are good, in seconds since 1970."""
        return {
            self._keys[node_id]: (current.begin.timestamp(), current.end.timestamp())
            for node_id, current in self._identities.current.items()
            if node_id in self._keys
        }

    @property
    def authority_end(self) -> float | None:
        """Until when the authority is good; None where it renews itself or nobody needs it."""
        needed = self._needed and not self.authority.renews
        return self.authority.signer.end.timestamp() if needed else None

    def on_change(self, listener: Callable[[frozenset[str]], None]) -> None:
        """Tells `listener` the node ids whose secrets are new."""
        self._listener = listener

    def want(self, graph: Graph) -> None:
        """Sets for whom certificates are issued: everybody, or nobody where no policy asks."""
        self._needed = graph.identities
        given = graph.identities and not self._withheld
        proxies = tuple(graph.proxies.values()) if given else ()
        self._keys = {proxy.node_id: proxy.key for proxy in proxies}
        self._identities.want(
            Subject(proxy.node_id, _names(proxy), (proxy.key,)) for proxy in proxies
        )

    def finish(self, proxy: Proxy, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the proxy's certificate, where certificates are needed.

        Where they are withheld only the roots are in it, which are no secret.
        """
        if not self._needed:
            return snapshot
        return with_secrets(snapshot, self._identities.secrets(proxy.node_id))

    def problems(self) -> Iterator[Problem]:
        """What keeps proxies from having certificates, and what will."""
        if not self._needed:
            return
        if self._withheld:
            hint = "use TLS with --client-ca or join tokens, or a Unix socket"
            yield Problem(codes.WITHHELD, f"no proxy gets a certificate: {self._withheld}", hint)
            return
        for node_id, reason in sorted(self._identities.failures.items()):
            message = f"no new certificate for {node_id}: {reason}"
            yield Problem(codes.NOT_ISSUED, message, key=self._keys.get(node_id))
        if self._is_fleeting:
            message = "the mesh's certificate authority is kept nowhere"
            yield Problem(codes.FLEETING, message, "name a folder for it: --identity FOLDER")

    def _renewed(self, node_ids: frozenset[str]) -> None:
        self._listener(node_ids)

    async def __aenter__(self) -> Self:
        self._begin(self._identities.run, "identities")
        if self._folder is not None:
            folder = self._folder

            async def follow() -> None:
                await follow_authority(folder, lambda: self.authority, self._identities.use)

            self._begin(follow, "authority")
        return self

    def _begin(self, run: Callable[[], Awaitable[None]], name: str) -> None:
        self._tasks.append(asyncio.create_task(endless(run, name), name=name))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


def _names(proxy: Proxy) -> tuple[str, ...]:
    return (proxy.hostname,) if isinstance(proxy, Sidecar) and proxy.hostname else ()

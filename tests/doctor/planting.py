"""A mesh that runs in this process, in which faults are planted one after the other."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pointsman.api.client import Client
from pointsman.api.instances import find_instance
from pointsman.app.access import StateOptions
from pointsman.app.instance import Instance
from pointsman.app.options import Move, UpOptions
from pointsman.settings import Settings
from tests.support.certificates import Authority
from tests.support.http1 import Answer
from tests.support.http1 import Client as Browser
from tests.support.tls import free_port, showing, tls_backend
from tests.support.upstream import Seen, always, upstream

PORT: Final = 8088


@dataclass
class View:
    """Notes when a change is live; tells nothing else."""

    changed_: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self, _published: object) -> None:
        self.changed_.set()

    def failed(self, _error: object) -> None:
        self.changed_.set()

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args: None


@dataclass
class Planted:
    """The mesh.

    Attributes:
        file: its manifests.
        ports: of backends, by how they behave.
        addresses: what proxies listen on, by the name of their gateway or node.
        since: when the last manifests were applied, in seconds since 1970.
    """

    file: Path
    runtime: Path
    view: View
    ports: Mapping[str, int]
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: float = 0.0

    async def apply(self, text: str) -> None:
        """Makes manifests live; what is seen from now on counts."""
        self.since = time.time()
        if text == self.file.read_text():
            return
        self.view.changed_.clear()
        self.file.write_text(text)
        async with asyncio.timeout(20):
            await self.view.changed_.wait()

    async def send(self, ask: "Ask") -> list[Answer | None]:
        """Sends requests, each over a connection of its own; None where no answer came."""
        if ask.by not in self.addresses:
            self.addresses = await asyncio.to_thread(_addresses, self.runtime)
        host, _, port = self.addresses[ask.by][-1].rpartition(":")

        async def one() -> Answer | None:
            async with Browser(int(port), host=host) as browser:
                try:
                    async with asyncio.timeout(ask.patience_s):
                        return await browser.ask(
                            ask.method, ask.path, ask.host, ask.headers, ask.body
                        )
                except (OSError, asyncio.IncompleteReadError):
                    return None

        if ask.at_once:
            return list(await asyncio.gather(*(one() for _ in range(ask.count))))
        return [await one() for _ in range(ask.count)]

    async def findings(self) -> list[dict[str, Any]]:
        """What doctor says of all since manifests were applied."""

        def asked() -> list[dict[str, Any]]:
            with Client(find_instance(self.runtime), timeout_s=30) as client:
                found: list[dict[str, Any]] = client.doctor(
                    max(time.time() - self.since, 0.001), None
                ).known["findings"]
                return found

        return await asyncio.to_thread(asked)


@dataclass(frozen=True)
class Ask:
    """Requests that show a fault.

    Attributes:
        count: how many.
        at_once: whether none waits for another one's answer.
        by: the gateway that is asked, or the node whose application asks its own proxy.
        patience_s: seconds after which the client leaves.
    """

    path: str = "/"
    count: int = 5
    host: str = "shop.example"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    at_once: bool = False
    by: str = "edge"
    patience_s: float = 20.0


async def _sluggish(_seen: Seen) -> int:
    await asyncio.sleep(0.4)
    return 200


async def _late(_seen: Seen) -> int:
    await asyncio.sleep(1.2)
    return 200


async def _never(_seen: Seen) -> int:
    await asyncio.Event().wait()
    return 200


async def _leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


async def _breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nand so")
    await writer.drain()
    writer.close()


def _moody() -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """Leaves two connections of three."""
    count = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if next(count) % 3 == 2:
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            await writer.drain()
        writer.close()

    return serve


async def _babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"220 mail.example ready\r\n")
    await writer.drain()
    writer.close()


@asynccontextmanager
async def _backends(folder: Path) -> AsyncIterator[dict[str, int]]:
    """Backends by how they behave."""
    good, other = Authority("good"), Authority("other")
    good.write(folder)
    async with AsyncExitStack() as stack:
        ports = {"closed": free_port()}
        replies = {
            "good": always(200),
            "other": always(200),
            "failing": always(500),
            "lost": always(404),
            "busy": always(503),
            "sluggish": _sluggish,
            "late": _late,
            "never": _never,
        }
        for name, reply in replies.items():
            ports[name] = (await stack.enter_async_context(upstream(reply))).port
        for name, serve in (
            ("leaving", _leaves),
            ("moody", _moody()),
            ("breaking", _breaks_off),
            ("babbling", _babbles),
        ):
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            stack.callback(server.close)
            ports[name] = server.sockets[0].getsockname()[1]
        for name, leaf in (
            ("expired", good.issue("cart.example", days=-1)),
            ("strange", other.issue("cart.example")),
            ("renamed", good.issue("basket.example")),
            ("secure", good.issue("cart.example")),
        ):
            (folder / name).mkdir()
            context = showing(leaf.write(folder / name))
            ports[name] = (await stack.enter_async_context(tls_backend(context))).port
        ports["plain"] = (await stack.enter_async_context(tls_backend(None))).port
        clients = Authority("clients").write(_made(folder / "clients"))
        context = showing(good.issue("cart.example").write(_made(folder / "picky")), clients)
        ports["picky"] = (await stack.enter_async_context(tls_backend(context))).port
        yield ports


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@asynccontextmanager
async def planted(folder: Path, text: str, *, mesh: bool = False) -> AsyncIterator[Planted]:
    """Runs manifests.

    Args:
        folder: where files are written.
        text: manifests to begin with.
        mesh: whether every node gets its own proxy, too.
    """
    async with _backends(folder) as ports:
        file, runtime = folder / "mesh.yaml", folder / "run"
        file.write_text(text)
        view = View()
        options = UpOptions(
            (str(file),),
            state=StateOptions(f"sqlite:///{folder}/state.db", folder / "master.key"),
            moves=(Move(None, PORT, 0),),
            concurrency=1,
            drain_s=0.1,
            mesh=mesh,
        )
        settings = Settings(None, no_color=True, runtime_folder=runtime, state_folder=folder)
        instance = Instance(options, settings, view)
        stop = asyncio.Event()
        task = asyncio.create_task(instance.run(stop))
        try:
            while not instance.serves:
                assert not task.done(), task.exception()
                await asyncio.sleep(0.05)
            yield Planted(file, runtime, view, ports)
        finally:
            stop.set()
            await task


def _addresses(runtime: Path) -> dict[str, tuple[str, ...]]:
    with Client(find_instance(runtime)) as client:
        return {item.gateway.rpartition("/")[2]: item.addresses for item in client.status().proxies}

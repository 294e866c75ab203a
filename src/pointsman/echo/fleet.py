"""Demo backends for virtual nodes that have none, in a process of their own.

A process of their own, because whatever a demo does must not delay the control plane. It ends when
its standard input does, so it cannot outlive its parent, however that one ends.
"""

import asyncio
import contextlib
import sys
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.wire import Ensure, Listening, Protocol, decode_listening, encode
from pointsman.errors import PointsmanError

ANSWER_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True)
class _Open:
    protocol: Protocol
    behaviour: EchoBehaviour
    proxy: str
    address: tuple[str, int]


class EchoFleet:
    """All demo backends of one run. Use it as a context manager, or call `stop` at the end.

    The process is started with the first backend.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Listening]] = {}
        self._open: dict[tuple[str, str, int], _Open] = {}
        self._asked = 0

    async def ensure(
        self,
        name: str,
        namespace: str,
        port: int,
        protocol: Protocol,
        behaviour: EchoBehaviour | None = None,
        proxy: str = "",
    ) -> tuple[str, int]:
        """Where the backend for a virtual node's port listens; it is opened if need be.

        Called again for the same node and port, the answer is the same and the behaviour becomes
        the new one; only another protocol opens another port, except between http and http2,
        which every such backend speaks both. After the death of the process every backend is
        opened anew as it is asked for.

        Args:
            name: the virtual node.
            namespace: its namespace.
            port: the port it declares.
            protocol: what it declares to speak.
            behaviour: how it answers; plainly if None.
            proxy: `host:port` of the HTTP proxy through which it calls others; "" for none.

        Raises:
            PointsmanError: the process ends or does not answer, or cannot open the backend.
        """
        wanted = behaviour or EchoBehaviour()
        key = (namespace, name, port)
        known = None if self._has_died() else self._open.get(key)
        asked = (protocol, wanted, proxy)
        if known is not None and (known.protocol, known.behaviour, known.proxy) == asked:
            return known.address
        answer = await self._ask(name, namespace, port, protocol, wanted, proxy)
        if answer.error:
            raise PointsmanError(f"no demo backend for {namespace}/{name}: {answer.error}")
        address = (answer.host, answer.port)
        self._open[key] = _Open(protocol, wanted, proxy, address)
        return address

    async def stop(self) -> None:
        """End the process and with it all backends; harmless when there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if self._reader is not None:
                await self._reader
            self._open.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _ask(
        self,
        name: str,
        namespace: str,
        port: int,
        protocol: Protocol,
        behaviour: EchoBehaviour,
        proxy: str,
    ) -> Listening:
        orders = await self._orders()
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[Listening] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            order = Ensure(number, name, namespace, port, protocol, behaviour, proxy)
            orders.write(encode(order))
            await orders.drain()
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return await answer
        except (ConnectionError, TimeoutError):
            raise PointsmanError("the demo backends' process does not answer") from None
        finally:
            self._waiting.pop(number, None)

    async def _orders(self) -> asyncio.StreamWriter:
        async with self._starting:
            if self._has_died():
                await self.stop()
            if self._process is None:
                self._process = await _start()
                self._reader = asyncio.create_task(self._read_answers(self._process))
            assert self._process.stdin is not None
            return self._process.stdin

    def _has_died(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    async def _read_answers(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            answer = decode_listening(line)
            waiting = self._waiting.get(answer.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(PointsmanError("the demo backends' process has ended"))


async def _start() -> asyncio.subprocess.Process:
    # -P: a file of the user's folder must not stand in for a module. The session of its own keeps
    # Ctrl-C in a terminal away, so that backends outlast the proxy's drain.
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "pointsman.echo"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise PointsmanError(f"cannot start the demo backends: {error.strerror}") from None

"""The child process of the demo: opens backends as it is told, until its input ends."""

import asyncio
import os
import resource
import sys
from typing import BinaryIO, Final

from pointsman.echo.backend import Backend, Listener
from pointsman.echo.http_server import HttpListener
from pointsman.echo.tcp_server import TcpListener
from pointsman.echo.wire import Ensure, Listening, Protocol, decode_ensure, encode

HOST: Final = "127.0.0.1"


class EchoServer:
    """All backends of one fleet."""

    def __init__(self) -> None:
        self._backends: dict[tuple[str, str, int], tuple[str, Backend, Listener]] = {}

    async def ensure(self, wanted: Ensure) -> Listening:
        """Open the backend, or give the open one its new behaviour."""
        key = (wanted.namespace, wanted.name, wanted.port)
        family = _family(wanted.protocol)
        known = self._backends.get(key)
        if known is not None and known[0] == family:
            known[1].behaviour, known[1].proxy = wanted.behaviour, wanted.proxy
            return Listening(wanted.id, HOST, known[2].port)
        backend = Backend(
            wanted.name, wanted.namespace, wanted.port, wanted.behaviour, wanted.proxy
        )
        try:
            listener = await _open(family, backend)
        except OSError as error:
            return Listening(wanted.id, error=f"cannot listen: {error}")
        self._backends[key] = (family, backend, listener)
        if known is not None:
            await known[2].close()
        return Listening(wanted.id, HOST, listener.port)


def _family(protocol: Protocol) -> str:
    return "http" if protocol == "http2" else protocol


async def _open(family: str, backend: Backend) -> Listener:
    if family == "tcp":
        return await TcpListener.open(backend)
    if family == "grpc":
        # Most demos have no gRPC, and importing it is half of this process's start.
        from pointsman.echo.grpc_server import GrpcListener  # noqa: PLC0415

        return await GrpcListener.open(backend)
    return await HttpListener.open(backend)


async def serve_until_input_ends(answers: BinaryIO) -> None:
    """Carry out the orders on standard input, writing the answers to `answers`."""
    server = EchoServer()
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin.buffer
    )
    while line := await orders.readline():
        answers.write(encode(await server.ensure(decode_ensure(line))))
        answers.flush()


def main() -> None:
    """Run the child. It ends without ceremony: whoever closed its input wants no more answers."""
    # What a library prints must not come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # A thousand backends with connections of a proxy are more than the customary 1,024.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_run(answers))


async def _run(answers: BinaryIO) -> None:
    try:
        await serve_until_input_ends(answers)
    finally:
        # Shutting a thousand servers down gracefully takes seconds, and nothing is to be saved.
        os._exit(0)

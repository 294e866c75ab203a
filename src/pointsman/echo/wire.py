"""What the fleet and its child process say to each other: one JSON object a line.

The parent asks on the child's standard input, the child answers on its standard output, in any
order. The end of the input is the order to end.
"""

import dataclasses
import json
from dataclasses import dataclass
from typing import Literal

from pointsman.echo.behaviour import EchoBehaviour

Protocol = Literal["http", "http2", "grpc", "tcp"]


@dataclass(frozen=True)
class Ensure:
    """Have a backend, listening and with this behaviour.

    Attributes:
        id: number of the request, repeated in the answer.
        name: the virtual node.
        namespace: its namespace.
        port: the port the virtual node declares; the backend listens on another.
        protocol: what it speaks.
        behaviour: how it answers.
        proxy: `host:port` of the HTTP proxy through which it calls others; "" for none.
    """

    id: int
    name: str
    namespace: str
    port: int
    protocol: Protocol
    behaviour: EchoBehaviour
    proxy: str = ""


@dataclass(frozen=True)
class Listening:
    """The answer: where the backend listens, or why it does not.

    Attributes:
        id: number of the request.
        host: IP address.
        port: TCP port, or 0.
        error: one line, or "".
    """

    id: int
    host: str = ""
    port: int = 0
    error: str = ""


def encode(message: Ensure | Listening) -> bytes:
    """A message as a line, with its line end."""
    return json.dumps(dataclasses.asdict(message), separators=(",", ":")).encode() + b"\n"


def decode_ensure(line: bytes) -> Ensure:
    """The message of a line written by `encode`."""
    fields = json.loads(line)
    return Ensure(**(fields | {"behaviour": EchoBehaviour(**fields["behaviour"])}))


def decode_listening(line: bytes) -> Listening:
    """The message of a line written by `encode`."""
    return Listening(**json.loads(line))

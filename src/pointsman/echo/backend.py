"""One demo backend, whatever it speaks: who it is, how it behaves, what it answers."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pointsman.echo.behaviour import Dice, EchoBehaviour


class Listener(Protocol):
    """A server of one backend."""

    port: int
    """The TCP port it listens on, at 127.0.0.1."""

    async def close(self) -> None:
        """Listen no more and cut what is connected."""


@dataclass
class Backend:
    """A virtual node's port, played by the demo.

    Attributes:
        name: the virtual node.
        namespace: its namespace.
        declared_port: the port the virtual node declares.
        behaviour: how it answers from now on.
        proxy: `host:port` of the HTTP proxy through which it calls others; "" for none.
    """

    name: str
    namespace: str
    declared_port: int
    behaviour: EchoBehaviour
    proxy: str = ""
    dice: Dice = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Dice(f"{self.namespace}/{self.name}:{self.declared_port}")

    def echo(
        self, *, method: str, path: str, authority: str, headers: dict[str, str], protocol: str
    ) -> dict[str, Any]:
        """The JSON object that tells a client what reached which backend."""
        return {
            "virtualNode": self.name,
            "namespace": self.namespace,
            "method": method,
            "path": path,
            "authority": authority,
            "headers": headers,
            "protocol": protocol,
        }


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; values of a repeated one joined by ", " (RFC 9110, 5.3)."""
    result: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        result[key] = f"{result[key]}, {value}" if key in result else value
    return result


def padded(answer: dict[str, Any], length: int) -> bytes:
    """The answer as a line of JSON, brought to `length` bytes by a field `padding` if shorter."""
    body = json.dumps(answer).encode() + b"\n"
    missing = length - len(body)
    if missing <= 0:
        return body
    around = len(json.dumps(answer | {"padding": ""})) + 1
    return json.dumps(answer | {"padding": "x" * max(0, length - around)}).encode() + b"\n"

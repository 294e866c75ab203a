"""Addresses of virtual nodes in a run of `pointsman up --mesh`, and calls as their applications."""

import concurrent.futures
import http.client
import math
import threading
from collections import Counter
from collections.abc import Mapping

from tests.support.up import Answer, Up, ask


def reached(up: Up, node: str) -> str:
    """Where others reach a node, as `HOST:PORT`: its first listener."""
    return up.says(rf"^\S+/{node} +[a-z0-9]+://(\S+)").group(1)


def proxy(up: Up, node: str) -> str:
    """The HTTP proxy of a node's application, as `HOST:PORT`."""
    return up.says(rf"^\S+/{node} +\S+ +http://([^\s,]+)").group(1)


def dialled(up: Up, node: str, port: int) -> str:
    """Where a node's application connects to for a port of its backends, as `HOST:PORT`."""
    return f"{proxy(up, node).partition(':')[0]}:{port}"


def ask_as(
    up: Up, node: str, authority: str, path: str = "/", headers: Mapping[str, str] | None = None
) -> Answer:
    """A request of a node's application to an authority, through the node's proxy."""
    port = int(authority.rpartition(":")[2])
    return ask(dialled(up, node, port), path, {**(headers or {}), "host": authority})


def statuses(address: str, authority: str, number: int) -> Counter[int]:
    """Statuses of many requests, over a few connections that stay open."""
    host, _, port = address.rpartition(":")
    connections = threading.local()
    opened: list[http.client.HTTPConnection] = []

    def request(_: int) -> int:
        connection = getattr(connections, "own", None)
        if connection is None:
            connection = http.client.HTTPConnection(host, int(port), timeout=20)
            connections.own = connection
            opened.append(connection)
        connection.request("GET", "/", headers={"host": authority})
        response = connection.getresponse()
        response.read()
        return response.status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = Counter(pool.map(request, range(number)))
    for connection in opened:
        connection.close()
    return found


def within(count: int, number: int, share: float) -> bool:
    """Whether a count is what a share of `number` gives, but once in 10 million runs."""
    deviation = 5.3 * math.sqrt(share * (1 - share) * number)
    return abs(count - number * share) < deviation

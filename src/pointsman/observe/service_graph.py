"""Who calls whom: `/v1/graph` carries it, and `pointsman graph` shows it.

Callers are virtual gateways and the applications of virtual nodes; they call virtual services, and
services lead to virtual nodes. `service_links` finds that out; this is what it finds, and light
enough for commands that only show it.
"""

from typing import Literal

from pydantic.dataclasses import dataclass

from pointsman.observe.travel import TRAVELS, Form

Kind = Literal["gateway", "service", "node"]
Manner = Literal["http", "tcp", "mirror", "several"]
"""How a link is used: `several` is what one caller sends to one node by several services, or for
services that cannot be told any more; nobody can say which."""


@dataclass(frozen=True, slots=True, order=True, config=TRAVELS)
class Vertex:
    """A gateway, service or node.

    Attributes:
        kind: which of them.
        name: `namespace/name`.
    """

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class Numbers:
    """What was counted of a link.

    Attributes:
        requests: requests, or connections of TCP.
        failures: requests answered 5xx.
        p50: time in ms within which half of them were done; None without any.
        p99: the same of 99 in a hundred.
    """

    requests: int = 0
    failures: int = 0
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class Link:
    """Somebody who calls somebody.

    Attributes:
        source: who calls.
        target: who is called.
        manner: see `Manner`.
        percent: the node's share of what the service gets by its weights; None where its routes
            have several, or there is nothing to share.
        numbers: what was counted; None where nothing is.
    """

    source: Vertex
    target: Vertex
    manner: Manner = "http"
    percent: float | None = None
    numbers: Numbers | None = None


@dataclass(frozen=True, slots=True, kw_only=True, config=TRAVELS)
class ServiceGraph:
    """All links.

    Attributes:
        over: seconds the numbers are of; None where nothing was counted.
        vertices: everything there is, callers first, also what nobody calls.
        links: in the order of their sources and targets.
    """

    over: float | None = None
    vertices: tuple[Vertex, ...] = ()
    links: tuple[Link, ...] = ()


_FORM = Form(ServiceGraph)
graph_json = _FORM.json
parse_graph = _FORM.parse

"""Which way a recorded request took by the configuration of its time, and why no nearer one.

The route is the one the proxy told. What the manifests say of it is decided anew from what is
recorded; conditions on headers and on values of queries that are not recorded may then look
different, which is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pointsman.envoy import names
from pointsman.graph.call import decide_call
from pointsman.graph.intent import Intent, Rejected, Share, decide
from pointsman.graph.model.gateway import Gateway
from pointsman.graph.model.graph import Graph
from pointsman.graph.model.guards import NO_GUARDS, Guards
from pointsman.graph.model.sidecar import OWN_PORT, Sidecar
from pointsman.graph.request import Request as Asked
from pointsman.observe.explain_text import (
    limit_lines,
    rejected_table,
    route_words,
    rule_words,
    target_table,
)
from pointsman.observe.lines import Line, Piece, line
from pointsman.resources.key import Key
from pointsman.telemetry.requests import Request
from pointsman.xds.node_id import Directory

HTTP_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Decided:
    """What a graph says of a recorded request.

    Attributes:
        agrees: whether the route told by the proxy is the one decided here.
        intent: the decision at a gateway; None at a virtual node.
        share: the share it was of, where its route is among those decided.
        rejected: what was tried before.
        guards: what stood before the route.
    """

    agrees: bool
    intent: Intent | None
    share: Share | None
    rejected: tuple[Rejected, ...]
    guards: Guards = NO_GUARDS


def decided(request: Request, graph: Graph) -> Decided | None:
    """What a graph says of a request; None where it knows nothing of the proxy or the port."""
    proxy = Directory(graph.proxies.values()).find(request.node)
    asked = _asked(request)
    if isinstance(proxy, Gateway):
        return _at_gateway(request, asked, proxy)
    if isinstance(proxy, Sidecar) and request.way == "out":
        return _at_sidecar(request, asked, proxy)
    if isinstance(proxy, Sidecar):
        found = next((item for item in proxy.ingress if item.port == request.port), None)
        return None if found is None else Decided(True, None, None, (), found.guards)
    return None


def _at_gateway(request: Request, asked: Asked, gateway: Gateway) -> Decided | None:
    listener = next((item for item in gateway.listeners if item.port == request.port), None)
    if listener is None:
        return None
    intent = decide(gateway, listener, asked)
    if intent.rule is None:
        return Decided(not request.route, intent, None, intent.rejected)
    rule = intent.rule
    by_name = {names.route(rule, share.route): share for share in intent.shares}
    share = by_name.get(request.route)
    agrees = share is not None or request.route == names.route(rule, None)
    guards = intent.guards if share is None else share.guards
    return Decided(agrees, intent, share, intent.rejected, guards)


def _at_sidecar(request: Request, asked: Asked, sidecar: Sidecar) -> Decided:
    call = decide_call(sidecar, _called(request), asked)
    share = call.share
    name = ""
    if share is not None and share.route is not None:
        name = names.service_route(share.service, share.route)
    return Decided(name == request.route, None, share, call.rejected)


def _called(request: Request) -> int:
    """The port the application called; one that uses the proxy as its HTTP proxy names it."""
    port = request.authority.rpartition(":")[2]
    if request.port != OWN_PORT:
        return request.port
    return int(port) if port.isdecimal() else HTTP_PORT


def _asked(request: Request) -> Asked:
    headers = [item for item in request.headers if not item[0].startswith("response ")]
    if request.agent:
        headers.append(("user-agent", request.agent))
    return Asked(
        request.method,
        request.authority,
        request.path,
        tuple(headers),
        request.scheme or "http",
    )


def policies(found: Decided) -> tuple[Key, ...]:
    """The policies that stood before the route, and those that shaped it."""
    guards = found.guards
    keys = [item.policy for item in (guards.access, guards.limits) if item is not None]
    if found.share is not None and found.share.route is not None:
        keys += found.share.route.policies
    return tuple(dict.fromkeys(keys))


def decided_lines(request: Request, found: Decided) -> Iterator[Line]:
    """The decision for people."""
    if not found.agrees:
        yield line(
            "  decided by a header or a value of the query that is not recorded: without it, "
            "the manifests say"
        )
    if found.intent is not None and found.intent.rule is not None:
        yield line("  because ", *rule_words(found.intent))
    elif found.intent is not None:
        yield line("  because no gateway route matches")
    if found.share is not None:
        yield line("  and ", *route_words(found.share))
    if found.guards.access is not None:
        yield line("  before it stands ", *_policy(found.guards.access.policy), _verdict(request))
    if found.guards.limits is not None:
        used_up = ": used up" if "RL" in request.flags else ": not used up"
        yield line("  it is limited by ", *_policy(found.guards.limits.policy), used_up)
    if found.share is not None:
        yield from target_table((found.share,))
        yield from limit_lines((found.share,))
    yield from rejected_table(found.rejected)


def _policy(key: Key) -> tuple[str | Piece, ...]:
    return (f"{key.kind} ", Piece(key.path, "name"))


def _verdict(request: Request) -> str:
    if request.status in (401, 403) and request.details != "via_upstream":
        return ": refused"
    if request.consumer:
        by = f" by credential {request.credential}" if request.credential else ""
        return f": {request.consumer} may pass{by}"
    return ": let through"

"""What becomes of a request that an application sends: as JSON, and as a person would tell it."""

from collections.abc import Iterator
from typing import Any

from pointsman.envoy import names
from pointsman.graph.call import Call, Way
from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.tls import ClientTls
from pointsman.graph.request import Request
from pointsman.graph.tls import upstream_tls
from pointsman.observe.explain import (
    client_status,
    decision,
    endpoints,
    nearer_candidates,
    rejected_entry,
    target_entries,
)
from pointsman.observe.explain_text import (
    limit_lines,
    node_words,
    reason_words,
    rejected_table,
    route_words,
    status_piece,
    target_table,
)
from pointsman.observe.lines import Line, Piece, line, table
from pointsman.resources.key import Key


def call_json(call: Call, request: Request) -> dict[str, Any]:
    """The decision as the JSON object of `pointsman explain --from NODE --json`."""
    status, grpc_status = client_status(call.status, request)
    share = call.share
    return {
        "from": call.sidecar.key.path,
        "port": call.port,
        "way": call.way.value,
        **(decision(share) if share is not None else {}),
        **({"virtualService": call.tcp.key.path} if call.tcp is not None else {}),
        "targets": list(_targets(call, request)),
        "status": status,
        "grpcStatus": grpc_status,
        "hosts": list(call.hosts),
        "rejected": [rejected_entry(item) for item in nearer_candidates(call.rejected)],
    }


def call_keys(call: Call) -> frozenset[Key]:
    """The objects a decision rests on."""
    keys = {call.sidecar.key}
    if call.tcp is not None:
        keys |= {call.tcp.key, *(item.cluster.node for item in call.tcp.targets)}
    if call.share is not None:
        service = call.share.service
        keys |= {service.key, *(item.cluster.node for item in call.share.targets)}
        keys |= {service.router} if service.router is not None else set()
        keys.update(call.share.route.policies if call.share.route is not None else ())
    return frozenset(keys)


def call_lines(call: Call, request: Request, url: str) -> Iterator[Line]:
    """The decision for people.

    Args:
        call: the decision.
        request: the request as the application sends it.
        url: the URL as it was given.
    """
    node = Piece(call.sidecar.key.path, "name")
    yield line(Piece(f"{request.method} {url}", "strong"), ", sent by virtual node ", node)
    yield from _outcome(call, request)
    shares = () if call.share is None else (call.share,)
    if call.tcp is not None:
        yield from _tcp_table(call)
    yield from target_table(shares)
    yield from _secured(call)
    yield from limit_lines(shares)
    yield from rejected_table(call.rejected)


def _outcome(call: Call, request: Request) -> Iterator[Line]:
    match call.way:
        case Way.SERVICE if call.share is not None:
            yield line("is answered by ", *node_words(call.share))
            yield line("because the host is virtual service ", _service(call), ",")
            yield line("and ", *route_words(call.share), ".")
        case Way.TCP:
            yield line("is carried as bytes to virtual service ", _service(call))
            by = "some addresses at" if call.tcp and call.tcp.addresses else "every connection to"
            yield line(f"because it takes {by} port {call.port}.")
        case Way.PASSES:
            yield line("passes through to where it was going, past all virtual services")
            yield line(f"because {_why_none(call, request)}, and the mesh is open (ALLOW_ALL).")
        case Way.CLOSED:
            yield line(Piece("is not possible: the connection is closed", "error"))
            yield line(f"because {_why_none(call, request)}, and the mesh is closed (DROP_ALL).")
        case _:
            yield line("is answered ", status_piece(call.status, request), " by the node's proxy")
            yield line("because ", *_why_answered(call, request), ".")


def _why_answered(call: Call, request: Request) -> tuple[str | Piece, ...]:
    if call.status == 400:
        return ("Envoy takes no such path: it is not ASCII, or has a fragment or %00",)
    if call.share is not None:
        return reason_words(call.share)
    return (f"{_why_none(call, request)}, and the mesh is closed (DROP_ALL)",)


def _why_none(call: Call, request: Request) -> str:
    if not call.hosts:
        return f"no backend of the node is called on port {call.port}"
    shown = ", ".join(call.hosts)
    return f"no backend on port {call.port} has the host {request.authority} (there are: {shown})"


def _service(call: Call) -> Piece:
    if call.tcp is not None:
        return Piece(call.tcp.key.path, "name")
    return Piece(call.share.service.key.path if call.share is not None else "", "name")


def _tcp_table(call: Call) -> Iterator[Line]:
    rows = [
        (
            item.cluster.node.path,
            str(item.weight),
            ", ".join(endpoints(item.cluster)) or "none known",
            names.cluster(item.cluster),
        )
        for item in (call.tcp.targets if call.tcp is not None else ())
    ]
    yield line()
    yield from table(("VIRTUAL NODE", "WEIGHT", "ENDPOINTS", "CLUSTER"), rows)


def _clusters(call: Call) -> Iterator[tuple[Cluster, ClientTls | None]]:
    if call.tcp is not None:
        for item in call.tcp.targets:
            yield item.cluster, call.tcp.tls
    if call.share is not None and call.backend is not None:
        for item in call.share.targets:
            yield item.cluster, call.backend.tls


def _secured(call: Call) -> Iterator[Line]:
    said = dict.fromkeys(connection(policy, item) for item, policy in _clusters(call))
    if said:
        yield line()
    for text in said:
        yield line("  connections: ", text)


def connection(policy: ClientTls | None, cluster: Cluster) -> str:
    """How connections to a cluster are secured, in words."""
    tls = upstream_tls(policy, cluster)
    if tls is None:
        return "plaintext"
    if cluster.tls is not None and cluster.tls.identity:
        return f"mutual TLS with {cluster.tls.identity}"
    shown = "mutual TLS" if tls.certificate is not None else "TLS"
    if tls.trust is None:
        return f"{shown}, the certificate is not verified"
    return f"{shown}, verified" + (f" as {' or '.join(tls.names)}" if tls.names else "")


def _targets(call: Call, request: Request) -> Iterator[dict[str, Any]]:
    if call.share is not None and call.backend is not None:
        entries = target_entries(call.share, request, several=False)
        for entry, item in zip(entries, call.share.targets, strict=True):
            yield {**entry, "connection": connection(call.backend.tls, item.cluster)}
    if call.tcp is not None:
        for item in call.tcp.targets:
            yield {
                "virtualNode": item.cluster.node.path,
                "weight": item.weight,
                "cluster": names.cluster(item.cluster),
                "endpoints": list(endpoints(item.cluster)),
                "connection": connection(call.tcp.tls, item.cluster),
            }

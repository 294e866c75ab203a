"""What `pointsman up --mesh` tells about virtual nodes: where they are, and how to call them."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from pointsman.app.backends import is_local
from pointsman.app.options import UpOptions
from pointsman.app.site import Published
from pointsman.envoy.node_class import NodeClass
from pointsman.envoy.redirected import EGRESS_PORT
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.route import Service
from pointsman.graph.model.sidecar import IngressListener, Sidecar
from pointsman.observe.lines import Line, Piece, line, table
from pointsman.resources.key import Key

HEADINGS = ("VIRTUAL NODE", "REACHED AT", "CALLS BY WAY OF", "APPLICATION")
Row = tuple[str, str, str, str]


def rows(published: Published, options: UpOptions) -> dict[Key, Row]:
    """A row for each virtual node with a proxy, by node."""
    return {
        sidecar.key: (
            sidecar.key.path,
            ", ".join(_reached(sidecar, node_class)) or "-",
            ", ".join(_ways(sidecar, node_class)) or "-",
            _application(sidecar, node_class, options),
        )
        for node_class, sidecar in _sidecars(published)
    }


def node_lines(rows: dict[Key, Row]) -> Iterator[Line]:
    """The rows as a table; nothing when there are none."""
    if rows:
        yield from table(HEADINGS, rows.values(), 0)


def call_lines(published: Published, options: UpOptions) -> Iterator[Line]:
    """Calls to try: one that crosses two proxies, and one as an application makes it."""
    calls = list(_calls(published))
    if not calls:
        return
    demos = [call for call in calls if call[1] and _is_demo(call[0][1], options)]
    for _, at, url in demos[:1]:
        reached = f"http://{at[0]}/"
        yield line(
            "call on:     ", Piece(f"curl -H {shlex.quote(f'x-call: {url}')} {reached}", "strong")
        )
    (node_class, sidecar), _, url = (demos or calls)[0]
    proxy = Address(node_class.egress or "", node_class.egress_port(EGRESS_PORT))
    yield line(
        f"as {sidecar.key.name}:".ljust(13), Piece(f"curl -x http://{proxy} {url}", "strong")
    )


def _calls(
    published: Published,
) -> Iterator[tuple[tuple[NodeClass, Sidecar], tuple[str, ...], str]]:
    """Nodes that call a service over HTTP/1.1, where they are reached by that, and its URL."""
    for node_class, sidecar in _sidecars(published):
        for port in sidecar.egress:
            for backend in port.http:
                if _speaks_grpc(backend.service):
                    continue
                at = tuple(
                    str(_at(node_class, item))
                    for item in sidecar.ingress
                    if item.protocol == "http" and item.tls is None
                )
                yield (node_class, sidecar), at, f"http://{backend.service.name}:{port.port}/"


def _speaks_grpc(service: Service) -> bool:
    targets = (item for route in service.routes for item in route.targets)
    return any(item.cluster.protocol == "grpc" for item in targets)


def _sidecars(published: Published) -> Iterator[tuple[NodeClass, Sidecar]]:
    for node_class, proxy in published.compiled.proxies.items():
        if isinstance(proxy, Sidecar) and node_class.egress is not None:
            yield node_class, proxy


def _at(node_class: NodeClass, item: IngressListener) -> Address:
    return Address(node_class.bind, node_class.local_port(item.port))


def _reached(sidecar: Sidecar, node_class: NodeClass) -> Iterator[str]:
    for item in sidecar.ingress:
        scheme = "https" if item.protocol == "http" and item.tls is not None else item.protocol
        moved = "" if node_class.local_port(item.port) == item.port else f" (for {item.port})"
        yield f"{scheme}://{_at(node_class, item)}{moved}"


def _ways(sidecar: Sidecar, node_class: NodeClass) -> Iterator[str]:
    if any(item.http for item in sidecar.egress) or sidecar.open:
        yield f"http://{Address(node_class.egress or '', node_class.egress_port(EGRESS_PORT))}"
    for item in sidecar.egress:
        if item.tcp is not None:
            local = node_class.egress_port(item.port)
            moved = "" if local == item.port else f" (for {item.port})"
            yield f"tcp://{Address(node_class.egress or '', local)}{moved}"


def _is_demo(sidecar: Sidecar, options: UpOptions) -> bool:
    own = options.own(sidecar.key)
    return options.echo and own is None and not is_local(sidecar.hostname)


def _application(sidecar: Sidecar, node_class: NodeClass, options: UpOptions) -> str:
    own = options.own(sidecar.key)
    where = ", ".join(str(address) for _, address in node_class.applications)
    if own is not None and own.command:
        command = shlex.join((Path(own.command[0]).name, *own.command[1:]))
        return f"{command}, at {where}" if where else command
    if where and _is_demo(sidecar, options):
        return "demo"
    return where or "none"

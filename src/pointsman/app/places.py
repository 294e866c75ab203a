"""Where the proxies of this machine listen, as far as they can."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from pointsman.app.options import UpOptions
from pointsman.app.ports import Claim, LocalPorts, PortBook
from pointsman.control.compile import Proxy
from pointsman.envoy.node_class import NodeClass
from pointsman.graph.model.gateway import Gateway
from pointsman.resources.problem import Problem


class Places:
    """Finds a port for every listener, and leaves out those whose port is taken.

    Args:
        options: bind address and moves.

    Attributes:
        problems: listeners that were left out of the latest arrangement.
    """

    def __init__(self, options: UpOptions) -> None:
        self._bind = options.bind
        self._ports = LocalPorts(options)
        self._book = PortBook(options.bind)
        self.problems: tuple[Problem, ...] = ()

    def arrange(self, proxies: Iterable[Proxy]) -> Iterator[tuple[Proxy, Collection[NodeClass]]]:
        """Every gateway with its node class."""
        gateways = (proxy for proxy in proxies if isinstance(proxy, Gateway))
        local = {gateway.key: (gateway, self._ports.of(gateway)) for gateway in gateways}
        claims = [
            Claim(key, port, bound)
            for key, (_, ports) in local.items()
            for port, bound in ports.items()
        ]
        unmet = list(self._book.assign(claims))
        self.problems = tuple(problem for _, problem in unmet)
        closed = {(claim.gateway, claim.port) for claim, _ in unmet}
        for key, (gateway, ports) in local.items():
            listeners = tuple(item for item in gateway.listeners if (key, item.port) not in closed)
            moved = tuple((port, bound) for port, bound in ports.items() if port != bound)
            node_class = NodeClass(key, "delta", self._bind, moved)
            yield replace(gateway, listeners=listeners), (node_class,)

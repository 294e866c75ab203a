"""Which local port each gateway listener is bound to."""

import socket

from pointsman.app.options import UpOptions
from pointsman.errors import UsageError
from pointsman.graph.model.gateway import Gateway
from pointsman.proxy.ports import cannot_listen
from pointsman.resources.codes import envoy as codes
from pointsman.resources.key import Key
from pointsman.resources.problem import Problem


class LocalPorts:
    """Remembers the local port of every listener, so that an edit never moves one.

    Args:
        options: bind address and moves.
    """

    def __init__(self, options: UpOptions) -> None:
        self._options = options
        self._chosen: dict[tuple[Key, int], int] = {}

    def of(self, gateway: Gateway) -> tuple[tuple[int, int], ...]:
        """(port, local port) of each of the gateway's listeners that is moved."""
        pairs = [(item.port, self._local(gateway, item.port)) for item in gateway.listeners]
        return tuple(pair for pair in pairs if pair[0] != pair[1])

    def _local(self, gateway: Gateway, port: int) -> int:
        place = (gateway.key, port)
        if place not in self._chosen:
            wanted = self._wanted(gateway, port)
            self._chosen[place] = wanted or _free_port(self._options.bind)
        return self._chosen[place]

    def _wanted(self, gateway: Gateway, port: int) -> int:
        names = (gateway.key.name, gateway.key.path, gateway.name)
        for move in self._options.moves:
            if move.port == port and move.gateway in names:
                return move.local
        for move in self._options.moves:
            if move.port == port and move.gateway is None:
                return move.local
        return port


class PortBook:
    """Tells ports that cannot be bound before Envoy is asked to bind them.

    Args:
        bind: IP address listeners bind to.
    """

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._ours: dict[int, Key] = {}

    def claim(self, gateway: Gateway, ports: dict[int, int]) -> list[Problem]:
        """Problems of the gateway's listeners whose local port is not free.

        Args:
            gateway: the gateway.
            ports: port -> local port, for those that are moved.
        """
        problems = []
        wanted = {ports.get(item.port, item.port) for item in gateway.listeners}
        for local in [port for port, key in self._ours.items() if key == gateway.key]:
            if local not in wanted:
                del self._ours[local]
        for item in gateway.listeners:
            local = ports.get(item.port, item.port)
            why = self._why_not(gateway.key, local)
            if why is None:
                self._ours[local] = gateway.key
                continue
            problems.append(
                Problem(
                    codes.PORT_TAKEN,
                    f"gateway {gateway.key.path} cannot listen on {self._bind}:{local}: {why}",
                    f"move it, for example by --listen {gateway.key.name}:{item.port}=0",
                    key=gateway.key,
                )
            )
        return problems

    def _why_not(self, key: Key, local: int) -> str | None:
        owner = self._ours.get(local)
        if owner is not None:
            return None if owner == key else f"gateway {owner.path} has it"
        failure = cannot_listen(self._bind, local)
        return None if failure is None else failure.reason


def refuse(problems: list[Problem]) -> None:
    """Ends the start for the first port that cannot be bound.

    Raises:
        UsageError: there is such a port.
    """
    if problems:
        raise UsageError(problems[0].message, hint=problems[0].hint)


def _free_port(bind: str) -> int:
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((bind, 0))
        port: int = probe.getsockname()[1]
        return port

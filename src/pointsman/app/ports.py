"""Which local port each gateway listener is bound to, and which cannot be bound."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

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

    def of(self, gateway: Gateway) -> Mapping[int, int]:
        """The local port of each of the gateway's listeners, by port."""
        return {item.port: self._local(gateway, item.port) for item in gateway.listeners}

    def _local(self, gateway: Gateway, port: int) -> int:
        place = (gateway.key, port)
        if place not in self._chosen:
            wanted = self._wanted(gateway, port)
            self._chosen[place] = wanted or self._free_port()
        return self._chosen[place]

    def _free_port(self) -> int:
        # The system may give a port twice while nobody listens on it yet.
        while (port := free_port(self._options.bind)) in self._chosen.values():
            pass
        return port

    def _wanted(self, gateway: Gateway, port: int) -> int:
        names = (gateway.key.name, gateway.key.path, gateway.name)
        for move in self._options.moves:
            if move.port == port and move.gateway in names:
                return move.local
        for move in self._options.moves:
            if move.port == port and move.gateway is None:
                return move.local
        return port


@dataclass(frozen=True, slots=True)
class Claim:
    """A listener that wants a local port.

    Attributes:
        gateway: its gateway.
        port: its port in the manifest.
        local: the port to bind.
    """

    gateway: Key
    port: int
    local: int


class PortBook:
    """Tells ports that cannot be bound before Envoy is asked to bind them.

    Args:
        bind: IP address listeners bind to.
    """

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._ours: dict[int, Claim] = {}

    def assign(self, claims: Iterable[Claim]) -> Iterator[tuple[Claim, Problem]]:
        """Gives every port to one listener, and yields the claims that cannot be met.

        Whoever had a port and still wants it keeps it. A port that one gateway of this run gives
        up is free for another at once, although the first one's Envoy may still be bound to it.
        """
        wanted = list(claims)
        before, self._ours = self._ours, {}
        for claim in wanted:
            if before.get(claim.local) == claim:
                self._ours[claim.local] = claim
        for claim in wanted:
            why = self._why_not(claim, before)
            if why is None:
                self._ours[claim.local] = claim
            else:
                yield claim, self._taken(claim, why)

    def _why_not(self, claim: Claim, before: Mapping[int, Claim]) -> str | None:
        owner = self._ours.get(claim.local)
        if owner == claim:
            return None
        if owner is not None:
            own = owner.gateway == claim.gateway
            return f"its listener {owner.port} has it" if own else f"{owner.gateway.path} has it"
        failure = None if claim.local in before else cannot_listen(self._bind, claim.local)
        return None if failure is None else failure.reason

    def _taken(self, claim: Claim, why: str) -> Problem:
        where = f"[{self._bind}]" if ":" in self._bind else self._bind
        return Problem(
            codes.PORT_TAKEN,
            f"gateway {claim.gateway.path} cannot listen on {where}:{claim.local}: {why}",
            f"move it, for example by --listen {claim.gateway.name}:{claim.port}=0",
            key=claim.gateway,
        )


def refuse(problems: Iterable[Problem]) -> None:
    """Ends the start for the first port that cannot be bound.

    Raises:
        UsageError: there is such a port.
    """
    for problem in problems:
        raise UsageError(problem.message, hint=problem.hint)


def free_port(bind: str) -> int:
    """A port at an IP address that nobody listens on now."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((bind, 0))
        port: int = probe.getsockname()[1]
        return port

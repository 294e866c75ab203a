"""Loopback addresses of this run: two for each virtual node, the same as long as the run lives.

On Linux the whole of 127/8 is there without any set-up. A run claims two blocks of it, such as
127.1 and 127.2, so that two runs on one machine never share an address: with SO_REUSEPORT, by
which Envoy listens, they would share the connections at random and without complaint.
"""

import errno
import os
import socket
from typing import Final

from pointsman.errors import PointsmanError, UsageError
from pointsman.proxy.ports import cannot_listen
from pointsman.resources.key import Key

MOST_RUNS: Final = 60
"""Runs with addresses of their own on one machine at one time."""
MOST_NODES: Final = 250 * 254
_CLAIM_PORT: Final = 15001


class Loopback:
    """Gives addresses and local ports; whoever has one keeps it.

    Use `close` at the end, which lets other runs have the addresses.
    """

    def __init__(self) -> None:
        self._claim: socket.socket | None = None
        self._block = 0
        self._numbers: dict[Key, int] = {}
        self._ports: dict[tuple[str, int], int] = {}
        self._bound: set[tuple[str, int]] = set()

    def open(self) -> None:
        """Claims a pair of blocks; harmless when it has one.

        Raises:
            UsageError: this system has no such addresses, or too many runs have them.
        """
        if self._claim is not None:
            return
        for block in range(1, 2 * MOST_RUNS, 2):
            # Bound and never listened on: that is enough to keep others from binding it.
            claim = socket.socket()
            try:
                claim.bind((f"127.{block}.255.254", _CLAIM_PORT))
            except OSError as error:
                claim.close()
                if error.errno != errno.EADDRINUSE:
                    raise _no_addresses(f"127.{block}.255.254", error) from None
                continue
            self._claim, self._block = claim, block
            return
        raise UsageError(f"{MOST_RUNS} other runs of --mesh have all addresses")

    def close(self) -> None:
        """Gives the blocks back."""
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.close()

    def ingress(self, node: Key) -> str:
        """The address where others reach the node, such as 127.1.0.1."""
        return self._address(self._block, node)

    def egress(self, node: Key) -> str:
        """The address where its application reaches others, such as 127.2.0.1."""
        return self._address(self._block + 1, node)

    def port(self, address: str, port: int) -> int:
        """The port to bind at an address: the one wanted, or another one if it cannot be had.

        Raises:
            PointsmanError: the address has no free port at all.
        """
        place = (address, port)
        if place not in self._ports:
            free = place not in self._bound and cannot_listen(address, port) is None
            local = port if free else self._other_port(address)
            self._ports[place] = local
            self._bound.add((address, local))
        return self._ports[place]

    def _other_port(self, address: str) -> int:
        while True:
            with socket.socket() as probe:
                try:
                    probe.bind((address, 0))
                except OSError as error:
                    raise _no_addresses(address, error) from None
                port: int = probe.getsockname()[1]
            if (address, port) not in self._bound:
                return port

    def _address(self, block: int, node: Key) -> str:
        number = self._numbers.setdefault(node, len(self._numbers))
        if number >= MOST_NODES:
            raise PointsmanError(f"more than {MOST_NODES} virtual nodes in one run")
        high, low = divmod(number, 254)
        return f"127.{block}.{high}.{low + 1}"


def _no_addresses(address: str, error: OSError) -> UsageError:
    return UsageError(
        f"cannot bind {address}: {os.strerror(error.errno or 0)}",
        hint="--mesh needs all of 127.0.0.0/8 on loopback, as Linux has it; "
        f"elsewhere add each address first, on macOS by: sudo ifconfig lo0 alias {address}",
    )

"""Telling beforehand that a port is taken.

Envoy listens with SO_REUSEPORT, so a second Envoy on a taken port starts without complaint and the
two share the connections at random. Two runs of `pointsman up` on one port must not do that
silently; hence a look before the listener is sent.
"""

import os
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class BindFailure:
    """An address nothing can listen on.

    Attributes:
        address: such as "127.0.0.1:8080".
        reason: the system's words, such as "Address already in use" or "Permission denied".
    """

    address: str
    reason: str


def cannot_listen(host: str, port: int) -> BindFailure | None:
    """Why nothing could listen on this TCP address now, or None when it is free.

    Args:
        host: IP address, such as "127.0.0.1", "0.0.0.0" or "::".
        port: the port; 0 is always free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Old connections in TIME_WAIT do not matter; without SO_REUSEPORT any listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            shown = f"[{host}]" if ":" in host else host
            return BindFailure(f"{shown}:{port}", os.strerror(error.errno or 0))
    return None

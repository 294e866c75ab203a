"""Addresses on the command line."""

import ipaddress

from pointsman.errors import UsageError


def parse_ip(option: str, text: str) -> str:
    """An IP address.

    Raises:
        UsageError: it is something else.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise UsageError(
            f"{option} {text}: not an IP address", hint="127.0.0.1, or 0.0.0.0 for all"
        ) from None


def parse_host_port(option: str, text: str) -> tuple[str, int]:
    """`HOST:PORT`, with an IPv6 address in brackets.

    Raises:
        UsageError: it is something else.
    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f"{option} {text}: not HOST:PORT", hint="for example 127.0.0.1:18000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def parse_listening(option: str, text: str) -> tuple[str, int]:
    """`ADDR:PORT` to listen on, where a port alone is on loopback.

    Raises:
        UsageError: it is something else.
    """
    try:
        host, port = parse_host_port(option, text if ":" in text else f"127.0.0.1:{text}")
    except UsageError:
        raise UsageError(
            f"{option} {text}: neither a port nor ADDR:PORT", hint="for example 9600"
        ) from None
    return parse_ip(option, host), port

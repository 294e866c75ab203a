"""Listeners that take connections which the kernel redirects to them.

The rules that do so are those of App Mesh: what comes for the application goes to port 15000,
what the application sends out to port 15001 (`pointsman intercept` makes them).
"""

from pointsman.envoy import pb
from pointsman.envoy.clusters import socket_address
from pointsman.envoy.matchers import Fields
from pointsman.envoy.tls import tls_inspector
from pointsman.graph.model.cluster import Address
from pointsman.graph.model.sidecar import OWN_PORT

INGRESS_PORT = 15000
EGRESS_PORT = OWN_PORT
TLS_PORT = 443


def original_destination() -> Fields:
    """The listener filter that finds out where a redirected connection was going."""
    return {
        "name": "envoy.filters.listener.original_dst",
        "typed_config": pb.pack(pb.OriginalDst()),
    }


def tls_inspector_on(ports: list[int]) -> Fields:
    """The listener filter that tells TLS from plaintext and reads server names, on some ports only.

    Where the server speaks first, it would wait for bytes of the client that never come.
    """
    rules = [{"destination_port_range": {"start": port, "end": port + 1}} for port in ports]
    here = rules[0] if len(rules) == 1 else {"or_match": {"rules": rules}}
    return {**tls_inspector(), "filter_disabled": {"not_match": here}}


def any_addresses(bind: str, ip_preference: str | None, port: int) -> Fields:
    """Address fields of a listener for connections from outside, by App Mesh's IP preference."""
    if bind != "0.0.0.0" or ip_preference is None:
        return {"address": socket_address(Address(bind, port))}
    if ip_preference.startswith("IPv6"):
        both = {"address": "::", "port_value": port, "ipv4_compat": True}
        return {"address": {"socket_address": both}}
    second = {"address": socket_address(Address("::", port))}
    return {"address": socket_address(Address(bind, port)), "additional_addresses": [second]}


def loopback_addresses(ip_preference: str | None, port: int) -> Fields:
    """Address fields of a listener for the application: it is nobody else's way out."""
    first, second = "127.0.0.1", "::1"
    if ip_preference is None:
        return {"address": socket_address(Address(first, port))}
    if ip_preference.startswith("IPv6"):
        first, second = second, first
    others = [{"address": socket_address(Address(second, port))}]
    return {"address": socket_address(Address(first, port)), "additional_addresses": others}

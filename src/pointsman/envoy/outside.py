"""Clusters of servers outside the mesh that proxies ask themselves, by address.

They have a few requests in flight, so there is nothing to tune. An https server has to prove its
name, by authorities the proxy's machine knows.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from pointsman.envoy import pb
from pointsman.envoy.actions import duration
from pointsman.envoy.clusters import loads, protocol_options
from pointsman.envoy.config_source import HTTP_OPTIONS
from pointsman.envoy.matchers import Fields
from pointsman.graph.model.cluster import Address, is_ip

SYSTEM_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian, Ubuntu and Envoy's own image keep what they trust."""
_CONNECT_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Outside:
    """A server outside.

    Attributes:
        url: any address of it; scheme, host and port count.
        ca_file: authorities it is checked against; None for those of the system.
        protocol: http or http2.
    """

    url: str
    ca_file: str | None = None
    protocol: str = "http"

    @property
    def address(self) -> Address:
        """Host and port."""
        parts = urlsplit(self.url)
        return Address(parts.hostname or "", parts.port or (443 if self.is_https else 80))

    @property
    def path(self) -> str:
        """The path of the address, without a slash at its end."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether connections have TLS."""
        return urlsplit(self.url).scheme == "https"

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        address = self.address
        name = f"outside_{urlsplit(self.url).scheme}_{address.host}_{address.port}"
        own = "" if self.ca_file is None else f"_{self.ca_file}"
        return f"{name}{own}" if self.protocol == "http" else f"{name}{own}_{self.protocol}"


def outside_cluster_name(url: str, ca_file: str | None) -> str:
    """Name of the cluster of an HTTP server."""
    return Outside(url, ca_file).cluster


def outside_cluster(server: Outside) -> pb.Message:
    """`envoy.config.cluster.v3.Cluster` of a server outside."""
    address = server.address
    fields: Fields = {
        "name": server.cluster,
        "connect_timeout": duration(_CONNECT_MS),
        "type": "STATIC" if is_ip(address.host) else "STRICT_DNS",
        "typed_extension_protocol_options": {HTTP_OPTIONS: protocol_options(server.protocol)},
        **loads(server.cluster, (address,)),
    }
    if server.is_https:
        fields["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": pb.pack(_tls(server)),
        }
    return pb.Cluster(**fields)


def _tls(server: Outside) -> pb.Message:
    host = server.address.host
    kind = "IP_ADDRESS" if is_ip(host) else "DNS"
    names = [{"san_type": kind, "matcher": {"exact": host}}]
    trusted = {"filename": server.ca_file or SYSTEM_AUTHORITIES}
    context = {"trusted_ca": trusted, "match_typed_subject_alt_names": names}
    alpn = ["h2"] if server.protocol == "http2" else ["http/1.1"]
    return pb.UpstreamTls(
        **({} if is_ip(host) else {"sni": host}),
        common_tls_context={"validation_context": context, "alpn_protocols": alpn},
    )

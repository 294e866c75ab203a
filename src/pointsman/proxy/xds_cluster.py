"""The one cluster a proxy knows from birth: the control plane, and how to prove who asks it.

Certificates and tokens come from files by way of Envoy's secret discovery, so that they change
while the proxy runs. `identity_files.py` writes those files; without it, in a bootstrap for an
Envoy that runs by itself, certificates are named directly and are read once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pointsman.envoy.names import XDS_CLUSTER
from pointsman.graph.model.cluster import is_ip

CERTIFICATE_SECRET: Final = "pointsman_xds_certificate"
AUTHORITY_SECRET: Final = "pointsman_xds_authority"
TOKEN_SECRET: Final = "pointsman_xds_token"

TYPE: Final = "type.googleapis.com/"
_HTTP: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True)
class XdsAddress:
    """Where the control plane listens.

    Attributes:
        host: name or IP address, or "" for a Unix socket.
        port: TCP port, or 0 for a Unix socket.
        path: Unix socket, or None for TCP.
    """

    host: str = ""
    port: int = 0
    path: Path | None = None


@dataclass(frozen=True)
class XdsTls:
    """TLS towards the control plane.

    Attributes:
        ca: authorities of its certificate, PEM.
        name: the name in its certificate, instead of the host it is called by; with `spiffe://`
            a URI name.
        certificate: the proxy's own certificate, PEM, with what leads to its authority.
        key: the key of it.
    """

    ca: Path
    name: str | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Xds:
    """The control plane, as a proxy reaches it.

    Attributes:
        addresses: one address, or several of equal servers.
        tls: None for plaintext.
        secrets: folder with a file `NAME.json` for each secret; None names the TLS files directly.
        token: whether there is a token among the secrets.
    """

    addresses: tuple[XdsAddress, ...]
    tls: XdsTls | None = None
    secrets: Path | None = None
    token: bool = False


def xds_cluster(xds: Xds) -> dict[str, Any]:
    """`envoy.config.cluster.v3.Cluster` of the control plane, as Envoy's JSON."""
    endpoints = [{"endpoint": {"address": _address(item)}} for item in xds.addresses]
    cluster: dict[str, Any] = {
        "name": XDS_CLUSTER,
        "type": _discovery_type(xds.addresses),
        "connect_timeout": "5s",
        "typed_extension_protocol_options": {_HTTP: _protocol(xds)},
        "load_assignment": {
            "cluster_name": XDS_CLUSTER,
            "endpoints": [{"lb_endpoints": endpoints}],
        },
    }
    if xds.tls is not None:
        cluster["transport_socket"] = _transport(xds.tls, xds)
    return cluster


def reports_cluster(xds: Xds, name: str, longest: str, most: int) -> dict[str, Any]:
    """The control plane once more, over a connection of its own, for calls that must not pile up.

    Args:
        xds: the control plane.
        name: of the cluster.
        longest: time after which a call ends, as protobuf's JSON has it.
        most: calls under way; those above fail at once.
    """
    cluster = xds_cluster(xds)
    cluster["name"] = cluster["load_assignment"]["cluster_name"] = name
    options = cluster["typed_extension_protocol_options"][_HTTP]
    options["common_http_protocol_options"] = {"max_stream_duration": longest}
    cluster["circuit_breakers"] = {"thresholds": [{"max_requests": most}]}
    return cluster


def _protocol(xds: Xds) -> dict[str, Any]:
    options: dict[str, Any] = {
        "@type": TYPE + _HTTP,
        "explicit_http_config": {
            "http2_protocol_options": {
                # A stream that only listens never notices a peer that vanished; the ping
                # does, also through a NAT or balancer that forgot the connection.
                "connection_keepalive": {"interval": "30s", "timeout": "5s"}
            }
        },
    }
    if xds.token and xds.secrets is not None:
        options["http_filters"] = [_token_filter(xds.secrets), _CODEC]
    return options


_CODEC: Final[dict[str, Any]] = {
    "name": "envoy.filters.http.upstream_codec",
    "typed_config": {
        "@type": TYPE + "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
    },
}


def _token_filter(secrets: Path) -> dict[str, Any]:
    generic = "envoy.extensions.http.injected_credentials.generic.v3.Generic"
    injector = "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"
    credential = _secret(TOKEN_SECRET, secrets)
    return {
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": TYPE + injector,
            "overwrite": True,
            "credential": {
                "name": "envoy.http.injected_credentials.generic",
                "typed_config": {"@type": TYPE + generic, "credential": credential},
            },
        },
    }


def _transport(tls: XdsTls, xds: Xds) -> dict[str, Any]:
    names = [tls.name] if tls.name is not None else [item.host for item in xds.addresses]
    # Any proxy's certificate may come from the same authority, so the name has to be right, too.
    expected = {"match_typed_subject_alt_names": [_san(name) for name in dict.fromkeys(names)]}
    common: dict[str, Any] = {"alpn_protocols": ["h2"]}
    if xds.secrets is not None:
        common["combined_validation_context"] = {
            "default_validation_context": expected,
            "validation_context_sds_secret_config": _secret(AUTHORITY_SECRET, xds.secrets),
        }
    else:
        common["validation_context"] = expected | {"trusted_ca": {"filename": str(tls.ca)}}
    if tls.certificate is not None and xds.secrets is not None:
        common["tls_certificate_sds_secret_configs"] = [_secret(CERTIFICATE_SECRET, xds.secrets)]
    elif tls.certificate is not None:
        common["tls_certificates"] = [tls_certificate(tls.certificate, tls.key)]
    context: dict[str, Any] = {
        "@type": TYPE + "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "common_tls_context": common,
    }
    if not is_ip(names[0]) and "://" not in names[0]:
        context["sni"] = names[0]
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _secret(name: str, secrets: Path) -> dict[str, Any]:
    # Envoy takes a file for one secret only.
    source = {"path_config_source": {"path": str(secrets / f"{name}.json")}}
    return {"name": name, "sds_config": {**source, "resource_api_version": "V3"}}


def tls_certificate(certificate: Path, key: Path | None) -> dict[str, Any]:
    """`envoy.extensions.transport_sockets.tls.v3.TlsCertificate` of two files."""
    return {
        "certificate_chain": {"filename": str(certificate)},
        "private_key": {"filename": str(key)},
    }


def _san(name: str) -> dict[str, Any]:
    kind = "URI" if "://" in name else "IP_ADDRESS" if is_ip(name) else "DNS"
    return {"san_type": kind, "matcher": {"exact": name}}


def _discovery_type(addresses: tuple[XdsAddress, ...]) -> str:
    numeric = all(item.path is not None or is_ip(item.host) for item in addresses)
    return "STATIC" if numeric else "STRICT_DNS"


def _address(xds: XdsAddress) -> dict[str, Any]:
    if xds.path is not None:
        return {"pipe": {"path": str(xds.path)}}
    return {"socket_address": {"address": xds.host, "port_value": xds.port}}

"""TLS in Envoy's words: transport sockets, and the secrets they name.

No key ever passes through here. A certificate in files becomes a secret that holds their paths
and the folder to watch, so that the proxy itself reads them, and reads them again when they are
replaced. The secret is a resource of its own: new files change no listener and no connection.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from pointsman.envoy import names, pb
from pointsman.envoy.config_source import ADS, LOCAL_SDS
from pointsman.envoy.matchers import Fields
from pointsman.envoy.node_class import Wire
from pointsman.envoy.seal import seal, unseal
from pointsman.envoy.sealed import Sealed
from pointsman.graph.model.cluster import is_ip
from pointsman.graph.model.tls import Certificate, ServerTls, Trust
from pointsman.graph.tls import UpstreamTls
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate

HTTP2 = ("http2", "grpc")
"""Protocols of a port that speaks HTTP/2 and nothing older."""

_SOCKET = "envoy.transport_sockets.tls"
_VERSIONS = {
    # App Mesh's own minimum, where it let the version be chosen (tlsMinVersion); Envoy's clients
    # would stop at 1.2.
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
}


def downstream_socket(tls: ServerTls, protocol: str, wire: Wire) -> Fields:
    """`envoy.config.core.v3.TransportSocket` of a listener.

    Args:
        tls: what the listener wants; it has a certificate.
        protocol: grpc, http, http2 or tcp.
        wire: how the proxy gets its configuration.
    """
    assert tls.certificate is not None
    common = _common(tls.certificate, tls.trust, tls.names, wire)
    if protocol != "tcp":
        common["alpn_protocols"] = ["h2"] if protocol in HTTP2 else ["h2", "http/1.1"]
    context = pb.DownstreamTls(
        common_tls_context=common,
        require_client_certificate={"value": tls.trust is not None},
    )
    return {"name": _SOCKET, "typed_config": pb.pack(context)}


def is_permissive(tls: ServerTls | None) -> bool:
    """Whether a listener has to find out what a client speaks."""
    return tls is not None and tls.mode == "PERMISSIVE"


def secured(chain: Fields, tls: ServerTls | None, protocol: str, wire: Wire) -> list[Fields]:
    """A filter chain as the one or two that a listener's TLS needs.

    Args:
        chain: `envoy.config.listener.v3.FilterChain` without TLS.
        tls: what the listener wants; None leaves the chain in plaintext.
        protocol: grpc, http, http2 or tcp.
        wire: how the proxy gets its configuration.
    """
    if tls is None:
        return [chain]
    encrypted = {**chain, "transport_socket": downstream_socket(tls, protocol, wire)}
    if not is_permissive(tls):
        return [encrypted]
    match = {**chain.get("filter_chain_match", {}), **TLS_ONLY}
    return [{**encrypted, "filter_chain_match": match}, chain]


def upstream_socket(tls: UpstreamTls, protocol: str, wire: Wire) -> Fields:
    """`envoy.config.core.v3.TransportSocket` of a cluster.

    Args:
        tls: what is wanted of its connections.
        protocol: of the cluster: grpc, http, http2 or tcp.
        wire: how the proxy gets its configuration.
    """
    common = _common(tls.certificate, tls.trust, tls.names, wire)
    if protocol in HTTP2:
        common["alpn_protocols"] = ["h2"]
    context = pb.UpstreamTls(common_tls_context=common, sni=tls.sni)
    return {"name": _SOCKET, "typed_config": pb.pack(context)}


def tls_inspector() -> Fields:
    """The `envoy.config.listener.v3.ListenerFilter` that tells TLS from plaintext.

    It finds out for filter chains with `TLS_ONLY` as their match.
    """
    return {
        "name": "envoy.filters.listener.tls_inspector",
        "typed_config": pb.pack(pb.TlsInspector()),
    }


TLS_ONLY: Fields = {"transport_protocol": "tls"}
"""`envoy.config.listener.v3.FilterChainMatch` of connections that speak TLS."""


def secrets(tls: ServerTls | UpstreamTls | None) -> Iterator[pb.Message]:
    """`Secret`s that travel with the configuration: those of certificates in files.

    What a local service or the mesh's own authority delivers comes from there.
    """
    if tls is None:
        return
    if isinstance(tls.certificate, FileCertificate):
        yield _certificate(tls.certificate)
    if isinstance(tls.trust, FileTrust):
        yield _authorities(tls.trust)


def offered_again(secret: Sealed, offers: int) -> Sealed:
    """A secret of files that means the same and is another one to Envoy.

    Envoy ignores a secret that equals the one before, even if it could not load that.

    Args:
        secret: a sealed `Secret`; one without files stays as it is.
        offers: how often it has been offered.
    """
    message = unseal(secret)
    kind = message.WhichOneof("type")
    content = getattr(message, kind)
    # One folder has as many spellings as there are numbers: a slash or a dot for each bit.
    spelling = "".join("/." if bit == "1" else "//" for bit in f"{offers:b}")
    if kind == "generic_secret":
        folder, _, name = content.secret.filename.rpartition("/")
        content.secret.filename = f"{folder}{spelling}/{name}"
    elif content.HasField("watched_directory"):
        content.watched_directory.path += spelling
    else:
        return secret
    return seal(message, secret.keys)


def _certificate(files: FileCertificate) -> pb.Message:
    return pb.Secret(
        name=names.certificate_secret(files),
        tls_certificate={
            "certificate_chain": {"filename": files.certificate_chain},
            "private_key": {"filename": files.private_key},
            "watched_directory": _folder(files.certificate_chain),
        },
    )


def _authorities(file: FileTrust) -> pb.Message:
    return pb.Secret(
        name=names.trust_secret(file),
        validation_context={
            "trusted_ca": {"filename": file.certificate_chain},
            "watched_directory": _folder(file.certificate_chain),
        },
    )


def _folder(path: str) -> Fields:
    return {"path": str(PurePosixPath(path).parent)}


def _common(
    certificate: Certificate | None, trust: Trust | None, accepted: tuple[str, ...], wire: Wire
) -> dict[str, Any]:
    fields: dict[str, Any] = {"tls_params": _VERSIONS}
    if certificate is not None:
        source = _source(certificate, names.certificate_secret(certificate), wire)
        fields["tls_certificate_sds_secret_configs"] = [source]
    if trust is not None:
        source = _source(trust, names.trust_secret(trust), wire)
        if accepted:
            matchers = [matcher for name in accepted for matcher in _matchers(name)]
            fields["combined_validation_context"] = {
                "default_validation_context": {"match_typed_subject_alt_names": matchers},
                "validation_context_sds_secret_config": source,
            }
        else:
            fields["validation_context_sds_secret_config"] = source
    return fields


def _source(material: Certificate | Trust, name: str, wire: Wire) -> Fields:
    """Where a secret comes from.

    One file has no control plane behind it, so that what the mesh's own authority issues has to
    come from a local service, too.
    """
    in_files = isinstance(material, FileCertificate | FileTrust)
    if wire == "static" and in_files:
        return {"name": name}
    remote = LOCAL_SDS if wire == "static" or isinstance(material, SdsCertificate) else ADS
    return {"name": name, "sds_config": remote}


def _matchers(name: str) -> Iterator[Fields]:
    """A name as whatever type of subject alternative name may hold it, compared as a whole.

    Envoy reads wildcards of the certificate when it compares a DNS name exactly, which App Mesh
    did not; as an expression the name is compared with what is written there.
    """
    yield {"san_type": "URI", "matcher": {"exact": name}}
    if "://" in name:
        return  # nothing but a URI
    if is_ip(name):
        yield {"san_type": "IP_ADDRESS", "matcher": {"exact": name}}
    else:
        yield {"san_type": "DNS", "matcher": {"safe_regex": {"regex": f"(?i){_quoted(name)}"}}}


def _quoted(name: str) -> str:
    """A name as an expression of RE2 that matches nothing else."""
    return re.sub(r"([^\w])", r"\\\1", name, flags=re.ASCII)

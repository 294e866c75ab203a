"""TLS of a connection, as its server and as its client want it."""

from dataclasses import dataclass
from typing import Literal

from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate


@dataclass(frozen=True, slots=True)
class Issued:
    """Material that the mesh's own certificate authority issues and the control plane delivers."""


Certificate = FileCertificate | SdsCertificate | Issued
"""Whose certificate and key: files beside the proxy, a local secret service, or our own."""

Trust = FileTrust | SdsCertificate | Issued
"""Whom to trust, by the same three ways."""


@dataclass(frozen=True, slots=True)
class ServerTls:
    """TLS of a listener; without this it is plaintext.

    Attributes:
        mode: STRICT refuses plaintext, PERMISSIVE takes both.
        certificate: what it shows. None when it is not to be had here: such a listener cannot be
            served, but its callers know that it speaks TLS.
        trust: who signs its clients' certificates; None asks clients for none.
        names: accepted subject alternative names of clients; any when empty.
        identity: SPIFFE id it shows, when the mesh's own authority issued the certificate; ""
            otherwise.
        authority: who signed the certificate, for callers without a policy of their own; None
            when it is not known, so that they take any certificate.
    """

    mode: Literal["STRICT", "PERMISSIVE"]
    certificate: Certificate | None
    trust: Trust | None = None
    names: tuple[str, ...] = ()
    authority: Trust | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True)
class ClientTls:
    """What a caller wants of the connections to its backends.

    Attributes:
        enforce: whether TLS is spoken to a server that is not known to speak it.
        ports: destination ports this is for; all when empty.
        certificate: shown when the server asks; None shows none.
        trust: who signs the servers' certificates.
        names: accepted subject alternative names of servers; when empty, the name under which the
            server is discovered.
    """

    enforce: bool
    ports: tuple[int, ...]
    certificate: Certificate | None
    trust: Trust
    names: tuple[str, ...] = ()

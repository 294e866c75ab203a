"""What the options of `pointsman serve` say about who may connect, and how."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman.cli.addresses import parse_host_port, parse_ip
from pointsman.errors import UsageError

if TYPE_CHECKING:
    from pointsman.api.listening import HttpAddress
    from pointsman.xds.admission import Admission
    from pointsman.xds.server_tls import ServerTls


def server_tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None, *, unix: bool
) -> "ServerTls | None":
    """TLS of the port; None for plaintext.

    Raises:
        UsageError: the options do not fit together.
    """
    from pointsman.xds.server_tls import ServerTls

    options = {"--tls-cert": certificate, "--tls-key": key, "--client-ca": client_ca}
    given = [name for name, value in options.items() if value is not None]
    if not given:
        return None
    if unix:
        raise UsageError(f"{given[0]} is for TCP", hint="a Unix socket has permissions instead")
    if certificate is None or key is None:
        raise UsageError("TLS needs both --tls-cert and --tls-key")
    return ServerTls(certificate, key, client_ca)


def admission(
    tls: "ServerTls | None", identity: Path | None, trust_domain: str | None, *, any_node: bool
) -> "Admission":
    """Who may be which node.

    Certificates are believed with `--client-ca`, join tokens without it, if they come from the
    authority in the folder `identity`.

    Raises:
        UsageError: the options do not fit together.
        IdentityError: the authority cannot be used.
    """
    from pointsman.app.authority_folder import FolderTokens
    from pointsman.app.issuing import read_authority
    from pointsman.graph import spiffe
    from pointsman.xds.admission import Anyone, Proven

    if tls is None or any_node:
        if tls is not None and tls.client_ca is not None:
            raise UsageError("--any-node and --client-ca contradict each other")
        return Anyone()
    if tls.client_ca is not None:
        domain = trust_domain or spiffe.DEFAULT_TRUST_DOMAIN
        if identity is not None:
            domain = read_authority(identity, trust_domain).trust_domain
        return Proven(node_of_uri=partial(spiffe.node_id, trust_domain=domain))
    if identity is None:
        raise UsageError(
            "TLS without --client-ca or --identity: nothing tells which node a proxy is",
            hint="name the authority of their certificates or of their tokens, or say --any-node",
        )
    tokens = FolderTokens(identity, read_authority(identity, trust_domain).token_key)
    return Proven(node_of_token=tokens.node_id)


def socket_permissions(text: str) -> int:
    """Permissions of a Unix socket.

    Raises:
        UsageError: the text is no octal number of them.
    """
    try:
        mode = int(text, 8)
    except ValueError:
        mode = -1
    if not 0 <= mode <= 0o777:
        raise UsageError(f"--socket-mode {text}: not permissions", hint="for example 0660")
    return mode


def health_address(text: str) -> "HttpAddress":
    """Where health is answered for.

    Raises:
        UsageError: the text is no IP address with a port.
    """
    from pointsman.api.listening import HttpAddress

    host, port = parse_host_port("--health", text)
    return HttpAddress(parse_ip("--health", host), port)

"""TLS of listeners and clients, shared by VirtualGateway and VirtualNode."""

from typing import Annotated, Literal

from pydantic import Field

from pointsman.resources.kinds.base import Flag, Name, Port, Text, schema

FilePath = Annotated[str, Field(min_length=1, max_length=255)]


@schema
class AcmCertificate:
    """A certificate kept in AWS Certificate Manager."""

    certificate_arn: Text
    """ARN of the certificate."""


@schema
class FileCertificate:
    """A certificate in files beside the proxy."""

    certificate_chain: FilePath
    """PEM file with the certificate and its intermediates."""
    private_key: FilePath
    """PEM file with the private key."""


@schema
class SdsCertificate:
    """A certificate delivered by a local secret discovery service."""

    secret_name: Name
    """Name of the secret."""


@schema
class ListenerCertificate:
    """Where the listener's certificate comes from; exactly one."""

    acm: AcmCertificate | None = None
    """AWS Certificate Manager."""
    file: FileCertificate | None = None
    """Files."""
    sds: SdsCertificate | None = None
    """Secret discovery service."""


@schema
class ClientCertificate:
    """Where a client's certificate comes from; exactly one."""

    file: FileCertificate | None = None
    """Files."""
    sds: SdsCertificate | None = None
    """Secret discovery service."""


@schema
class AcmTrust:
    """Certificate authorities kept in AWS Private CA."""

    certificate_authority_arns: Annotated[tuple[Text, ...], Field(min_length=1, max_length=3)]
    """ARNs of the authorities."""


@schema
class FileTrust:
    """Certificate authorities in a file."""

    certificate_chain: FilePath
    """PEM file with the authorities' certificates."""


@schema
class Trust:
    """Whom to trust; exactly one."""

    acm: AcmTrust | None = None
    """AWS Private CA."""
    file: FileTrust | None = None
    """A file."""
    sds: SdsCertificate | None = None
    """Secret discovery service."""


@schema
class SubjectAlternativeNameMatch:
    """Accepted subject alternative names."""

    exact: tuple[Text, ...]
    """Names, each compared as a whole."""


@schema
class SubjectAlternativeNames:
    """Which subject alternative names a peer may present."""

    match: SubjectAlternativeNameMatch
    """The accepted names."""


@schema
class TlsValidation:
    """How the peer's certificate is verified."""

    trust: Trust
    """Whom to trust."""
    subject_alternative_names: SubjectAlternativeNames | None = None
    """Accepted names of the peer."""


@schema
class ListenerTls:
    """TLS of a listener."""

    mode: Literal["STRICT", "PERMISSIVE", "DISABLED"]
    """STRICT accepts only TLS, PERMISSIVE both, DISABLED none."""
    certificate: ListenerCertificate
    """The listener's certificate."""
    validation: TlsValidation | None = None
    """Requires and verifies client certificates."""


@schema
class ClientTls:
    """TLS towards backends."""

    enforce: Flag = True
    """Whether plaintext is refused."""
    ports: tuple[Port, ...] = ()
    """Destination ports this applies to; all when empty."""
    certificate: ClientCertificate | None = None
    """The client's own certificate."""
    validation: TlsValidation
    """How the backend's certificate is verified."""


@schema
class ClientPolicy:
    """Policy of connections towards backends."""

    tls: ClientTls | None = None
    """TLS towards backends."""


@schema
class BackendDefaults:
    """What applies to backends without a policy of their own."""

    client_policy: ClientPolicy | None = None
    """Policy of connections."""

"""VirtualNode of v1beta1."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, Strict

from pointsman.resources.key import Key
from pointsman.resources.kinds import tls
from pointsman.resources.kinds.base import (
    Flag,
    Name,
    Port,
    PortMapping,
    Protocol,
    Reference,
    Text,
    schema,
)
from pointsman.resources.kinds.listeners import HealthCheck, Logging
from pointsman.resources.kinds.virtual_node import (
    Backend,
    CloudMapAttribute,
    CloudMapServiceDiscovery,
    DnsServiceDiscovery,
    NodeListener,
    ServiceDiscovery,
    VirtualNodeSpec,
    VirtualServiceBackend,
)
from pointsman.resources.v1beta1.names import aws_name

Threshold = Annotated[int, Strict(), Field(ge=2, le=10)]


@schema
class HealthCheckV1:
    """Active health check; everything has a default."""

    healthy_threshold: Threshold = 10
    """Successes in a row after which an endpoint is healthy."""
    unhealthy_threshold: Threshold = 2
    """Failures in a row after which an endpoint is unhealthy."""
    interval_millis: Annotated[int, Strict(), Field(ge=5000, le=300_000)] = 30_000
    """Milliseconds between checks."""
    timeout_millis: Annotated[int, Strict(), Field(ge=2000, le=60_000)] = 5000
    """Milliseconds to wait for an answer."""
    protocol: Protocol | None = None
    """Protocol of the check; the listener's by default."""
    path: Text | None = None
    """Path requested by http and http2 checks."""
    port: Port | None = None
    """Port checked; must be the listener's own."""


@schema
class AcmCertificateV1:
    """A certificate kept in AWS Certificate Manager."""

    certificate_arn: Text = Field(validation_alias="certificateArn")
    """ARN of the certificate."""


@schema
class ListenerCertificateV1:
    """Where the listener's certificate comes from; exactly one."""

    acm: AcmCertificateV1 | None = None
    """AWS Certificate Manager."""
    file: tls.FileCertificate | None = None
    """Files."""


@schema
class ListenerTlsV1:
    """TLS of a listener."""

    mode: Literal["STRICT", "PERMISSIVE", "DISABLED"]
    """STRICT accepts only TLS, PERMISSIVE both, DISABLED none."""
    certificate: ListenerCertificateV1
    """The listener's certificate."""


@schema
class ListenerV1:
    """A port of the application."""

    port_mapping: PortMapping
    """Port and protocol."""
    health_check: HealthCheckV1 | None = None
    """Active check, done by every client's proxy."""
    tls: ListenerTlsV1 | None = None
    """TLS, done by the node's own proxy."""


@schema
class AcmTrustV1:
    """Certificate authorities kept in AWS Private CA."""

    certificate_authority_arns: tuple[Text, ...] = Field(
        validation_alias="certificateAuthorityArns", min_length=1, max_length=3
    )
    """ARNs of the authorities."""


@schema
class TrustV1:
    """Whom to trust; exactly one."""

    acm: AcmTrustV1 | None = None
    """AWS Private CA."""
    file: tls.FileTrust | None = None
    """A file."""


@schema
class ValidationV1:
    """How the peer's certificate is verified."""

    trust: TrustV1
    """Whom to trust."""


@schema
class ClientTlsV1:
    """TLS towards backends."""

    enforce: Flag = True
    """Whether plaintext is refused."""
    ports: tuple[Port, ...] = ()
    """Destination ports this applies to; all when empty."""
    validation: ValidationV1
    """How the backend's certificate is verified."""


@schema
class ClientPolicyV1:
    """Policy of connections towards backends."""

    tls: ClientTlsV1 | None = None
    """TLS towards backends."""


@schema
class BackendDefaultsV1:
    """What applies to backends without a policy of their own."""

    client_policy: ClientPolicyV1 | None = None
    """Policy of connections."""


@schema
class ServiceBackendV1:
    """A service the application calls."""

    virtual_service_name: Name
    """Name of the VirtualService."""
    client_policy: ClientPolicyV1 | None = None
    """Policy of connections towards it."""


@schema
class BackendV1:
    """Something the application calls."""

    virtual_service: ServiceBackendV1
    """A virtual service."""


@schema
class DnsV1:
    """Endpoints found by DNS."""

    host_name: Annotated[str, Strict(), Field(min_length=1)]
    """Name to look up."""


@schema
class CloudMapV1:
    """Endpoints found in an AWS Cloud Map service."""

    namespace_name: Annotated[str, Strict(), Field(min_length=1, max_length=1024)]
    """Cloud Map namespace."""
    service_name: Annotated[str, Strict(), Field(min_length=1, max_length=1024)]
    """Cloud Map service."""
    attributes: Mapping[Name, Annotated[str, Strict(), Field(max_length=1024)]] = Field(
        default_factory=dict
    )
    """Attributes instances must have, all of them."""


@schema
class ServiceDiscoveryV1:
    """Where the application is found; exactly one of the two."""

    dns: DnsV1 | None = None
    """DNS."""
    cloud_map: CloudMapV1 | None = None
    """AWS Cloud Map."""


@schema
class VirtualNodeV1Beta1:
    """Spec of a v1beta1 VirtualNode."""

    mesh_name: Name
    """The mesh."""
    listeners: tuple[ListenerV1, ...] = ()
    """Ports of the application."""
    service_discovery: ServiceDiscoveryV1 | None = None
    """Where the application is found."""
    backends: tuple[BackendV1, ...] = ()
    """Services the application calls."""
    backend_defaults: BackendDefaultsV1 | None = None
    """Policy of connections towards backends without one of their own."""
    logging: Logging | None = None
    """Access log."""


def convert(spec: VirtualNodeV1Beta1, key: Key) -> VirtualNodeSpec:
    """The same in v1beta2, with the old defaults written out."""
    policy = spec.backend_defaults.client_policy if spec.backend_defaults else None
    return VirtualNodeSpec(
        aws_name=aws_name(key),
        mesh_name=spec.mesh_name,
        listeners=tuple(_listener(listener) for listener in spec.listeners),
        service_discovery=_discovery(spec.service_discovery) if spec.service_discovery else None,
        backends=tuple(_backend(backend.virtual_service) for backend in spec.backends),
        backend_defaults=tls.BackendDefaults(client_policy=_policy(policy)) if policy else None,
        logging=spec.logging,
    )


def _listener(listener: ListenerV1) -> NodeListener:
    check, mapping = listener.health_check, listener.port_mapping
    return NodeListener(
        port_mapping=mapping,
        health_check=_health_check(check, mapping.protocol) if check else None,
        tls=_listener_tls(listener.tls) if listener.tls else None,
    )


def _health_check(check: HealthCheckV1, protocol: Protocol) -> HealthCheck:
    return HealthCheck(
        healthy_threshold=check.healthy_threshold,
        unhealthy_threshold=check.unhealthy_threshold,
        interval_millis=check.interval_millis,
        timeout_millis=check.timeout_millis,
        protocol=check.protocol or protocol,
        path=check.path,
        port=check.port,
    )


def _listener_tls(block: ListenerTlsV1) -> tls.ListenerTls:
    acm = block.certificate.acm
    return tls.ListenerTls(
        mode=block.mode,
        certificate=tls.ListenerCertificate(
            acm=tls.AcmCertificate(certificate_arn=acm.certificate_arn) if acm else None,
            file=block.certificate.file,
        ),
    )


def _discovery(discovery: ServiceDiscoveryV1) -> ServiceDiscovery:
    dns, cloud = discovery.dns, discovery.cloud_map
    return ServiceDiscovery(
        dns=DnsServiceDiscovery(hostname=dns.host_name) if dns else None,
        aws_cloud_map=CloudMapServiceDiscovery(
            namespace_name=cloud.namespace_name,
            service_name=cloud.service_name,
            attributes=tuple(
                CloudMapAttribute(key=name, value=value) for name, value in cloud.attributes.items()
            ),
        )
        if cloud
        else None,
    )


def _backend(service: ServiceBackendV1) -> Backend:
    return Backend(
        virtual_service=VirtualServiceBackend(
            virtual_service_ref=Reference(name=service.virtual_service_name),
            client_policy=_policy(service.client_policy) if service.client_policy else None,
        )
    )


def _policy(policy: ClientPolicyV1) -> tls.ClientPolicy:
    if policy.tls is None:
        return tls.ClientPolicy()
    trust = policy.tls.validation.trust
    acm = (
        tls.AcmTrust(certificate_authority_arns=trust.acm.certificate_authority_arns)
        if trust.acm
        else None
    )
    return tls.ClientPolicy(
        tls=tls.ClientTls(
            enforce=policy.tls.enforce,
            ports=policy.tls.ports,
            validation=tls.TlsValidation(trust=tls.Trust(acm=acm, file=trust.file)),
        )
    )

"""The name of every Envoy resource, made in one place.

They are App Mesh's own where it had one, because dashboards and runbooks search for them.
"""

import re
from collections.abc import Iterator
from typing import Final

from pointsman.graph.model.cluster import Cluster
from pointsman.graph.model.gateway import Domain, Gateway, GatewayRule, Listener
from pointsman.graph.model.route import Route, Service
from pointsman.graph.model.sidecar import IngressListener, Sidecar
from pointsman.graph.model.tls import Certificate, Trust
from pointsman.resources.kinds.tls import FileCertificate, FileTrust, SdsCertificate

IDENTITY = "pointsman_identity"
"""The secret with the certificate the mesh's own authority issued to the proxy."""
TRUST = "pointsman_trust"
"""The secret with the mesh's own authorities."""
XDS_CLUSTER = "pointsman_xds"
"""The cluster of the control plane; proxies are born with it."""
METRICS_CLUSTER = "pointsman_metrics"
"""The control plane once more, for reports of what proxies count."""
SDS_CLUSTER = "static_cluster_sds_unix_socket"
"""The cluster of the local secret discovery service; proxies are born with it."""
OWN_HEADERS = "x-pointsman-"
"""How headers begin that proxies write for each other and for backends, and take from clients."""
CONSUMER_HEADER = "x-pointsman-consumer"
"""Tells backends who calls, as `NAMESPACE/NAME`."""
CREDENTIAL_HEADER = "x-pointsman-credential"
"""Tells backends by which credential, by its id."""
GROUPS_HEADER = "x-pointsman-groups"
"""Tells backends the groups of who calls, each between commas: `,gold,partners,`."""
PRINCIPAL_HEADER = "x-pointsman-principal"
"""The three in one, as the tables of credentials have them; it never leaves the proxy."""
SUBJECT_HEADER = "x-pointsman-subject"
"""What a token or a certificate says of itself, before the consumer is known."""
URI_HEADER = "x-pointsman-uri"
"""The URI in the client's certificate."""
DNS_HEADER = "x-pointsman-dns"
"""The DNS name in the client's certificate."""
PATH_HEADER = "x-pointsman-path"
"""Tells the second pass the path as it came."""
SECOND_PASS_HEADER = "x-pointsman-second-pass"
"""Tells the second pass which target of which gateway route was chosen."""
_WAY: Final = re.compile(r"_[0-9]+$")


def cluster(item: Cluster) -> str:
    """`cds_egress_MESH_NODE_PROTOCOL_PORT`."""
    return f"cds_egress_{item.mesh}_{item.node_name}_{item.protocol}_{item.port}"


def cluster_way(name: str, index: int) -> str:
    """The name of a cluster as it is called in one of several ways; the first keeps its name."""
    return name if index == 0 else f"{name}_{index + 1}"


def without_way(name: str) -> str:
    """The name of a cluster that is called in another way than the first."""
    return _WAY.sub("", name)


INGRESS_CAPTURE = "lds_ingress_0.0.0.0_15000"
"""The listener for connections from outside that the kernel redirects."""
EGRESS_CAPTURE = "lds_egress_0.0.0.0_15001"
"""The listener for the application's own connections that the kernel redirects."""

NOWHERE = "cds_egress_nowhere"
"""The cluster of connections that may go nowhere."""
EGRESS_PROXY = "rds_egress_proxy"
"""Routes of the listener that applications use as their HTTP proxy, where nothing is redirected."""


def ingress_cluster(sidecar: Sidecar, item: IngressListener) -> str:
    """`cds_ingress_MESH_NODE_PROTOCOL_PORT`: the application itself."""
    return f"cds_ingress_{sidecar.mesh_name}_{sidecar.name}_{item.protocol}_{item.port}"


def egress_listener(port: int) -> str:
    """The listener for what an application calls on one port, where nothing is redirected."""
    return f"lds_egress_0.0.0.0_port_{port}"


def egress_routes(port: int) -> str:
    """`rds_egress_http_PORT`."""
    return f"rds_egress_http_{port}"


def allow_all(sidecar: Sidecar) -> str:
    """The cluster through which connections pass to where they were going."""
    return f"cds_egress_{sidecar.mesh_name}_mesh-allow-all"


def amazonaws(sidecar: Sidecar) -> str:
    """The same for AWS's own services, which App Mesh never closes."""
    return f"cds_egress_{sidecar.mesh_name}_amazonaws"


def service_route(service: Service, item: Route) -> str:
    """`SERVICE/ROUTE` with the service's name inside App Mesh."""
    return service.name if item.name is None else f"{service.name}/{item.name}"


def listener(item: Listener | IngressListener) -> str:
    """`lds_ingress_0.0.0.0_port_PORT`, whatever address it is bound to."""
    return f"lds_ingress_0.0.0.0_port_{item.port}"


def route_config(item: Listener | IngressListener) -> str:
    """`rds_ingress_PROTOCOL_PORT`."""
    return f"rds_ingress_{item.protocol}_{item.port}"


def virtual_host(parent: str, domain: Domain) -> str:
    """`ROUTE_CONFIG/DOMAIN`: Envoy deals virtual hosts out by what stands before the slash."""
    return f"{parent}/{domain}"


def stat_prefix(item: Listener | IngressListener, siblings: int) -> str:
    """`ingress`, or `ingress.PROTOCOL.PORT` for one of several listeners.

    Args:
        item: the listener.
        siblings: how many listeners there are, itself included.
    """
    return "ingress" if siblings == 1 else f"ingress.{item.protocol}.{item.port}"


def egress_stat_prefix(port: int, siblings: int) -> str:
    """`egress`, or `egress.PORT` for one of several ports."""
    return "egress" if siblings == 1 else f"egress.{port}"


def pool_cluster(gateway: Gateway, item: Listener) -> str:
    """The cluster through which a listener's connection pool limits what passes."""
    return (
        f"cds_ingress_{gateway.mesh}_{gateway.name}_self_redirect_{item.port}_{item.protocol}_15001"
    )


def pool_listener(item: Listener) -> str:
    """The internal listener behind `pool_cluster`."""
    return f"lds_egress_pool_{item.port}"


def second_pass_cluster(gateway: Gateway, item: Listener) -> str:
    """The cluster of the second pass, for routes that cannot be folded into one."""
    return f"cds_ingress_{gateway.mesh}_{gateway.name}_second_pass_{item.port}_{item.protocol}"


def second_pass_listener(item: Listener) -> str:
    """The internal listener behind `second_pass_cluster`."""
    return f"lds_egress_second_pass_{item.port}"


def second_pass_routes(item: Listener) -> str:
    """The route configuration of the second pass."""
    return f"rds_egress_second_pass_{item.port}"


def second_pass_mark(rule: GatewayRule, index: int) -> str:
    """What the first pass writes into the second pass's header, for one of a rule's targets."""
    return f"{rule.key.path}>{index}"


def route(rule: GatewayRule, item: Route | None) -> str:
    """`NAMESPACE/GATEWAY_ROUTE`, and the router's route behind a second slash."""
    return rule.key.path if item is None or item.name is None else f"{rule.key.path}/{item.name}"


def routes(rule: GatewayRule) -> Iterator[str]:
    """Names of all routes that a gateway route becomes, some several times."""
    yield route(rule, None)
    for target in rule.targets:
        yield from (route(rule, item) for item in target.service.routes)


def route_stat(name: str) -> str:
    """How the statistics of a route are called: its name with `~` for dots, which part names there.

    No name of an object has a `~`.
    """
    return name.replace(".", "~")


def certificate_secret(material: Certificate) -> str:
    """`certificate:CHAIN,KEY` for files; what others deliver has the name they gave it."""
    match material:
        case FileCertificate():
            return f"certificate:{material.certificate_chain},{material.private_key}"
        case SdsCertificate():
            return material.secret_name
    return IDENTITY


def certificate_file(secret: str) -> str | None:
    """The file of a chain, of a secret that `certificate_secret` named; None of another one."""
    begin, _, files = secret.partition(":")
    return files.partition(",")[0] if begin == "certificate" else None


def file_secret(file: str) -> str:
    """`file:PATH`: whatever else stands in a file."""
    return f"file:{file}"


def trust_secret(material: Trust) -> str:
    """`authorities:CHAIN` for a file; what others deliver has the name they gave it."""
    match material:
        case FileTrust():
            return f"authorities:{material.certificate_chain}"
        case SdsCertificate():
            return material.secret_name
    return TRUST

"""U08 and U09: endpoints that are never found, or taken away all at once."""

from collections.abc import Iterator
from dataclasses import replace

from pointsman.doctor.catalogue.availability import EJECTS_ALL, NO_SUCH_NAME
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Finding, fact, found
from pointsman.doctor.paths import clusters
from pointsman.doctor.written import listener_field
from pointsman.graph.model.cluster import Cluster, is_ip
from pointsman.resources.kinds.virtual_node import (
    DnsServiceDiscovery,
    OutlierDetection,
    ServiceDiscovery,
)
from pointsman.resources.problem import Severity
from pointsman.resources.words import shown

_LONGEST_LABEL = 63
_LONGEST_NAME = 253


def useless_ejections(evidence: Evidence) -> Iterator[Finding]:
    """Outlier detection that may leave nobody, or that changes nothing."""
    for cluster in clusters(evidence):
        if cluster.outlier_detection is not None:
            yield from _ejections(evidence, cluster, cluster.outlier_detection)


def _ejections(
    evidence: Evidence, cluster: Cluster, detection: OutlierDetection
) -> Iterator[Finding]:
    one = _is_one_endpoint(cluster)
    panics = cluster.balancing.panic_percent != 0
    path = listener_field(evidence, cluster.node, cluster.port, "outlierDetection")
    single = fact("an endpoint found as LOADBALANCER is one, whatever stands behind its name")
    if one and panics:
        message = "the only endpoint is called even while it is ejected, so nothing is gained"
        advice = "set serviceDiscovery.dns.responseType to ENDPOINTS, or remove outlierDetection"
        finding = found(EJECTS_ALL, cluster.node, path, message, single, advice=advice)
        yield replace(finding, severity=Severity.NOTE)
    elif not panics and (one or detection.max_ejection_percent == 100):
        message = "all endpoints may be ejected, and then none is called: requests are answered 503"
        known = fact("panicThreshold is 0, so ejected endpoints are not called in need")
        facts = (known, single) if one else (known, fact("maxEjectionPercent is 100"))
        advice = "lower maxEjectionPercent, or let panicThreshold be more than 0"
        yield found(EJECTS_ALL, cluster.node, path, message, *facts, advice=advice)


def _is_one_endpoint(cluster: Cluster) -> bool:
    discovery = cluster.discovery
    by_name = isinstance(discovery, DnsServiceDiscovery) and discovery.response_type != "ENDPOINTS"
    return by_name and cluster.endpoints is None


def names_without_addresses(evidence: Evidence) -> Iterator[Finding]:
    """Nodes whose host name has no address, ever."""
    for key, node in evidence.resources.of("VirtualNode").items():
        discovery: ServiceDiscovery | None = node.spec.service_discovery
        dns = discovery.dns if discovery is not None else None
        why = _never_found(dns.hostname) if dns is not None else ""
        if dns is not None and why:
            path = ("spec", "serviceDiscovery", "dns", "hostname")
            message = f"{shown(dns.hostname)} is never found: {why}"
            yield found(NO_SUCH_NAME, key, path, message, advice="correct the host name")


def _never_found(hostname: str) -> str:
    """Why a name has no address; "" when it may have one."""
    name = hostname.removesuffix(".")
    if is_ip(name):
        return ""
    labels = name.split(".")
    if not all(labels):
        return "one of its labels is empty"
    if max(map(len, labels)) > _LONGEST_LABEL:
        return f"a label has more than {_LONGEST_LABEL} characters"
    if len(name) > _LONGEST_NAME:
        return f"it has more than {_LONGEST_NAME} characters"
    return "there are no names below invalid" if labels[-1].lower() == "invalid" else ""

"""U20: TLS that one side wants and the other has not.

Where the other side is not a proxy of the mesh nobody here can tell what it speaks; so a node is
taken to speak plaintext only where its listener says so.
"""

from collections.abc import Iterator

from pointsman.doctor.catalogue.availability import ONE_SIDED_TLS
from pointsman.doctor.evidence import Evidence
from pointsman.doctor.finding import Fact, Finding, fact, found
from pointsman.doctor.paths import Connection, connections
from pointsman.doctor.written import listener_field
from pointsman.graph.tls import upstream_tls
from pointsman.resources.key import Key

_EXAMPLES = 3
"""Callers that are named where one listener has many."""


def one_sided_tls(evidence: Evidence) -> Iterator[Finding]:
    """Listeners that some caller cannot connect to."""
    plain: dict[tuple[Key, int], list[Key]] = {}
    bare: dict[tuple[Key, int], list[Key]] = {}
    for connection in connections(evidence):
        where = (connection.cluster.node, connection.cluster.port)
        if _meets_plaintext(evidence, connection):
            plain.setdefault(where, []).append(connection.caller)
        if _lacks_certificate(connection):
            bare.setdefault(where, []).append(connection.caller)
    for (node, port), callers in plain.items():
        path = listener_field(evidence, node, port, "tls", "mode")
        message = f"callers speak TLS to port {port}, whose listener has TLS disabled"
        advice = "let the mode be STRICT or PERMISSIVE, or let callers not enforce TLS"
        facts = _callers(callers, "enforces TLS")
        yield found(ONE_SIDED_TLS, node, path, message, *facts, advice=advice)
    for (node, port), callers in bare.items():
        path = listener_field(evidence, node, port, "tls", "validation")
        message = f"port {port} asks for client certificates, and callers have none"
        advice = "add clientPolicy.tls.certificate to the callers, or remove the validation"
        facts = _callers(callers, "has no certificate for its connections")
        yield found(ONE_SIDED_TLS, node, path, message, *facts, advice=advice)


def _callers(callers: list[Key], what: str) -> tuple[Fact, ...]:
    named = tuple(fact(f"{key} {what}", key, ("spec",)) for key in callers[:_EXAMPLES])
    more = len(callers) - _EXAMPLES
    return (*named, fact(f"so do {more} more")) if more > 0 else named


def _meets_plaintext(evidence: Evidence, connection: Connection) -> bool:
    cluster = connection.cluster
    if cluster.tls is not None or upstream_tls(connection.tls, cluster) is None:
        return False
    resource = evidence.resources.get(cluster.node)
    listeners = resource.spec.listeners if resource is not None else ()
    return any(
        item.port_mapping.port == cluster.port and item.tls and item.tls.mode == "DISABLED"
        for item in listeners
    )


def _lacks_certificate(connection: Connection) -> bool:
    server = connection.cluster.tls
    client = upstream_tls(connection.tls, connection.cluster)
    asks = server is not None and server.trust is not None
    return asks and client is not None and client.certificate is None

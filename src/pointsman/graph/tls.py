"""What a caller does about TLS towards one server: the client's policy and the server's own.

App Mesh let both have a say. A policy that enforces TLS is followed whatever the server speaks;
without one a caller still speaks TLS to every server that is known to.
"""

from dataclasses import dataclass

from pointsman.graph.model.cluster import Cluster, discovered_as, is_ip
from pointsman.graph.model.tls import Certificate, ClientTls, Issued, Trust


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """TLS of the connections to one cluster.

    Attributes:
        certificate: shown when the server asks; None shows none.
        trust: who must have signed the server's certificate; None takes any certificate.
        names: accepted subject alternative names of the server; any when empty.
        sni: name the caller asks for; "" for none, as an IP address must not be one.
    """

    certificate: Certificate | None = None
    trust: Trust | None = None
    names: tuple[str, ...] = ()
    sni: str = ""


def upstream_tls(policy: ClientTls | None, cluster: Cluster) -> UpstreamTls | None:
    """How a caller with a policy connects to a cluster; None is plaintext.

    - A server with an identity of the mesh: mutual TLS by identities, whatever the policy says.
      It enforces no less, and files of before need not outlive the move to MeshTLS.
    - A policy for the port that enforces TLS: TLS, even to a server that does not speak it, so
      that the connection fails rather than being in the clear.
    - One that does not enforce it: TLS to servers known to speak it, verified all the same.
    - None for the port: TLS to servers known to speak it. Their certificates are verified only
      where it is known who signed them (`ServerTls.authority`), and by chain alone.

    An application without its proxy in front speaks no TLS, so it is called in plaintext. (App
    Mesh user guide, "Transport Layer Security".)
    """
    if cluster.bare:
        return None
    if cluster.tls is not None and cluster.tls.identity:
        return UpstreamTls(Issued(), Issued(), (cluster.tls.identity,), _sni(cluster))
    if policy is None or (policy.ports and cluster.port not in policy.ports):
        if cluster.tls is None:
            return None
        return UpstreamTls(trust=cluster.tls.authority, sni=_sni(cluster))
    if not policy.enforce and cluster.tls is None:
        return None
    names = policy.names or (discovered_as(cluster.discovery) or cluster.node_name,)
    return UpstreamTls(policy.certificate, policy.trust, names, _sni(cluster))


def _sni(cluster: Cluster) -> str:
    name = discovered_as(cluster.discovery)
    return "" if is_ip(name) else name

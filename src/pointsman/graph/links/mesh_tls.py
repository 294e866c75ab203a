"""MeshTLS: listeners that show, and ask for, what the mesh's own authority issues."""

from typing import Literal

from pointsman.errors import IdentityError
from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings
from pointsman.graph.links.policies import Effective, Target
from pointsman.graph.model.tls import Issued, ServerTls
from pointsman.graph.spiffe import spiffe_id
from pointsman.resources.codes import enforcement
from pointsman.resources.key import Key
from pointsman.resources.kinds.mesh_tls import MeshTLSSpec
from pointsman.resources.origin import FieldPath

KIND = "MeshTLS"


def node_policy(context: Context, node: Key, port: int, mesh: Key) -> Effective | None:
    """The policy of a virtual node's listener: its own, the node's, or the mesh's."""
    targets = (Target(node, str(port)), Target(node), Target(mesh))
    return context.policies.effective(KIND, targets)


def gateway_policy(context: Context, gateway: Key, port: int) -> Effective | None:
    """The policy of a gateway's listener: its own or the gateway's.

    The mesh's is none of theirs: whoever calls a gateway from outside has no identity.
    """
    targets = (Target(gateway, str(port)), Target(gateway))
    return context.policies.effective(KIND, targets)


def issued_tls(node_id: str, trust_domain: str, policy: Effective | None) -> ServerTls | None:
    """TLS of a listener by its policy; None for plaintext.

    One whose proxies cannot have an identity has no certificate, so it cannot be served.
    """
    mode = _mode(policy)
    if mode is None:
        return None
    try:
        identity = spiffe_id(node_id, trust_domain)
    except IdentityError:
        return ServerTls(mode, None, Issued())
    return ServerTls(mode, Issued(), Issued(), identity=identity)


def report_issued(
    own: ServerTls | None,
    issued: ServerTls | None,
    policy: Effective | None,
    path: FieldPath,
    findings: Findings,
) -> None:
    """What is wrong with a listener's policy.

    Args:
        own: TLS of the listener's own block.
        issued: TLS by the policy.
        policy: the policy.
        path: where the listener stands.
        findings: takes the problems.
    """
    if policy is None or issued is None:
        return
    name = policy.origins[0].policy
    if own is not None:
        message = f"{name} leaves this listener alone: it has certificates of its own"
        findings.add(enforcement.OWN_CERTIFICATE, (*path, "tls"), message)
    elif issued.certificate is None:
        message = f"its name cannot become a SPIFFE id, so {name} keeps the listener closed"
        findings.add(enforcement.NO_IDENTITY, path, message)


def uses_identities(context: Context) -> bool:
    """Whether any proxy needs what the mesh's own authority issues."""
    attached = context.policies.by_kind.get(KIND, {}).values()
    return any(item.spec.mode != "DISABLED" for item in attached)


def _mode(policy: Effective | None) -> Literal["STRICT", "PERMISSIVE"] | None:
    if policy is None:
        return None
    spec: MeshTLSSpec = policy.spec
    return None if spec.mode == "DISABLED" else spec.mode

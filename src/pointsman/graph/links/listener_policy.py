"""ListenerPolicy: what listeners of gateways and nodes do for their clients."""

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.model.listener import PLAIN, Compression, Extras
from pointsman.resources.codes import notes
from pointsman.resources.key import Key
from pointsman.resources.kinds.listener_policy import ListenerPolicySpec

KIND = "ListenerPolicy"
_DEFAULT: Linked[Extras] = Linked(PLAIN)


def link_extras(context: Context, owner: Key, port: int, protocol: str) -> Linked[Extras]:
    """What a listener's own policy, or that of its gateway or node, adds to it."""
    found = context.policies.effective(KIND, (Target(owner, str(port)), Target(owner)))
    if found is None:
        return _DEFAULT
    attached = found.origins[0]
    result: Linked[Extras] = context.memo.get(
        ("extras", owner, port),
        (attached, protocol),
        lambda: _link(attached, port, protocol),
    )
    return result


def _link(attached: Attached, port: int, protocol: str) -> Linked[Extras]:
    findings = Findings(attached.policy)
    spec: ListenerPolicySpec = attached.spec
    owner = attached.target.key
    if protocol == "tcp":
        message = f"listener {port} of {owner} carries TCP, which is passed on as it is"
        findings.add(notes.NO_EFFECT, attached.path, message)
        return linked(PLAIN, findings.problems)
    tunnels = "CONNECT" in spec.upgrades
    if tunnels and owner.kind != "VirtualGateway":
        message = f"CONNECT is of use at a virtual gateway; {owner} passes all on to one place"
        findings.add(notes.NO_EFFECT, ("spec", "upgrades"), message)
        tunnels = False
    compression = spec.compression
    extras = Extras(
        compression=None
        if compression is None
        else Compression(compression.encodings, compression.min_bytes, compression.content_types),
        websocket="WEBSOCKET" in spec.upgrades,
        tunnels=tunnels,
    )
    return linked(extras, findings.problems)

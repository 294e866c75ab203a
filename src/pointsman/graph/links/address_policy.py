"""AddressPolicy: TCP services that share a port, told apart by the address that is called."""

import ipaddress
from collections.abc import Collection
from functools import partial

from pointsman.graph.links.context import Context
from pointsman.graph.links.linked import Findings, Linked, linked
from pointsman.graph.links.policies import Attached, Target
from pointsman.graph.links.services import service_listeners
from pointsman.resources.codes import notes, routing
from pointsman.resources.key import Key

KIND = "AddressPolicy"


def addresses_of(context: Context, service: Key) -> tuple[str, ...]:
    """Ranges of addresses by which a service is called; () for any address."""
    attached = context.policies.at(KIND, Target(service))
    if attached is None:
        return ()
    ranges = (ipaddress.ip_network(item, strict=False) for item in attached.spec.addresses)
    return tuple(dict.fromkeys(map(str, ranges)))


def check_addresses(context: Context) -> None:
    """Notes what a policy cannot do for its service."""
    for attached in context.policies.by_kind.get(KIND, {}).values():
        service = context.resources.get(attached.target.key)
        assert service is not None
        protocols = {item.protocol for item in service_listeners(context, service)}
        step = ("addresses", attached.target.key)
        context.memo.get(step, (attached, protocols), partial(_notes, attached, protocols))


def _notes(attached: Attached, protocols: Collection[str]) -> Linked[None]:
    findings = Findings(attached.policy)
    if "tcp" in protocols:
        message = f"connections to {attached.target.key} are told apart where they are redirected"
        findings.add(routing.NEEDS_CAPTURE, attached.path, message)
    else:
        message = f"{attached.target.key} has no TCP port; HTTP services are told apart by host"
        findings.add(notes.NO_EFFECT, attached.path, message)
    return linked(None, findings.problems)

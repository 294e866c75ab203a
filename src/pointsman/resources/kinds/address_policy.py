"""AddressPolicy: tells TCP services on one port apart by the address that is called."""

from typing import Annotated, ClassVar

from pydantic import Field

from pointsman.resources.kinds.base import Name, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets


@schema
class AddressPolicySpec:
    """Spec of an AddressPolicy."""

    TARGETS: ClassVar = Targets(("VirtualService",))

    target_refs: TargetRefs
    """The service that connections to these addresses are for."""
    addresses: Annotated[tuple[Name, ...], Field(min_length=1, max_length=64)]
    """Addresses and ranges such as 10.1.2.3 and 10.8.0.0/16: those under which applications
    call the service."""

"""Rules of AddressPolicy."""

import ipaddress
from collections.abc import Iterator

from pointsman.resources.codes import fields as codes
from pointsman.resources.kinds.address_policy import AddressPolicySpec
from pointsman.resources.origin import FieldPath, show_path
from pointsman.resources.problem import Problem
from pointsman.resources.resource import Resource
from pointsman.resources.rules.common import SPEC
from pointsman.resources.rules.targets import check_targets
from pointsman.resources.words import shown


def check(resource: Resource[AddressPolicySpec]) -> Iterator[Problem]:
    """Targets, and addresses that are some."""
    yield from check_targets(resource)
    for index, address in enumerate(resource.spec.addresses):
        path: FieldPath = (*SPEC, "addresses", index)
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            message = f"{show_path(path)} is {shown(address)}, not an address and not a range"
            hint = "write 10.1.2.3 or 10.8.0.0/16; names are not looked up"
            yield Problem(codes.BAD_FORMAT, message, hint, resource.key, path)

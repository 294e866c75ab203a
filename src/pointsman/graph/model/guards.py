"""What stands before a route: policies that may turn a request away.

Each kind of policy has a slot, and the nearest one that has something in it counts, as a whole:
a policy of a route replaces that of its gateway, and one of limits never replaces one of access.
"""

from dataclasses import dataclass

from pointsman.graph.model.access import Access
from pointsman.graph.model.limits import Limits


@dataclass(frozen=True, slots=True)
class Guards:
    """The slots.

    Attributes:
        access: who may call.
        limits: how often.
    """

    access: Access | None = None
    limits: Limits | None = None


NO_GUARDS = Guards()


def nearest(*guards: Guards) -> Guards:
    """What counts of several guards, the nearest one first."""
    found = [item for item in guards if item is not NO_GUARDS]
    if len(found) < 2:
        return found[0] if found else NO_GUARDS
    return Guards(
        access=next((item.access for item in found if item.access is not None), None),
        limits=next((item.limits for item in found if item.limits is not None), None),
    )

"""Node ids, in every form an App Mesh proxy gives them.

    mesh/shop/virtualNode/cart_shop
    mesh/shop@123456789012/virtualGateway/edge_shop
    arn:aws:appmesh:eu-west-1:123456789012:mesh/shop/virtualNode/cart_shop

Source: the App Mesh agent takes `APPMESH_RESOURCE_ARN` as `node.id` as it is. All replicas of a
virtual node give the same one, so an id never tells one proxy from another.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

_NODE_ID: Final = re.compile(
    r"(?:arn:(?:aws|aws-cn|aws-us-gov):appmesh(?:-preview)?:[a-z0-9-]+:[0-9]{12}:)?"
    r"mesh/(?P<mesh>[^/@\s]+)(?:@(?P<owner>[^/@\s]+))?"
    r"/(?P<kind>virtualNode|virtualGateway)/(?P<name>[^/\s]+)"
)

FORMS: Final = "mesh/MESH/virtualNode/NAME or mesh/MESH/virtualGateway/NAME, or the ARN of one"


@dataclass(frozen=True, slots=True)
class NodeId:
    """A node id, whatever its form.

    Attributes:
        mesh: name of the mesh.
        owner: account that owns the mesh; "" when it is not named.
        kind: `virtualNode` or `virtualGateway`.
        name: the node's or the gateway's name inside App Mesh.
    """

    mesh: str
    owner: str
    kind: str
    name: str

    def matches(self, other: "NodeId") -> bool:
        """Whether both may mean the same: a mesh is named with its owner or without."""
        same = (self.mesh, self.kind, self.name) == (other.mesh, other.kind, other.name)
        return same and (self.owner == other.owner or not self.owner or not other.owner)


def parse_node_id(text: str) -> NodeId | None:
    """The node id in a text of any form; None when it has none of them."""
    found = _NODE_ID.fullmatch(text)
    if found is None:
        return None
    return NodeId(found["mesh"], found["owner"] or "", found["kind"], found["name"])


class Identified(Protocol):
    """What has a node id."""

    @property
    def node_id(self) -> str:
        """The id its proxies give."""


IdentifiedT = TypeVar("IdentifiedT", bound=Identified)


class Directory(Generic[IdentifiedT]):
    """Finds what a node id means.

    Args:
        items: what there is.
    """

    def __init__(self, items: Iterable[IdentifiedT] = ()) -> None:
        self._items: dict[tuple[str, str, str], list[tuple[NodeId, IdentifiedT]]] = {}
        for item in items:
            known = parse_node_id(item.node_id)
            if known is not None:
                place = (known.mesh, known.kind, known.name)
                self._items.setdefault(place, []).append((known, item))

    def find(self, text: str) -> IdentifiedT | None:
        """What a node id in any form means.

        Of meshes of one name the owner decides; without one, and with several, nothing is found.
        """
        asked = parse_node_id(text)
        if asked is None:
            return None
        known = self._items.get((asked.mesh, asked.kind, asked.name), [])
        exact = [item for found, item in known if found.owner == asked.owner]
        matching = exact or [item for found, item in known if found.matches(asked)]
        return matching[0] if len(matching) == 1 else None

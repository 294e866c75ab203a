"""What translation gives: sealed resources by type and name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pointsman.envoy.sealed import Sealed
from pointsman.graph.model.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Bundle:
    """All resources of one node class.

    Attributes:
        resources: type URL -> resource name -> sealed resource, both in sorted order.
        supplied: clusters whose endpoints are still to be added, by resource name.
    """

    resources: Mapping[str, Mapping[str, Sealed]]
    supplied: Mapping[str, Cluster] = field(default_factory=dict)


def bundle(items: Iterable[Sealed], supplied: Mapping[str, Cluster]) -> Bundle:
    """Sorts sealed resources by type and name; of two with one name the first stays."""
    by_type: dict[str, dict[str, Sealed]] = {}
    for item in items:
        by_type.setdefault(item.type_url, {}).setdefault(item.name, item)
    resources = {kind: dict(sorted(by_type[kind].items())) for kind in sorted(by_type)}
    return Bundle(resources, supplied)

"""What translation gives: sealed resources by type and name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pointsman.envoy.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Bundle:
    """All resources of one node class.

    Attributes:
        resources: type URL -> resource name -> sealed resource, both in sorted order.
    """

    resources: Mapping[str, Mapping[str, Sealed]]


def bundle(items: Iterable[Sealed]) -> Bundle:
    """Sorts sealed resources by type and name; of two with one name the first stays."""
    by_type: dict[str, dict[str, Sealed]] = {}
    for item in items:
        by_type.setdefault(item.type_url, {}).setdefault(item.name, item)
    return Bundle({kind: dict(sorted(by_type[kind].items())) for kind in sorted(by_type)})

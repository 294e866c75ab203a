"""All resources of one node class at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.envoy.sealed import Sealed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable, picklable set of sealed resources.

    Attributes:
        resources: type URL -> resource name -> sealed resource. Types without resources may be
            absent.
    """

    resources: Mapping[str, Mapping[str, Sealed]] = field(default_factory=dict)

    def of(self, type_url: str) -> Mapping[str, Sealed]:
        """Resources of one type, by name."""
        return self.resources.get(type_url, {})

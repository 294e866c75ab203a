"""All resources of one node class at one moment."""

import hashlib
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

    @property
    def version(self) -> str:
        """One short hash for all that a proxy is to have; computed anew each time."""
        hashed = hashlib.blake2b(digest_size=4)
        for resources in self.resources.values():
            for sealed in resources.values():
                hashed.update(sealed.name.encode())
                hashed.update(sealed.version.encode())
        return hashed.hexdigest()

"""The whole linked meaning at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointsman.graph.model.gateway import Gateway
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that is served.

    Attributes:
        gateways: by key, in the order of their keys.
    """

    gateways: Mapping[Key, Gateway] = field(default_factory=dict)

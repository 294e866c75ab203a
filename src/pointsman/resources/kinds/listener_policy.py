"""ListenerPolicy: what the listeners of gateways and nodes do for their clients."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from pointsman.resources.kinds.base import Name, schema
from pointsman.resources.kinds.targets import TargetRefs, Targets

Encoding = Literal["gzip", "brotli", "zstd"]
Upgrade = Literal["WEBSOCKET", "CONNECT"]


@schema
class Compression:
    """Which responses are compressed for clients that take it."""

    encodings: Annotated[tuple[Encoding, ...], Field(min_length=1, max_length=3)] = ("gzip",)
    """The encodings to choose from; the client says which of them it takes."""
    min_bytes: Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)] = 30
    """Shorter bodies are left as they are."""
    content_types: Annotated[tuple[Name, ...], Field(max_length=64)] = ()
    """Types of bodies that are compressed; Envoy's list of texts when empty."""


@schema
class ListenerPolicySpec:
    """Spec of a ListenerPolicy."""

    TARGETS: ClassVar = Targets(
        ("VirtualGateway", "VirtualNode"), frozenset({"VirtualGateway", "VirtualNode"})
    )

    target_refs: TargetRefs
    """What it is attached to. A policy of a listener counts before that of its object."""
    compression: Compression | None = None
    """Which responses are compressed."""
    upgrades: Annotated[tuple[Upgrade, ...], Field(max_length=2)] = ()
    """WEBSOCKET takes websockets over HTTP/2; those over HTTP/1.1 always pass. CONNECT, of a
    gateway, takes tunnels: gateway routes for all paths take them, and their bytes go to the node
    as they are."""

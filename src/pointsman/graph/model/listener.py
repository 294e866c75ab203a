"""What policies add to listeners, of gateways and of sidecars alike."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Compression:
    """Which responses are compressed.

    Attributes:
        encodings: those to choose from.
        min_bytes: length of the shortest body that is.
        content_types: of such bodies; Envoy's own list when empty.
    """

    encodings: tuple[Literal["gzip", "brotli", "zstd"], ...]
    min_bytes: int
    content_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extras:
    """All of it.

    Attributes:
        compression: which responses are compressed; None for none.
        websocket: whether websockets pass over HTTP/2, too.
        tunnels: whether CONNECT requests are taken.
    """

    compression: Compression | None = None
    websocket: bool = False
    tunnels: bool = False


PLAIN = Extras()

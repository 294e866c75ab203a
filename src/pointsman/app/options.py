"""What `pointsman up` was asked to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pointsman.api.listening import HttpAddress
from pointsman.app.access import StateOptions
from pointsman.app.discovery import DiscoveryOptions
from pointsman.app.own import OwnApplication
from pointsman.echo.behaviour import EchoBehaviour
from pointsman.errors import UsageError
from pointsman.graph.links.certificates import CertificateMap
from pointsman.graph.model.cluster import Address
from pointsman.resources.key import Key


@dataclass(frozen=True, slots=True)
class Move:
    """`--listen [GATEWAY:]PORT=LOCALPORT`.

    Attributes:
        gateway: name, or `namespace/name`, of the gateway; None for all.
        port: the port in the manifest.
        local: the port to bind; 0 lets the system choose.
    """

    gateway: str | None
    port: int
    local: int


@dataclass(frozen=True, slots=True)
class UpOptions:
    """Options of `pointsman up`.

    Attributes:
        paths: files and folders; `-` for standard input.
        variables: values of `${NAME}`.
        echo: whether virtual nodes without a backend get a demo one.
        behaviours: how demo backends answer, by name of the virtual node; "" for all others.
        resolves: (host, port) -> address.
        certificates: what stands for certificates of AWS.
        discovery: where instances of applications come from.
        identity: folder of the mesh's own certificate authority; None makes one in memory.
        state: where consumers and credentials are kept; None keeps none.
        admin: where the administration answers over TCP, if anywhere.
        metrics: where Prometheus is answered, if anywhere.
        moves: listeners that are bound elsewhere.
        bind: IP address listeners bind to.
        envoy: path of Envoy, if one was named.
        concurrency: worker threads of each gateway's Envoy; sidecars have one.
        drain_s: seconds that requests in flight get at the end.
        mesh: whether every virtual node gets its own proxy, too.
        applications: applications of the user's own; only with `mesh`.
    """

    paths: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    echo: bool = False
    behaviours: Mapping[str, EchoBehaviour] = field(default_factory=dict)
    resolves: Mapping[tuple[str, int], Address] = field(default_factory=dict)
    certificates: CertificateMap = field(default_factory=CertificateMap)
    discovery: DiscoveryOptions = field(default_factory=DiscoveryOptions)
    identity: Path | None = None
    state: StateOptions | None = None
    admin: HttpAddress | None = None
    metrics: HttpAddress | None = None
    moves: tuple[Move, ...] = ()
    bind: str = "127.0.0.1"
    envoy: str | None = None
    concurrency: int = 2
    drain_s: float = 5.0
    mesh: bool = False
    applications: tuple[OwnApplication, ...] = ()

    def own(self, node: Key) -> OwnApplication | None:
        """The user's own application of a virtual node."""
        return next((item for item in self.applications if item.is_of(node)), None)


def parse_move(text: str) -> Move:
    """`[GATEWAY:]PORT=LOCALPORT`.

    Raises:
        UsageError: the text has another form.
    """
    source, _, local = text.partition("=")
    gateway, colon, port = source.rpartition(":")
    if not _is_port(port) or not _is_port(local) or port == "0" or (colon and not gateway):
        raise UsageError(
            f"--listen {text}: not of the form [GATEWAY:]PORT=LOCALPORT",
            hint="for example --listen 80=8080, or --listen edge:80=8080 for one gateway",
        )
    return Move(gateway or None, int(port), int(local))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= 65535


def parse_mounts(given: Iterable[str]) -> dict[str, str]:
    """`FOLDER=HERE` entries: folders as manifests name them, and where they are here.

    Raises:
        UsageError: an entry has another form, or there is no such folder.
    """
    mounts = {}
    for entry in given:
        folder, _, here = entry.partition("=")
        if not folder.startswith("/") or not here:
            raise UsageError(
                f"--mount {entry}: not FOLDER=HERE", hint="for example --mount /certs=./certs"
            )
        if not Path(here).is_dir():
            raise UsageError(f"--mount {entry}: {here} is no folder")
        mounts[folder.rstrip("/") or "/"] = str(Path(here).absolute())
    return mounts

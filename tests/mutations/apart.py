"""Resources of many sidecars for one Envoy, which must not share their names."""

from functools import lru_cache
from typing import Any

from pointsman.envoy import pb
from pointsman.envoy.bundle import Bundle
from pointsman.envoy.seal import seal, unseal
from pointsman.envoy.sealed import LISTENER, ROUTE, Sealed
from pointsman.envoy.static import static_bootstrap, without_files
from pointsman.graph.model.sidecar import Sidecar
from pointsman.xds.snapshot import Snapshot

_FIRST_PORT = 10_000


@lru_cache(20_000)
def apart(item: Sealed, whose: str) -> Sealed:
    """The same with a name of its own, if it is a listener or a route configuration.

    Those are called after ports alone, so that every sidecar has the same ones.
    """
    if item.type_url not in (LISTENER, ROUTE):
        return item
    message = unseal(item)
    message.name = f"{whose} {message.name}"
    for chain in getattr(message, "filter_chains", ()):
        for network_filter in chain.filters:
            _follow(network_filter.typed_config, whose)
    return seal(message, item.keys)


def _follow(config: Any, whose: str) -> None:
    manager = pb.HttpConnectionManager()
    if config.Unpack(manager) and manager.HasField("rds"):
        manager.rds.route_config_name = f"{whose} {manager.rds.route_config_name}"
        config.CopyFrom(pb.pack(manager))


def in_one_file(sidecar: Sidecar, snapshot: Snapshot) -> dict[str, Any]:
    """A static bootstrap of many sidecars' resources, whose ports are told apart, too.

    Args:
        sidecar: in whose name it is.
        snapshot: the resources, in the form of one file.
    """
    made = without_files(static_bootstrap(sidecar, Bundle(snapshot.resources)))
    for number, listener in enumerate(made["static_resources"]["listeners"]):
        others = [item["address"] for item in listener.get("additional_addresses", ())]
        for address in (listener["address"], *others):
            address["socket_address"]["port_value"] = _FIRST_PORT + number
    return made

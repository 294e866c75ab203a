"""Addresses of virtual nodes' applications on this machine: those given, and demo backends."""

from pointsman.app.options import UpOptions
from pointsman.echo.behaviour import EchoBehaviour
from pointsman.echo.fleet import EchoFleet
from pointsman.graph.links.context import GivenEndpoints
from pointsman.graph.links.discovery import discovery_name
from pointsman.graph.model.cluster import Address, is_ip
from pointsman.resources.key import Key
from pointsman.resources.kinds.virtual_node import NodeListener
from pointsman.resources.resource_set import ResourceSet


class Backends:
    """Gives every virtual node an address, as far as the options say so.

    Args:
        options: `--resolve` and `--echo`.
    """

    def __init__(self, options: UpOptions) -> None:
        self._options = options
        self._fleet = EchoFleet()

    async def given(self, resources: ResourceSet) -> GivenEndpoints:
        """Addresses for the resources; opens the demo backends they need.

        Raises:
            PointsmanError: a demo backend cannot be opened.
        """
        by_node: dict[tuple[Key, int], Address] = {}
        if self._options.echo:
            for key, node in sorted(resources.of("VirtualNode").items()):
                name = discovery_name(node.spec)
                for listener in node.spec.listeners:
                    port = listener.port_mapping.port
                    if (name, port) not in self._options.resolves and not is_local(name):
                        by_node[key, port] = await self.open(key, listener)
        return GivenEndpoints(self._options.resolves, by_node)

    async def open(self, key: Key, listener: NodeListener, proxy: str = "") -> Address:
        """The demo backend of a listener, opened if need be.

        Args:
            key: the virtual node.
            listener: the listener.
            proxy: `host:port` of the HTTP proxy through which it calls others; "" for none.

        Raises:
            PointsmanError: it cannot be opened.
        """
        host, local = await self._fleet.ensure(
            key.name,
            key.namespace,
            listener.port_mapping.port,
            listener.port_mapping.protocol,
            self._behaviour(key),
            proxy,
        )
        return Address(host, local)

    def _behaviour(self, key: Key) -> EchoBehaviour | None:
        behaviours = self._options.behaviours
        return behaviours.get(key.path) or behaviours.get(key.name) or behaviours.get("")

    async def stop(self) -> None:
        """Ends all demo backends."""
        await self._fleet.stop()


def is_local(name: str) -> bool:
    """Whether a node is found on this machine already, without a cluster's DNS."""
    return name == "localhost" or is_ip(name)

"""The environment variables of App Mesh's `proxyinit`, so that a pod spec only swaps the image.

They are defaults: what the command line says counts more.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pointsman.errors import UsageError
from pointsman.intercept.interception import (
    ENVOY_UID,
    METADATA,
    SSH_PORT,
    Interception,
    Network,
    parse_network,
)

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class ProxyinitEnvironment:
    """What the variables say; None or () where they are absent.

    Attributes:
        enabled: False by APPMESH_START_ENABLED=0: nothing is to be installed.
        app_ports: APPMESH_APP_PORTS; App Mesh's controller wrote 0 where there was none.
        ingress_port: APPMESH_ENVOY_INGRESS_PORT; else 15000.
        egress_port: APPMESH_ENVOY_EGRESS_PORT; else 15001.
        ignored_uids: APPMESH_IGNORE_UID; () when it is there and empty: no user.
        ignored_gids: APPMESH_IGNORE_GID, likewise.
        ignored_ports: APPMESH_EGRESS_IGNORED_PORTS.
        ignored_addresses: APPMESH_EGRESS_IGNORED_IP.
        ipv6: False by APPMESH_ENABLE_IPV6=0.
    """

    enabled: bool
    app_ports: tuple[int, ...]
    ingress_port: int
    egress_port: int
    ignored_uids: tuple[int, ...] | None
    ignored_gids: tuple[int, ...] | None
    ignored_ports: tuple[int, ...]
    ignored_addresses: tuple[Network, ...]
    ipv6: bool

    def interception(
        self,
        *,
        app_ports: Sequence[int] = (),
        ingress_port: int | None = None,
        egress_port: int | None = None,
        ignored_uids: Sequence[int] = (),
        ignored_gids: Sequence[int] = (),
        ignored_ports: Sequence[int] = (),
        ignored_addresses: Sequence[Network] = (),
        ipv6: bool = True,
    ) -> Interception:
        """What flags ask for and, where a flag is absent, the variables.

        A list given by flags replaces that of the variable. SSH and metadata are always left
        alone; App Mesh did the same for SSH. User 1337 is ignored unless somebody was named.

        Raises:
            UsageError: as `Interception`.
        """
        uids = tuple(ignored_uids) or self.ignored_uids
        gids = tuple(ignored_gids) or self.ignored_gids
        if uids is None:
            uids = (ENVOY_UID,) if gids is None else ()
        return Interception(
            app_ports=tuple(app_ports) or self.app_ports,
            ingress_port=ingress_port or self.ingress_port,
            egress_port=egress_port or self.egress_port,
            ignored_uids=uids,
            ignored_gids=gids or (),
            ignored_ports=(SSH_PORT, *(tuple(ignored_ports) or self.ignored_ports)),
            ignored_addresses=(*METADATA, *(tuple(ignored_addresses) or self.ignored_addresses)),
            ipv6=ipv6 and self.ipv6,
        )


def read_environment(environment: Mapping[str, str] | None = None) -> ProxyinitEnvironment:
    """The variables of an environment; those of this process by default.

    Raises:
        UsageError: a variable holds what it cannot; the message names it.
    """
    values = os.environ if environment is None else environment
    return ProxyinitEnvironment(
        enabled=_switch(values, "APPMESH_START_ENABLED"),
        app_ports=tuple(port for port in _list(values, "APPMESH_APP_PORTS", int) if port),
        ingress_port=_port(values, "APPMESH_ENVOY_INGRESS_PORT", Interception().ingress_port),
        egress_port=_port(values, "APPMESH_ENVOY_EGRESS_PORT", Interception().egress_port),
        ignored_uids=_ids(values, "APPMESH_IGNORE_UID"),
        ignored_gids=_ids(values, "APPMESH_IGNORE_GID"),
        ignored_ports=_list(values, "APPMESH_EGRESS_IGNORED_PORTS", int),
        ignored_addresses=_list(values, "APPMESH_EGRESS_IGNORED_IP", parse_network),
        ipv6=_switch(values, "APPMESH_ENABLE_IPV6"),
    )


def _list(values: Mapping[str, str], name: str, parse: Callable[[str], ItemT]) -> tuple[ItemT, ...]:
    items = [item.strip() for item in values.get(name, "").split(",")]
    try:
        return tuple(parse(item) for item in items if item)
    except (ValueError, UsageError):
        kind = "numbers" if parse is int else "IP addresses or networks"
        raise UsageError(f"{name}={values[name]}: not {kind} with commas between") from None


def _port(values: Mapping[str, str], name: str, default: int) -> int:
    ports = _list(values, name, int)
    if len(ports) > 1:
        raise UsageError(f"{name}={values[name]}: not one port")
    return ports[0] if ports else default


def _ids(values: Mapping[str, str], name: str) -> tuple[int, ...] | None:
    return _list(values, name, int) if name in values else None


def _switch(values: Mapping[str, str], name: str) -> bool:
    value = values.get(name, "").strip() or "1"
    if value not in ("0", "1"):
        raise UsageError(f"{name}={value}: neither 0 nor 1")
    return value == "1"

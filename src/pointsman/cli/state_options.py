"""Where state is kept, and where it is administered, from the command line."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pointsman.cli.addresses import parse_host_port, parse_ip, parse_listening
from pointsman.errors import UsageError
from pointsman.settings import Settings

if TYPE_CHECKING:
    from pointsman.api.listening import HttpAddress
    from pointsman.app.access import StateOptions


_REDIS: Final = {"redis": "redis", "rediss": "rediss", "unix": "unix", "valkey": "redis"}
"""Schemes of addresses of Redis or Valkey, and what the client calls them."""


def state_options(
    url: str | None, master_key: Path | None, quota_store: str | None, settings: Settings
) -> "StateOptions":
    """Where state is kept.

    Args:
        url: of the database, or its file; None for that of the user.
        master_key: file of the master key; None for that of the user.
        quota_store: URL of the Redis that quotas are counted in; None for what the environment
            says, and else for the database.
        settings: what the environment says.

    Raises:
        UsageError: the URL of Redis is none.
    """
    from pointsman.app.access import StateOptions

    folder = settings.state_folder
    place = str(folder / "state.db") if url is None else url
    if "://" not in place:
        place = f"sqlite:///{Path(place).absolute()}"
    quotas = _redis(quota_store or settings.quota_store)
    return StateOptions(place, master_key or folder / "master.key", quotas)


def _redis(url: str | None) -> str | None:
    if url is None:
        return None
    scheme, separator, rest = url.partition("://")
    known = _REDIS.get(scheme)
    if not separator or not rest or known is None:
        # Without the address itself, which may have a password.
        raise UsageError(
            "--quota-store: not an address of Redis",
            hint="write redis://HOST:PORT/DB, rediss://… for TLS, or unix:///PATH",
        )
    return f"{known}://{rest}"


def admin_address(text: str | None) -> "HttpAddress | None":
    """Where the administration answers over TCP.

    Raises:
        UsageError: the text is no IP address with a port, or others can reach the address.
    """
    from pointsman.api.listening import HttpAddress

    if text is None:
        return None
    host, port = parse_host_port("--admin", text)
    address = HttpAddress(parse_ip("--admin", host), port)
    if not ipaddress.ip_address(address.host).is_loopback:
        raise UsageError(
            f"--admin {text}: tokens would pass in plaintext where others can read them",
            hint="choose an address on loopback, and publish it with TLS by a gateway or a tunnel",
        )
    return address


def metrics_address(text: str | None) -> "HttpAddress | None":
    """Where Prometheus is answered: on loopback, unless an address is named.

    Raises:
        UsageError: the text is neither a port nor an IP address with one.
    """
    from pointsman.api.listening import HttpAddress

    return None if text is None else HttpAddress(*parse_listening("--metrics", text))

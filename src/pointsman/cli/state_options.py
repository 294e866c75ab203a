"""Where state is kept, and where it is administered, from the command line."""

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman.cli.addresses import parse_host_port, parse_ip
from pointsman.errors import UsageError
from pointsman.settings import Settings

if TYPE_CHECKING:
    from pointsman.api.listening import HttpAddress
    from pointsman.app.access import StateOptions


def state_options(url: str | None, master_key: Path | None, settings: Settings) -> "StateOptions":
    """Where state is kept.

    Args:
        url: of the database, or its file; None for that of the user.
        master_key: file of the master key; None for that of the user.
        settings: what the environment says.
    """
    from pointsman.app.access import StateOptions

    folder = settings.state_folder
    place = str(folder / "state.db") if url is None else url
    if "://" not in place:
        place = f"sqlite:///{Path(place).absolute()}"
    return StateOptions(place, master_key or folder / "master.key")


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

"""The environment, read in one place.

Everything else gets its values as arguments, so tests and embedding programs need no environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        envoy: path of the Envoy to use (POINTSMAN_ENVOY); None leaves the choice to Pointsman.
        color: whether colour is welcome (no NO_COLOR, https://no-color.org).
        runtime_dir: where short-lived files and sockets go (XDG_RUNTIME_DIR); None leaves it to
            the system's temporary folder.
    """

    envoy: str | None
    color: bool
    runtime_dir: Path | None

    @property
    def status_folder(self) -> Path:
        """Where running instances of this user have their sockets, `PID.sock`."""
        return (self.runtime_dir or Path("/tmp")) / f"pointsman-{os.getuid()}"


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of an environment; that of this process by default."""
    values = os.environ if environment is None else environment
    runtime_dir = values.get("XDG_RUNTIME_DIR")
    return Settings(
        envoy=values.get("POINTSMAN_ENVOY") or None,
        color=not values.get("NO_COLOR"),
        runtime_dir=Path(runtime_dir) if runtime_dir else None,
    )

"""The environment, read in one place.

Everything else gets its values as arguments, so tests and embedding programs need no environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        envoy: path of the Envoy to use (POINTSMAN_ENVOY); None leaves the choice to Pointsman.
        no_color: colour is not wanted (NO_COLOR set to anything, https://no-color.org).
        runtime_folder: where running instances keep their sockets:
            `${XDG_RUNTIME_DIR:-/tmp}/pointsman-UID`.
        state_folder: where state is kept that outlasts them:
            `${XDG_STATE_HOME:-~/.local/state}/pointsman`.
        quota_store: URL of the Redis that quotas are counted in (POINTSMAN_QUOTA_STORE); it may
            have a password.
    """

    envoy: str | None
    no_color: bool
    runtime_folder: Path
    state_folder: Path
    quota_store: str | None = field(default=None, repr=False)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of an environment; that of this process by default."""
    values = os.environ if environment is None else environment
    parent = Path(values.get("XDG_RUNTIME_DIR") or "/tmp")
    home = Path(values.get("HOME") or "/")
    state = Path(values.get("XDG_STATE_HOME") or home / ".local" / "state")
    return Settings(
        envoy=values.get("POINTSMAN_ENVOY") or None,
        no_color=bool(values.get("NO_COLOR")),
        runtime_folder=parent / f"pointsman-{os.getuid()}",
        state_folder=state / "pointsman",
        quota_store=values.get("POINTSMAN_QUOTA_STORE") or None,
    )

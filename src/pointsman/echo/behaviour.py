"""How a demo backend answers: its defaults, and what one request asks for instead.

Headers of a request steer that request: `x-echo-delay-ms`, `x-echo-status`, `x-echo-fail-percent`,
`x-echo-bytes`. Without them the backend's own behaviour holds.
"""

import dataclasses
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from pointsman.errors import UsageError

FAILURE_STATUS: Final = 503
LONGEST_DELAY_MS: Final = 600_000
MOST_BYTES: Final = 16 * 1024 * 1024


@dataclass(frozen=True)
class EchoBehaviour:
    """What a backend does when the request does not say otherwise.

    Attributes:
        delay_ms: wait before the answer, in milliseconds, up to 600,000.
        status: HTTP status of the answer, 200 to 599; for gRPC also 0 to 16, a gRPC status.
        fail_percent: share of requests that fail, 0 to 100. A failing request is answered with
            `status` if that is an error, else with 503; the others with `status` if that is not an
            error, else with 200. At 0 every request is answered with `status`.
        body_bytes: length of an HTTP answer's body that is reached by padding, up to 16 MiB.
        greeting: whether a TCP backend writes its name as a line before it echoes.
    """

    delay_ms: int = 0
    status: int = 200
    fail_percent: float = 0.0
    body_bytes: int = 0
    greeting: bool = False

    def __post_init__(self) -> None:
        """Refuse what no backend could do.

        Raises:
            ValueError: a value is out of its range; the text names it.
        """
        _within("delay_ms", self.delay_ms, 0, LONGEST_DELAY_MS)
        _within("fail_percent", self.fail_percent, 0, 100)
        _within("body_bytes", self.body_bytes, 0, MOST_BYTES)
        if not (200 <= self.status <= 599 or 0 <= self.status <= 16):
            raise ValueError(f"status is {self.status}, not 200 to 599")

    @classmethod
    def parse(cls, text: str) -> Self:
        """A behaviour written as on the command line, such as "status=503,fail_percent=20".

        Raises:
            UsageError: an unknown name, or a value that is none.
        """
        values: dict[str, Any] = {}
        for item in text.split(","):
            name, _, value = item.strip().partition("=")
            read = _READERS.get(name.replace("-", "_"))
            if read is None:
                raise UsageError(f"a demo backend has no {name!r}", hint=_NAMES_HINT)
            try:
                values[name.replace("-", "_")] = read(value)
            except ValueError:
                raise UsageError(f"{value!r} is no value for {name}", hint=_NAMES_HINT) from None
        try:
            return cls(**values)
        except ValueError as error:
            raise UsageError(f"a demo backend cannot do this: {error}") from None

    def steered_by(self, headers: Mapping[str, str]) -> "EchoBehaviour":
        """The behaviour for one request.

        Args:
            headers: lower-case names to values.

        Raises:
            ValueError: a steering header's value is none; the text names the header.
        """
        changes: dict[str, Any] = {}
        for header, (name, read) in _STEERING.items():
            value = headers.get(header)
            if value is None:
                continue
            try:
                changes[name] = read(value)
            except ValueError:
                raise ValueError(f"{header} is {value!r}, not a number") from None
        return dataclasses.replace(self, **changes) if changes else self


class Dice:
    """Decides which requests fail.

    A generator seeded with the backend's identity: the same sequence in every run, yet without the
    regular spacing of a counter, with which a retry after a failure would always succeed.
    """

    def __init__(self, identity: str) -> None:
        self._random = random.Random(identity)

    def status(self, behaviour: EchoBehaviour) -> int:
        """The status of the next answer."""
        if behaviour.fail_percent == 0:
            return behaviour.status
        is_error = behaviour.status >= 400 or 0 < behaviour.status <= 16
        if self._random.random() * 100 < behaviour.fail_percent:
            return behaviour.status if is_error else FAILURE_STATUS
        return 200 if is_error else behaviour.status


def _within(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}, not {low} to {high}")


def _read_flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "delay_ms": int,
    "status": int,
    "fail_percent": float,
    "body_bytes": int,
    "greeting": _read_flag,
}
_NAMES_HINT: Final = "Known: " + ", ".join(f"{name}=VALUE" for name in _READERS)

_STEERING: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "x-echo-delay-ms": ("delay_ms", int),
    "x-echo-status": ("status", int),
    "x-echo-fail-percent": ("fail_percent", float),
    "x-echo-bytes": ("body_bytes", int),
}

"""Options shared by all tests.

`--refresh` rewrites golden files, never on CI. `--hypothesis-profile=thorough` draws as many
examples as a night allows. `--mutations=2000` damages manifests that often, and
`--mutations=500:2000` leaves out the first 500 of them.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

settings.register_profile("default", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh", action="store_true", help="rewrite golden files, then check them")
    parser.addoption("--mutations", metavar="N", default="200", help="how often, or FIRST:END")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--refresh") and os.environ.get("CI", "").lower() in ("true", "1"):
        raise pytest.UsageError("--refresh is refused on CI: golden files are changed by people")
    # Of a shell that starts the tests in the background they inherit that SIGINT is ignored, and
    # so would the commands that tests end with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command that a test runs in this process configures its log, which is not the next's."""
    yield
    structlog.reset_defaults()


class Golden:
    """Compares text with a committed file, or writes it."""

    def __init__(self, *, refresh: bool) -> None:
        self._refresh = refresh

    def check(self, file: Path, actual: str) -> None:
        if self._refresh:
            file.write_text(actual, encoding="utf-8")
        expected = file.read_text(encoding="utf-8") if file.exists() else ""
        assert actual == expected, f"{file} differs; pytest --refresh rewrites it"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(refresh=bool(request.config.getoption("--refresh")))

"""Which mutations are tried: the same few by default, others with `--mutations`."""

import pytest


@pytest.fixture
def mutations(request: pytest.FixtureRequest) -> range:
    """Numbers of mutations, as `--mutations` has them: `COUNT`, or `FIRST:END`."""
    first, _, end = str(request.config.getoption("--mutations")).rpartition(":")
    return range(int(first or 0), int(end))

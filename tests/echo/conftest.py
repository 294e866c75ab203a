from collections.abc import AsyncIterator

import pytest

from pointsman.echo.fleet import EchoFleet


@pytest.fixture
async def fleet() -> AsyncIterator[EchoFleet]:
    async with EchoFleet() as running:
        yield running

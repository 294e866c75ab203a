"""Several at once, with one code or one refresh token, on both kinds of databases."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.support.oauth import Browser, Place, authorize, place


@pytest.fixture
async def both(url: str) -> AsyncIterator[Place]:
    async with place(url) as found:
        yield found


async def test_of_many_with_one_code_one_gets_tokens_and_they_end(both: Place) -> None:
    code = await both.code()
    found = await asyncio.gather(*(both.redeem(code) for _ in range(4)))
    (good,) = (answer for status, answer in found if status == 200)
    assert not await both.is_active(good["access_token"])
    assert (await both.refresh(good["refresh_token"]))[1]["error"] == "invalid_grant"


async def test_of_many_with_one_refresh_token_one_gets_tokens_and_they_end(both: Place) -> None:
    token = (await both.redeem(await both.code()))[1]["refresh_token"]
    found = await asyncio.gather(*(both.refresh(token) for _ in range(4)))
    (good,) = (answer for status, answer in found if status == 200)
    assert not await both.is_active(good["access_token"])


async def test_pages_come_while_somebody_writes(both: Place) -> None:
    async with both.database.recording():
        page = await both.ask("GET", authorize(), browser=Browser())
    assert page.status == 303

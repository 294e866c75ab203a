"""Lines of a stream that another process writes to, whatever it writes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

LONGEST_LINE: Final = 64 * 1024
"""Bytes of one line that are kept."""


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Every line that is not empty, without its end; of long ones the beginning."""
    # Not readline(): it raises on a line longer than the stream's limit and loses its place.
    pending = bytearray()
    while chunk := await stream.read(LONGEST_LINE):
        *complete, rest = (bytes(pending) + chunk).split(b"\n")
        pending = bytearray(rest[:LONGEST_LINE])
        for line in complete:
            if line:
                yield line[:LONGEST_LINE].decode("utf-8", "replace")
    if pending:
        yield pending.decode("utf-8", "replace")

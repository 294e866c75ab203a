"""Counts of quotas in Redis or Valkey: several control planes count together.

Each move is one call of a script, which Redis runs alone, and all calls of a settlement are sent
together. Redis has to keep what it was told (`appendonly yes`), or a restart of it grants anew
what was used.
"""

from collections.abc import Awaitable, Collection, Mapping, Sequence
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pointsman.limits.counts import MOST_SLOTS, Balance, Move, Record
from pointsman.limits.store import StoreError

TIMEOUT_S: Final = 1.0
"""Seconds an answer may take."""

# Fields of a key's hash are `s:MOMENT` for slots and `h:PLANE` for holds, `AMOUNT UNTIL`.
_SETTLE: Final = """
local plane, wall, slot, since = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local before, lasts, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local used, floor, hold = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local ends, kept, most_slots = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local fields = redis.call('HGETALL', KEYS[1])
local slots, others, number = {}, 0, 0
for i = 1, #fields, 2 do
  local kind, name = string.sub(fields[i], 1, 2), string.sub(fields[i], 3)
  if kind == 's:' then
    slots[tonumber(name)] = tonumber(fields[i + 1])
    number = number + 1
  else
    local amount, finish = string.match(fields[i + 1], '^(%-?%d+) (%-?%d+)$')
    amount, finish = tonumber(amount), tonumber(finish)
    if finish <= wall then
      redis.call('HDEL', KEYS[1], fields[i])
      if name ~= plane and finish >= since then used = used + amount end
    elseif name ~= plane then
      others = others + amount
    end
  end
end
local function counting()
  local spent, first, last = 0, nil, nil
  for moment, amount in pairs(slots) do
    if since <= moment and moment < before then
      spent = spent + amount
      if first == nil or moment < first then first = moment end
      if last == nil or moment > last then last = moment end
    end
  end
  return spent, first, last
end
local spent, first, last = counting()
local function note(moment, amount)
  if slots[moment] == nil then number = number + 1 end
  slots[moment] = (slots[moment] or 0) + amount
  local field = 's:' .. string.format('%d', moment)
  redis.call('HSET', KEYS[1], field, string.format('%d', slots[moment]))
end
if used > 0 then
  if slot < 0 then slot = last or wall end
  note(slot, used)
  while number > most_slots do
    local oldest = nil
    for moment, _ in pairs(slots) do
      if oldest == nil or moment < oldest then oldest = moment end
    end
    slots[oldest] = nil
    number = number - 1
    redis.call('HDEL', KEYS[1], 's:' .. string.format('%d', oldest))
  end
  spent, first, last = counting()
end
hold = math.max(floor, math.min(hold, most - spent - others))
if hold > 0 then
  redis.call('HSET', KEYS[1], 'h:' .. plane, string.format('%d %d', hold, ends))
  if tonumber(ARGV[3]) < 0 and first == nil then
    note(wall, 0)
    first = wall
  end
else
  redis.call('HDEL', KEYS[1], 'h:' .. plane)
end
redis.call('EXPIRE', KEYS[1], kept)
return {spent, others + hold, hold, first and (first + lasts) or -1}
"""
_ATTEND: Final = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return redis.call('ZCARD', KEYS[1])
"""
_RESET: Final = """
local fields = redis.call('HKEYS', KEYS[1])
for _, field in ipairs(fields) do
  if string.sub(field, 1, 2) == 's:' then redis.call('HDEL', KEYS[1], field) end
end
"""
_KEPT_S: Final = 86_400
"""Seconds for which a count is kept after it counts no longer: clocks are set back."""


class RedisStore:
    """Counts in Redis.

    Args:
        url: `redis://HOST:PORT/DB`, `rediss://…` or `unix://PATH?db=0`.
        prefix: of all its keys.
    """

    def __init__(self, url: str, prefix: str = "pointsman:quota:") -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
        )
        self._prefix = prefix
        self._settle = self._redis.register_script(_SETTLE)
        self._attend = self._redis.register_script(_ATTEND)
        self._reset = self._redis.register_script(_RESET)

    async def settle(self, plane: str, wall: int, moves: Sequence[Move]) -> list[Balance]:
        """See `CounterStore`."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for move in moves:
                values = _values(plane, wall, move)
                await self._settle(keys=[self._prefix + move.key], args=values, client=pipe)
            found: list[list[int]] = await _asked(pipe.execute())
        return [_balance(move, answer) for move, answer in zip(moves, found, strict=True)]

    async def attend(self, plane: str, wall: int, until: int) -> int:
        """See `CounterStore`."""
        key = f"{self._prefix.rstrip(':')}-planes"
        return int(await _asked(self._attend(keys=[key], args=[plane, wall, until])))

    async def records(self, prefix: str) -> dict[str, Record]:
        """See `CounterStore`."""
        found: dict[str, Record] = await _asked(self._records(prefix))
        return found

    async def _records(self, prefix: str) -> dict[str, Record]:
        pattern = _literal(self._prefix + prefix) + "*"
        keys = [key async for key in self._redis.scan_iter(match=pattern, count=1_000)]
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            fields = await pipe.execute()
        start = len(self._prefix)
        return {key[start:]: _record(item) for key, item in zip(keys, fields, strict=True)}

    async def reset(self, keys: Collection[str]) -> None:
        """See `CounterStore`."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                await self._reset(keys=[self._prefix + key], client=pipe)
            await _asked(pipe.execute())

    async def close(self) -> None:
        """See `CounterStore`."""
        await self._redis.aclose()


async def _asked(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis: {error}") from error


def _values(plane: str, wall: int, move: Move) -> list[str | int]:
    span = move.span
    slot = -1 if span.slot is None else span.slot
    kept = max(move.until - wall, span.lasts) + _KEPT_S
    head: list[str | int] = [plane, wall, slot, span.since, span.before, span.lasts, move.most]
    return [*head, move.used, move.floor, move.hold, move.until, kept, MOST_SLOTS]


def _balance(move: Move, answer: list[int]) -> Balance:
    used, held, hold, resets = cast("tuple[int, int, int, int]", tuple(answer))
    return Balance(move.key, used, held, hold, None if resets < 0 else resets)


def _record(fields: Mapping[str, str]) -> Record:
    record = Record()
    for field, value in fields.items():
        kind, name = field[:2], field[2:]
        if kind == "s:":
            record.slots[int(name)] = int(value)
        else:
            amount, until = value.split(" ")
            record.holds[name] = (int(amount), int(until))
    return record


def _literal(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "*?[]\\^-" else letter for letter in text)

"""What must happen in Redis as one: small Lua scripts, each within one slot. `ARGV` as the first line of each says."""

from __future__ import annotations

from typing import Any

from app.core.purging import LASTING, Purge
from app.core.slots import NUMBER_SIZE, SLOT_SIZE, packed_slot
from app.store.base import MAX_VARIANTS
from app.store.redis.layout import DIGITS, NEWS, PURGES, Names

# One argument of a command, and a command.
Argument = str | bytes | int
Command = tuple[Argument, ...]

# Keys may be evicted one by one, whatever was set: what is held of the purges is counted, to notice that.
_HELD = """local held = redis.call('HLEN', KEYS[3]) .. ':' .. redis.call('ZCARD', KEYS[4])
                .. ':' .. redis.call('STRLEN', KEYS[5])"""
_NOW = "local time = redis.call('TIME'); local now = time[1] * 1000000 + time[2]"

# kind, payload, who tells; of a purge its name and whether it may be forgotten ('1' or ''), or when it was made,
# as bytes, and its slots; what does not apply is ''.
# Returns the number of the last purge, or false where the log is not there as a whole.
_TELL = f"""
local last, held_then = unpack(redis.call('HMGET', KEYS[1], 'last', 'held'))
if not last then return false end
last = tonumber(last)
{_HELD}
if held ~= held_then then
  redis.call('HDEL', KEYS[1], 'last')
  return false
end
{_NOW}
local numbered = ARGV[4] ~= '' or ARGV[6] ~= ''
local number = redis.call('HINCRBY', KEYS[1], 'number', numbered and 1 or 0)
local place = string.format('%.0f', math.max(last + 1, now))
redis.call('XADD', KEYS[2], 'MAXLEN', '~', {NEWS}, place .. '-0', 'k', ARGV[1], 'v', ARGV[2], 'b', ARGV[3],
           'a', string.format('%.0f', last), 'n', number)
redis.call('HSET', KEYS[1], 'last', place)
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[3], ARGV[4], number .. ':' .. ARGV[2])
  if ARGV[5] ~= '' then redis.call('ZADD', KEYS[4], number, ARGV[4]) end
  while redis.call('ZCARD', KEYS[4]) > {PURGES} do
    local oldest = redis.call('ZPOPMIN', KEYS[4])
    redis.call('HDEL', KEYS[3], oldest[1])
    redis.call('HSET', KEYS[1], 'floor', oldest[2])
  end
end
for i = 7, #ARGV do
  redis.call('SETRANGE', KEYS[5], ARGV[i] * {SLOT_SIZE}, struct.pack('<I8', number) .. ARGV[6])
end
if numbered then
  {_HELD}
  redis.call('HSET', KEYS[1], 'held', held)
end
return number
"""

# the caller's log or '', its last number, its last place, whether that log has lost something ('1' or ''), a new name.
# Begins the log anew where it must be, and returns it, and whether it was. A new one needs no slots: what is stored
# under the old one's name is out of reach, and what is in flight is under the floor.
_JOIN = f"""
local log, last, number, began, held_then =
  unpack(redis.call('HMGET', KEYS[1], 'log', 'last', 'number', 'began', 'held'))
{_HELD}
local theirs, known = ARGV[1], tonumber(ARGV[2])
local anew = not log or held ~= held_then or (log == theirs and ARGV[4] ~= '')
             or (theirs ~= '' and log ~= theirs and tonumber(began) <= known)
if anew then
  {_NOW}
  local first = 0
  if log or theirs ~= '' then first = math.max(known, tonumber(number or 0)) + 1 end
  local place = string.format('%.0f', math.max(tonumber(ARGV[3]) + 1, tonumber(last or 0) + 1, now))
  redis.call('DEL', KEYS[2], KEYS[5])
  {_HELD}
  redis.call('XADD', KEYS[2], place .. '-0', 'k', 'begin')
  redis.call('HSET', KEYS[1], 'log', ARGV[5], 'last', place, 'number', first, 'began', first, 'floor', first,
             'held', held)
end
return {{redis.call('HMGET', KEYS[1], 'log', 'last', 'floor'), redis.call('HGETALL', KEYS[3]),
         redis.call('GET', KEYS[5]) or '', anew and 1 or 0}}
"""

_KEEPING = f"""
{_NOW}
local put_at = string.format('%0{DIGITS}.0f', now)
local function keep(ms)
  if redis.call('PTTL', KEYS[1]) < tonumber(ms) then redis.call('PEXPIRE', KEYS[1], ms) end
end
"""

# variant, number, fetched under, record, body, milliseconds to keep it.
# Returns -1 if what is there stays, else how many variants there were and are.
_SAVE = f"""
{_KEEPING}
local kept = redis.call('HGET', KEYS[1], 'h' .. ARGV[1])
if kept and (string.sub(kept, 1, {DIGITS}) > ARGV[2] or string.sub(kept, {DIGITS + 1}, {2 * DIGITS}) > ARGV[3]) then
  return {{-1, -1}}
end
local before = redis.call('HLEN', KEYS[1])
redis.call('HSET', KEYS[1], 'h' .. ARGV[1], ARGV[2] .. ARGV[3] .. put_at .. ARGV[4], 'b' .. ARGV[1], ARGV[5])
while redis.call('HLEN', KEYS[1]) > {2 * MAX_VARIANTS} do
  local oldest, when
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 1) == 'h' and field ~= 'h' .. ARGV[1] then
      local at = string.sub(redis.call('HGET', KEYS[1], field), {2 * DIGITS + 1}, {3 * DIGITS})
      if not when or at < when then oldest, when = string.sub(field, 2), at end
    end
  end
  redis.call('HDEL', KEYS[1], 'h' .. oldest, 'b' .. oldest)
end
keep(ARGV[6])
return {{before / 2, redis.call('HLEN', KEYS[1]) / 2}}
"""

# variant and number of the old one; variant, number, fetched under and record of the new one; milliseconds; bytes of
# the old body, which a husk has lost. Returns whether the old one was there.
_REPLACE = f"""
{_KEEPING}
local kept = redis.call('HGET', KEYS[1], 'h' .. ARGV[1])
if not kept or string.sub(kept, 1, {DIGITS}) ~= ARGV[2] then return 0 end
if redis.call('HSTRLEN', KEYS[1], 'b' .. ARGV[1]) ~= tonumber(ARGV[8]) then return 0 end
if ARGV[1] ~= ARGV[3] then
  redis.call('HSET', KEYS[1], 'b' .. ARGV[3], redis.call('HGET', KEYS[1], 'b' .. ARGV[1]) or '')
  redis.call('HDEL', KEYS[1], 'h' .. ARGV[1], 'b' .. ARGV[1])
end
redis.call('HSET', KEYS[1], 'h' .. ARGV[3], ARGV[4] .. ARGV[5] .. put_at .. ARGV[6])
keep(ARGV[7])
return 1
"""

# variant, number, fetched under, record of the husk. Returns whether it took the place of that very response.
_HUSK = f"""
local kept = redis.call('HGET', KEYS[1], 'h' .. ARGV[1])
if not kept or string.sub(kept, 1, {2 * DIGITS}) ~= ARGV[2] .. ARGV[3] then return 0 end
local put_at = string.sub(kept, {2 * DIGITS + 1}, {3 * DIGITS})
redis.call('HSET', KEYS[1], 'h' .. ARGV[1], ARGV[2] .. ARGV[3] .. put_at .. ARGV[4], 'b' .. ARGV[1], '')
return 1
"""

_HEADS = """
local heads = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 1) == 'h' then heads[#heads + 1] = redis.call('HGET', KEYS[1], field) end
end
return heads
"""

# digest of a cache key, milliseconds to keep it.
_ENLIST = f"{_KEEPING} redis.call('SADD', KEYS[1], ARGV[1]); keep(ARGV[2])"

# token.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def _evaluate(script: str, keys: tuple[str, ...], *arguments: Any) -> Command:
    # With its whole text: a few hundred bytes buy that no server ever misses a script that another one knows.
    return ("EVAL", script, len(keys), *keys, *arguments)


def _log(names: Names) -> tuple[str, ...]:
    return names.log, names.news, names.purges, names.order, names.slots


def tell(names: Names, news: tuple[str, bytes, str], purge: Purge | None = None) -> Command:
    return _evaluate(_TELL, _log(names), *news, *_place(purge))


def _place(purge: Purge | None) -> Command:
    if purge is None:
        return "", "", ""
    if purge.slots:
        return "", "", packed_slot(0, purge.at)[NUMBER_SIZE:], *purge.slots
    return place_in_log(purge), "" if purge.selector.kind in LASTING else "1", ""


def place_in_log(purge: Purge) -> str:
    """What the last purge of its mode and name is found by."""
    return f"{purge.selector.place} {purge.mode}"


def join(names: Names, known: tuple[str, int, int], lost: bool, new: str) -> Command:
    return _evaluate(_JOIN, _log(names), *known, "1" if lost else "", new)


def save(key: str, new: tuple[str, str, str], record: bytes, body: bytes, kept: int) -> Command:
    return _evaluate(_SAVE, (key,), *new, record, body, kept)


def replace(  # noqa: PLR0913, PLR0917 - what the script wants
    key: str, old: tuple[str, str], new: tuple[str, str, str], record: bytes, kept: int, size: int
) -> Command:
    return _evaluate(_REPLACE, (key,), *old, *new, record, kept, size)


def husk(key: str, new: tuple[str, str, str], record: bytes) -> Command:
    return _evaluate(_HUSK, (key,), *new, record)


def heads(key: str) -> Command:
    return _evaluate(_HEADS, (key,))


def enlist(key: str, member: str, kept: int) -> Command:
    return _evaluate(_ENLIST, (key,), member, kept)


def release(key: str, token: str) -> Command:
    return _evaluate(_RELEASE, (key,), token)

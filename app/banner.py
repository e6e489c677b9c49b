"""The first words and the last: what runs where, and what came of it."""

from __future__ import annotations

import os
import shutil
import sys

from app import __version__
from app.core.decisions import Result
from app.core.reasons import MEANINGS, Phase, Reason
from app.counters import Counters
from app.settings import Settings
from app.store.redis.address import Address as Redis
from app.store.redis.address import is_redis
from app.units import Address
from app.upstream.errors import UpstreamError
from app.upstream.origin import Origin
from app.upstream.probe import failure_of
from app.wording import span

_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


def banner(settings: Settings, *, demo: bool = False, made_token: str | None = None, color: bool = False) -> str:
    """What runs where. `made_token` is the admin token that Swerve made itself, and that is told nowhere else."""
    bold, reset = (_BOLD, _RESET) if color else ("", "")
    dialect = settings.dialect
    site = _url(settings.listen, "https" if settings.tls_cert else "http")
    admin = _url(settings.admin, "http")
    if made_token is not None:
        access, admin = "(the link holds the token)", f"{admin}/?token={made_token}"
    elif settings.admin_token is not None:
        access = "(asks for your admin token)"
    else:
        access = "(this machine only, no password)"
    origin = "built-in demo origin" if demo else str(settings.origin)
    workers = f"   {settings.workers} workers" if settings.workers > 1 else ""
    return "\n".join((
        "",
        f"  {bold}swerve{reset} {__version__}   dialect {dialect.name} (as of {dialect.as_of})   "
        f"cache {_told(settings.store)}, {round(settings.max_size / 2**20, 2):.15g} MB{workers}",
        "",
        f"  your site     {bold}{site}{reset}      →  {origin}",
        f"  admin side    {admin}      {access}",
        f"  try           curl -i {site}{'/blog' if demo else '/'}",
        "",
    ))  # fmt: skip


def _told(store: str) -> str:
    """Without a password, and without the folder by which workers share their memory."""
    if is_redis(store):
        return Redis.of(store).shown
    return "memory" if store.startswith("memory:") else store


def origin_note(origin: Origin, failure: UpstreamError) -> str:
    """What to say when the origin cannot be connected to at the start."""
    lines = [f"  {origin}: {failure.detail}", "  Listening anyway; it is used as soon as it answers."]
    if origin.uds is None and Address(origin.host, origin.port).is_loopback:
        lines.append("  (In Docker? There localhost is this container: name the service, or host.docker.internal.)")
    return "\n".join(lines)


async def note_on_origin(origin: Origin, seconds: float) -> None:
    """Say at once when the origin does not answer; the start never depends on it."""
    failure = await failure_of(origin, seconds)
    if failure is not None:
        say(origin_note(origin, failure))


def note_on_clock(offset: float) -> None:
    """Say at the start that HTTP time is ahead, as it was left: a store keeps it."""
    if offset:
        say(f"  HTTP time is {span(offset)} ahead, as it was left; `{command()} clock reset` puts it right\n")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _url(address: Address, scheme: str) -> str:
    near = address.reachable
    return f"{scheme}://{Address('localhost', near.port) if near.host == '127.0.0.1' else near}"


def summary(counters: Counters, *, demo: bool = False) -> str:
    """What came of it, in a few lines, for the one who pressed Ctrl-C."""
    if counters.requests == 0:
        return "\n  no requests\n"
    lines = ["", f"  {' · '.join(_counts(counters))}"]
    if (refused := _most_refused(counters)) is not None:
        reason, times = refused
        lines.append(f"  {times} × response refused: {MEANINGS[reason].meaning}; {MEANINGS[reason].advice}")
    if demo:
        lines.append(f"  next: put it in front of your own app:  {command()} http://localhost:3000")
    elif refused is not None:
        lines.append(f"  next: while Swerve runs, `{command()} why URL` shows every rule that was looked at")
    return "\n".join((*lines, ""))


def command() -> str:
    """How to call Swerve from here: by name where the shell would find it, else as it was called."""
    called = sys.argv[0]
    return "swerve" if shutil.which("swerve") or not called.endswith("swerve") else os.path.relpath(called)


def _counts(counters: Counters) -> list[str]:
    fetches = counters.origin_requests.total()
    offload = f" (offload {counters.requests / fetches:.1f}×)" if fetches else ""
    counts = [
        _number(counters.requests, "request"),
        f"{counters.results[Result.HIT] + counters.results[Result.STALE]} from cache",
        f"{counters.collapsed} collapsed",
        f"{_number(fetches, 'origin fetch', 'origin fetches')}{offload}",
    ]
    if failed := counters.results[Result.ERROR]:
        counts.append(f"{failed} failed")
    if counters.refresh_failures:
        counts.append(_number(counters.refresh_failures, "refresh failed", "refreshes failed"))
    return counts


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def _most_refused(counters: Counters) -> tuple[Reason, int] | None:
    """The commonest way in which responses were not stored that something can be done about."""
    for text, times in counters.reasons.most_common():
        reason = Reason(text)
        if MEANINGS[reason].phase is Phase.RESPONSE and MEANINGS[reason].advice:
            return reason, times
    return None

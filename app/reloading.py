"""Settings that are read again while Swerve runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.altered import Altered, Reloaded, altered, fingerprint, kept, needs_restart
from app.config_error import ConfigError
from app.outlived import advice
from app.settings import Settings, Sources

TakeUp = Callable[[Settings], Awaitable[None]]


class NotTakenUp(Exception):
    """The new settings hold, but not everywhere yet; the message says where."""


class Reloading:
    """Reads the settings again and has them taken up, once at a time. `settings`: as they were read at the start,
    before anything was put in their place; without `sources` there is nothing that could be read."""

    def __init__(self, settings: Settings, sources: Sources | None = None) -> None:
        self._sources, self._started, self._read = sources, settings, settings
        self._certificate = fingerprint(settings)
        self._one_at_a_time = asyncio.Lock()

    async def again(self, running: Callable[[], Settings], take_up: TakeUp) -> Reloaded:
        """What `take_up` is given holds from now on, in place of what is `running`. Raises ConfigError where what was
        read is of no use, and then nothing has changed; NotTakenUp."""
        if self._sources is None:
            raise ConfigError("these settings were not read from anywhere; start Swerve by its command line")
        async with self._one_at_a_time:
            read = await asyncio.to_thread(self._sources.read)
            fixed = needs_restart(self._started, read)
            settings = kept(read, fixed, running())
            certificate = fingerprint(settings)
            await take_up(settings)
            changed = [one for one in altered(self._read, read) if one.setting not in fixed]
            if certificate != self._certificate:
                changed.append(Altered("certificate", self._certificate, certificate))
            advised = advice(self._read, read)
            self._read, self._certificate = read, certificate
            restart = [one for one in altered(self._started, read) if one.setting in fixed]
            return Reloaded(tuple(changed), tuple(restart), advised)


def in_words(told: Reloaded) -> str:
    """What has become of it, in one line."""
    names = ", ".join(one.setting for one in told.changed)
    words = f"reloaded: {names}" if names else "reloaded: nothing has changed"
    waiting = ", ".join(one.setting for one in told.restart)
    words = f"{words}; needs a restart: {waiting}" if waiting else words
    return words if told.advice is None else f"{words}; {told.advice}"

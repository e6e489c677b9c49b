"""What the admin side may ask and do: the one place that knows where the answers come from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.admin.purges import Purging
from app.altered import Reloaded
from app.core.rules import Rules
from app.engine import Engine
from app.fleet import Fleet
from app.settings import Settings
from app.store.base import Store


@dataclass(slots=True)
class Desk:
    """What the admin side has one of, whatever the settings. `fleet` knows what clients were told, whichever process
    did it. `stopping` is set once we are told to end. `reload` reads the settings again. `streams`: how many are open.
    """

    fleet: Fleet
    purging: Purging
    stopping: asyncio.Event
    reload: Callable[[], Awaitable[Reloaded]]
    streams: int = 0


class Access:
    """For the settings that are in force."""

    def __init__(self, engine: Engine, settings: Settings, desk: Desk) -> None:
        self.engine, self.around, self.settings, self.desk = engine, engine.around, settings, desk
        self.fleet, self.purging, self.stopping = desk.fleet, desk.purging, desk.stopping

    @property
    def store(self) -> Store:
        return self.around.store

    @property
    def rules(self) -> Rules:
        """Those that hold where no route fits."""
        return self.around.ruling.rules

    def now(self) -> float:
        """HTTP time."""
        return self.around.clock.now()

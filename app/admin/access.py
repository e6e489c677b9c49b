"""What the admin side may ask and do: the one place that knows where the answers come from."""

from __future__ import annotations

import asyncio

from app.admin.purges import Purging
from app.core.rules import Rules
from app.engine import Engine
from app.fleet import Fleet
from app.settings import Settings
from app.store.base import Store


class Access:
    """`fleet` knows what clients were told, whichever process did it. `stopping` is set once we are told to end."""

    def __init__(self, engine: Engine, settings: Settings, fleet: Fleet, stopping: asyncio.Event) -> None:
        self.engine, self.around, self.settings, self.stopping = engine, engine.around, settings, stopping
        self.purging = Purging(self.around.store, self.around.tasks, self.around.journal)
        self.fleet = fleet
        self.streams = 0

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

"""What went wrong, counted, and said once: not once a request."""

from __future__ import annotations

import logging
from collections import Counter

import lmdb

# What LMDB and the file system may raise at any time.
FAILURES = (lmdb.Error, OSError)

log = logging.getLogger("swerve")


class Health:
    """`counts` of what happened; `trouble` in words, until the next change is written."""

    def __init__(self, name: str) -> None:
        self.counts = Counter(evictions=0, errors=0)
        self.trouble: str | None = None
        self._name = name

    def failed(self, what: str, why: object) -> None:
        self.counts["errors"] += 1
        if self.trouble is None:
            log.warning("store %s: cannot %s: %s; going on without what it keeps", self._name, what, why)
        self.trouble = f"cannot {what}: {why}"

    def well(self) -> None:
        if self.trouble is not None:
            log.warning("store %s: works again", self._name)
        self.trouble = None

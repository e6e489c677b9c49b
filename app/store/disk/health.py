"""What went wrong, counted, and said once: not once a request."""

from __future__ import annotations

import logging
from collections import Counter
from time import monotonic

import lmdb

# What LMDB and the file system may raise at any time.
FAILURES = (lmdb.Error, OSError)

log = logging.getLogger("swerve")

# A disk that is nearly full takes small things and refuses large ones, in turn: it is told of once in so many seconds.
QUIET = 60.0


class Health:
    """`counts` of what happened; `trouble` in words, until the next change is written and the disk has room. `away`:
    there is no folder just now, so that nothing can be read or written."""

    def __init__(self, name: str) -> None:
        self.counts = Counter(evictions=0, errors=0)
        self._failing: str | None = None
        self._full = dict[str, str]()
        self.away = False
        self._name = name
        self._said = self._said_full = False
        self._quiet_until = self._full_quiet_until = 0.0

    @property
    def trouble(self) -> str | None:
        return self._failing or next(iter(self._full.values()), None)

    def failed(self, what: str, why: object) -> None:
        if not self.away:
            self.not_done(what, why)

    def gone(self) -> None:
        self.away = True
        log.warning("store %s: its files were deleted or replaced while in use; it begins anew", self._name)

    def not_done(self, what: str, why: object) -> None:
        self.counts["errors"] += 1
        if self._failing is None and monotonic() >= self._quiet_until:
            log.warning("store %s: cannot %s: %s; going on without what it keeps", self._name, what, why)
            self._said, self._quiet_until = True, monotonic() + QUIET
        self._failing = f"cannot {what}: {why}"

    def well(self) -> None:
        if self._said:
            log.warning("store %s: works again", self._name)
        self._failing, self._said = None, False

    def full(self, what: str, why: OSError) -> None:
        """The disk has no more room for that."""
        reason = why.strerror or str(why)
        if not self._full and monotonic() >= self._full_quiet_until:
            log.warning(
                "store %s: the disk is full (%s): until it has room, what comes takes the place of what was not used; "
                "free some, or lower --max-size", self._name, reason,
            )  # fmt: skip
            self._said_full, self._full_quiet_until = True, monotonic() + QUIET
        self._full[what] = f"the disk is full: {reason}"

    def roomy(self, what: str) -> None:
        self._full.pop(what, None)
        if self._said_full and not self._full:
            log.warning("store %s: the disk has room again", self._name)
            self._said_full = False

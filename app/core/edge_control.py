"""Edge-Control, as origins send it to one edge alone: Cache-Control's words, units, and directives that are taken back.

Not standardised; read from http.dev/edge-control (2026-11-25) and from what origins send: `!no-store, max-age=1d,
downstream-ttl=300s`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.fields import MAX_DELTA, split_list, unquote
from app.core.remembered import remembered


@dataclass(frozen=True, slots=True)
class EdgeControl:
    """What it says, in seconds. `allows_storing`: it takes back a no-store that another field says. `downstream`: for
    how long those behind the edge may keep the response. A number that cannot be read counts as 0, as elsewhere."""

    lifetime: int | None = None
    no_store: bool = False
    allows_storing: bool = False
    downstream: int | None = None


_DURATION = re.compile(r"(\d{1,10})([smhd]?)", re.IGNORECASE)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LIFETIMES = ("max-age", "cache-maxage")
_NOT_STORED = ("no-store", "bypass-cache")


@remembered
def parse_edge_control(*lines: str) -> EdgeControl:
    """Tolerant: names in any case, unknown directives ignored, the first of several lifetimes."""
    said: dict[str, str] = {}
    for line in lines:
        for member in split_list(line):
            name, _, value = member.partition("=")
            said.setdefault(name.strip(" \t").lower(), value.strip(" \t"))
    lifetime = next((said[name] for name in _LIFETIMES if name in said), None)
    return EdgeControl(
        lifetime=None if lifetime is None else _duration(lifetime),
        no_store=any(name in said for name in _NOT_STORED),
        allows_storing="!no-store" in said,
        downstream=_duration(said["downstream-ttl"]) if "downstream-ttl" in said else None,
    )


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(unquote(text))
    return 0 if match is None else min(int(match[1]) * _SECONDS[match[2].lower()], MAX_DELTA)

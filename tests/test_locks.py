"""The lock files hold for any pip that a machine may bring."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

LOCKED = re.compile(r"^([a-z0-9.-]+)(?:\[([a-z0-9,]+)\])?==", re.MULTILINE)
# What a package asks for with extras: name, extras; without what only an extra of its own would bring.
REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)\[([a-z0-9,]+)\](?!.*\bextra *==)")


def test_what_is_required_with_an_extra_is_locked_with_it() -> None:
    """pip before 23.3 takes the newest release for `name[extra]` when only `name` is pinned, and then refuses it."""
    text = Path("requirements-dev.lock").read_text()
    locked = {name: set((extras or "").split(",")) for name, extras in LOCKED.findall(text)}
    asked = [
        (match[1].lower(), set(match[2].split(",")))
        for distribution in distributions()
        if distribution.name.lower() in locked
        for match in map(REQUIRED.match, distribution.requires or ())
        if match
    ]
    assert asked, "nothing asks for an extra any more: this test can go"
    assert [(name, extras) for name, extras in asked if not extras <= locked[name]] == []

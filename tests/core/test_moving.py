"""Responses of origins that do not know that time was moved."""

from __future__ import annotations

import pytest

from app.core.messages import Headers
from app.core.moving import moved
from tests.core.build import row

MOVED = [
    #                        field, as it comes                                   an hour later
    row("its date",          ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),           "Tue, 14 Nov 2023 23:13:20 GMT"),
    row("its end",           ("expires", "Tue, 14 Nov 2023 22:13:20 GMT"),        "Tue, 14 Nov 2023 23:13:20 GMT"),
    row("no date",           ("expires", "0"),                                    "0"),
    row("what has changed",  ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"),  "Tue, 14 Nov 2023 22:13:20 GMT"),
    row("for ever",          ("expires", "Fri, 31 Dec 9999 23:30:00 GMT"),        "Fri, 31 Dec 9999 23:59:59 GMT"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "later"), MOVED)
def test_times_are_moved(line: tuple[str, str], later: str) -> None:
    headers = Headers.of(line, ("etag", "a"))
    assert moved(headers, 3600).get(line[0]) == later
    assert moved(headers, 3600).get("etag") == "a"
    assert moved(headers, 0) is headers

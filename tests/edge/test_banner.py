"""The first words and the last."""

import re
from dataclasses import replace
from pathlib import Path

from app.banner import banner, origin_note, summary
from app.core.decisions import Result, Verdict
from app.core.reasons import Reason
from app.journal import Journal
from app.settings import Settings, load_settings
from app.units import Address
from app.upstream.errors import translate
from app.upstream.origin import Origin
from tests.edge.events import HIT, KEY, MISS, event


def settings(**flags: str) -> Settings:
    return load_settings({"origin": "http://localhost:3000", **flags}, {}, Path("/"))


def test_the_banner_says_what_runs_where() -> None:
    said = banner(settings())
    assert "dialect vercel (as of 2026-11)   cache memory, 256 MB" in said
    assert re.search(r"your site +http://localhost:8080 +→  http://localhost:3000\n", said)
    assert re.search(r"admin side +http://localhost:8081 +\(this machine only, no password\)\n", said)
    assert "try           curl -i http://localhost:8080/\n" in said
    assert "\x1b" not in said


def test_the_banner_of_the_demo() -> None:
    said = banner(replace(settings(), origin=None), demo=True)
    assert "built-in demo origin" in said
    assert "curl -i http://localhost:8080/blog" in said


def test_the_banner_with_tokens() -> None:
    assert "http://localhost:8081/?token=abc " in banner(settings(admin="0.0.0.0:8081"), made_token="abc")
    given = banner(replace(settings(), admin_token="own"))
    assert "asks for your admin token" in given
    assert "own " not in given


def test_the_banner_of_https_on_every_address() -> None:
    open_to_all = replace(settings(), listen=Address("::", 443), tls_cert=Path("c"), tls_key=Path("k"))
    assert "https://[::1]:443" in banner(open_to_all, color=True)


def test_the_banner_tells_no_password() -> None:
    said = banner(replace(settings(), store="redis://swerve:secret@cache.example:6379/0"))
    assert "cache redis://" in said
    assert "cache.example" in said
    assert "secret" not in said


def test_the_banner_of_several_workers() -> None:
    said = banner(replace(settings(), store="memory:/dev/shm/swerve-store-x", workers=4))
    assert "cache memory, 256 MB   4 workers" in said


def test_an_origin_that_refuses() -> None:
    said = origin_note(
        Origin.parse("http://localhost:3000"), translate(ConnectionRefusedError(111, "Connection refused"))
    )
    assert "http://localhost:3000: the origin refused the connection" in said
    assert "Docker" in said
    assert "Docker" not in origin_note(Origin.parse("http://web:3000"), translate(TimeoutError()))
    assert "Docker" not in origin_note(Origin.parse("unix:/x.sock"), translate(FileNotFoundError(2, "No such file")))


def journal(*verdicts: Verdict, fetches: int = 0) -> Journal:
    made = Journal()
    for verdict in verdicts:
        made.record(event(verdict))
    made.counters.origin_requests["request"] = fetches
    return made


def test_the_summary_counts() -> None:
    stale = Verdict(Result.STALE, Reason.STALE_WHILE_REVALIDATE, KEY)
    collapsed = replace(MISS, reason=Reason.COLLAPSED, collapsed=True)
    failed = Verdict(Result.ERROR, Reason.ORIGIN_TIMEOUT, KEY)
    made = journal(MISS, HIT, HIT, stale, collapsed, failed, fetches=2)
    made.counters.refresh_failures = 1
    assert summary(made.counters).strip() == (
        "6 requests · 3 from cache · 1 collapsed · 2 origin fetches (offload 3.0×) · 1 failed · 1 refresh failed"
    )


def test_the_summary_of_nothing() -> None:
    assert summary(journal().counters).strip() == "no requests"


def test_the_summary_of_one() -> None:
    said = summary(journal(MISS, fetches=1).counters)
    assert "1 request · 0 from cache · 0 collapsed · 1 origin fetch (offload 1.0×)" in said


def test_the_summary_says_what_to_do_next() -> None:
    refused = Verdict(Result.NOSTORE, Reason.NO_LIFETIME, KEY)
    said = summary(journal(refused, refused, HIT).counters)
    assert "2 × response refused: nothing that this dialect reads gives it a lifetime" in said
    assert "s-maxage=60" in said
    assert "swerve why" in said
    assert "swerve http://localhost:3000" in summary(journal(HIT).counters, demo=True)

"""`swerve explain-header`: what it prints, and its exit codes."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from app.glossary.text import rendered

PIPED = """HTTP/2 200 \r
date: Wed, 25 Nov 2026 08:00:00 GMT\r
age: 12\r
x-vercel-cache: HIT\r
x-unheard-of: 1\r
cache-status: swerve; hit; ttl=48; detail=fresh\r
\r
"""


def explain(*words: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["explain-header", *words], input=stdin, prog_name="swerve")


def test_a_word_its_meaning_and_its_causes() -> None:
    done = explain("X-Vercel-Cache: REVALIDATED")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "x-vercel-cache: REVALIDATED",
        "  vercel: what was stored had been deleted, or the client sent Pragma: no-cache or the token: made",
        "      anew while the visitor waited",
        "    renewed: it was stored, and fetched anew because a purge or the client wanted it so",
        "        request-pragma: the client sent Pragma: no-cache and what is stored is stale [RFC 9111 §5.4]",
        "          → DevTools «Disable cache» sends it",
        "        request-renewal: the request shows the token for which a response is made anew at once",
        "          [dialect]",
        "        deleted: was stored, but a purge deleted it [purge] → a purge that invalidates lets the next",
        "          visitor not wait",
    ]


def test_many_causes_are_named_only() -> None:
    lines = explain("x-vercel-cache: BYPASS").stdout.splitlines()
    assert lines[1] == "  vercel: the request does not meet the cache: the origin answers each one"
    assert lines[2].startswith("    by method, request-authorization, request-range,")


def test_those_who_say_the_same_stand_together() -> None:
    lines = explain("cache-tag: a", "--dialects", "google,netlify,standard").stdout.splitlines()
    assert lines == ["cache-tag: a", "  google, netlify, standard: tags, by which it may be purged"]


def test_lists_are_read_element_by_element() -> None:
    lines = explain("x-cache: hit-fresh, miss", "--dialects", "trafficserver").stdout.splitlines()
    assert "  trafficserver, hit-fresh (the nearest to the origin): the cache answered, with what is fresh" in lines
    assert "  trafficserver, miss (the nearest to you):" in lines


def test_what_is_only_alike_is_said_to_be() -> None:
    assert (
        "trafficserver, read as hit-fresh: the cache answered"
        in explain("x-cache: Hit-Fresh", "--dialects", "trafficserver").stdout
    )


def test_a_word_that_the_default_rules_never_bring_about() -> None:
    assert "not under the rules that it has by default" in explain("x-cache-status: REVALIDATED").stdout


def test_ids_and_times_are_told() -> None:
    said = explain("x-nf-request-id: 01KDC6WQ5F3AW9TSXEYMFN236J").stdout
    assert "01KDC6WQ5F3AW9TSXEYMFN236J: names this one response" in said
    slots = {"seconds": "1700000000", "elapsed": "48", "micros": "1"}
    reading = {"dialect": "a", "text": "v", "word": "", "exact": True, "place": "", "meaning": "m", "senses": []}
    one = {"name": "n", "value": "v", "known": True, "general": [], "words": {}, "near": []}
    text = rendered([{**one, "readings": [{**reading, "slots": slots}]}], 100, colour=True)
    assert text.splitlines() == [
        "\x1b[1mn: v\x1b[0m",
        "  a: m",
        "        1700000000: Tue, 14 Nov 2023 22:13:20 GMT",
        "        48: milliseconds that it took",
    ]


def test_from_a_pipe_those_that_are_known_in_order() -> None:
    done = explain("-", stdin=PIPED)
    assert done.exit_code == 0
    titles = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert titles == ["age: 12", "x-vercel-cache: HIT", "cache-status: swerve; hit; ttl=48; detail=fresh"]


def test_a_name_alone_lists_its_words() -> None:
    assert explain("x-nextjs-cache", "--dialects", "nextjs").stdout.splitlines() == [
        "x-nextjs-cache",
        "  nextjs: HIT · STALE · MISS · REVALIDATED",
    ]


def test_json_has_it_all() -> None:
    (one,) = json.loads(explain("x-vercel-cache: HIT", "--json").stdout)
    assert (one["known"], one["readings"][0]["dialect"]) == (True, "vercel")
    (sense,) = one["readings"][0]["senses"]
    assert (sense["result"], sense["causes"][0]["reason"]) == ("hit", "fresh")


@pytest.mark.parametrize(("words", "stdin", "code", "told"), [
    (["x-cache-statuz: HIT"], "", 1, "no dialect knows such a field; did you mean x-cache-status"),
    (["x-cache-status: HITS"], "", 1, "nobody here says that; did you mean HIT?"),
    (["age: 1", "x-unheard-of: 1"], "", 1, "no dialect knows such a field"),
    (["-"], "HTTP/1.1 200\nx-unheard-of: 1\n", 1, "nothing of it is known here"),
    (["age: 1", "--dialects", "nginz"], "", 2, "did you mean nginx?"),
    (["a b: c"], "", 2, "no field; write 'Name: value'"),
    ([], "", 2, "Missing argument"),
])  # fmt: skip
def test_what_cannot_be_explained(words: list[str], stdin: str, code: int, told: str) -> None:
    done = explain(*words, stdin=stdin)
    assert done.exit_code == code
    assert told in done.output


def test_what_could_move_a_cursor_is_escaped() -> None:
    assert "\x1b" not in explain("age: \x1b[2J").output

"""What `swerve dialects` tells of each dialect."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.config_error import ConfigError
from app.core.dialect import NoteKind
from app.dialects import CONFIG, dialect_names, load_dialect
from app.fidelity import listed, page, page_text

every_dialect = pytest.mark.parametrize("name", dialect_names())


def told(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["dialects", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_has_every_dialect() -> None:
    assert [line.split()[0] for line in told().splitlines()] == dialect_names()
    assert json.loads(told("--json")) == listed()


@every_dialect
def test_a_page_has_every_note_with_its_source(name: str) -> None:
    printed = " ".join(told(name).split())
    for note in load_dialect(name).notes:
        assert f"{note.what}: {note.why} [{note.source}]".replace("  ", " ") in printed
    assert json.loads(told(name, "--json")) == page(name)


@every_dialect
def test_a_page_says_where_each_difference_is_from(name: str) -> None:
    for one in page(name)["differs"]:
        assert one["source"] or isinstance(one["value"], list | dict), one["rule"]


@every_dialect
def test_a_page_has_every_word(name: str) -> None:
    printed = " ".join(told(name).split())
    for field in load_dialect(name).fields:
        assert f"{field.name}: {field.value}" in printed
        for result, word in field.words.items():
            assert not word or f"{result} {word}".strip() in printed


def test_what_is_the_same_as_in_the_plain_cache_is_left_out() -> None:
    assert page("standard")["differs"] == []
    assert "otherwise than" not in page_text("standard")


def test_a_difference_has_both_values_and_its_source() -> None:
    differs = {one["rule"]: one for one in page("nginx")["differs"]}
    assert differs["collapse"] == {
        "rule": "collapse", "value": False, "standard": True, "source": "NGX: proxy_cache_lock off",
    }  # fmt: skip
    assert "collapse = false, not true [NGX: proxy_cache_lock off]" in page_text("nginx")
    assert differs["governing"]["value"] == [{"field": "x-accel-expires", "syntax": "seconds"}]


def test_for_how_long_clients_may_keep_responses_is_told() -> None:
    kept = "cache-control: clients may keep what is stored for"
    assert f"{kept} at least 14400 seconds" in page_text("cloudflare")
    assert f"{kept} no longer than what is left here" in page_text("akamai")
    assert kept not in page_text("standard")


def test_who_has_to_ask_for_a_field_is_told() -> None:
    assert "x-cache: {word}, for who sends x-debug: X-Cache" in page_text("trafficserver")


def test_the_sections_are_those_that_have_something() -> None:
    titles = [line for line in page_text("nginx").splitlines() if not line.startswith(" ") and line]
    assert titles[1:] == [
        "What it says", "What it does otherwise than standard", "Not emulated", "Unconfirmed", "Our choice",
    ]  # fmt: skip
    assert {str(kind) for kind in NoteKind} <= listed()[0].keys()


def test_values_without_a_primary_source_are_named() -> None:
    assert {"rules.age_counts", "speech.fields.x-vercel-cache.words.error"} <= set(page("vercel")["unconfirmed"])
    assert "rules.set_cookie" not in page("vercel")["unconfirmed"]
    assert "Values without a primary source" in page_text("vercel")
    assert "Values without a primary source" not in page_text("standard")


def test_a_file_of_ones_own_has_a_page_too() -> None:
    assert page(str(CONFIG / "examples" / "counted.toml"))["says"][0]["words"]["hit"] == "HIT: {hits}"


def test_an_unknown_name_is_a_mistake() -> None:
    result = CliRunner().invoke(cli, ["dialects", "ngix"])
    assert result.exit_code == 2
    assert "did you mean nginx?" in result.output
    with pytest.raises(ConfigError):
        page("ngix")

"""The columns of a comparison: of each dialect's treatment, what is compared and how it is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from app.core.because import span as length
from app.table.words import COOKIES

Treatment = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """`questions`: the names of a treatment that it shows. `words`: its cell as a part of a sentence."""

    title: str
    questions: tuple[str, ...]
    cell: Callable[[Treatment], str]
    words: Callable[[Treatment], str]

    def differs_in(self, differs: Collection[str]) -> bool:
        return any(one in differs for one in self.questions)


def _fresh(one: Treatment) -> str:
    if not one["stored"]:
        return "no"
    return "validated" if one["validated"] else length(one["fresh_for"])


def _kept(one: Treatment) -> str:
    if not one["stored"]:
        return f"not stored ({one['refused']})"
    return "stored, and validated at each use" if one["validated"] else f"stored, fresh for {length(one['fresh_for'])}"


def _window(name: str) -> Callable[[Treatment], str]:
    return lambda one: length(one[name]) if one["stored"] and one[name] else "–"


def _turn(name: str) -> Callable[[Treatment], str]:
    def cell(one: Treatment) -> str:
        turn = one[name]
        if turn is None:
            return "–"
        word = str(turn["result"]).upper()
        return f"{word} {turn['status']}" if turn["result"] == "error" else word

    return cell


def _by(one: Treatment) -> str:
    field, _, directive = (one["lifetime_from"] or "–").rpartition(": ")
    return directive if field in ("", "cache-control") else f"{field}: {directive}"


def _apart(one: Treatment) -> str:
    return ", ".join(one["told_apart_by"]) or ("–" if one["stored"] else "")


COLUMNS = (
    Column("fresh for", ("stored", "validated", "fresh_for", "refused"), _fresh, _kept),
    Column("by", ("lifetime_from",), _by, lambda one: f"by {_by(one)}" if one["lifetime_from"] else ""),
    Column("then stale", ("stale_for",), _window("stale_for"),
        lambda one: f"then stale for {length(one['stale_for'])} while it is refreshed" if one["stale_for"] else ""),
    Column("on error", ("stale_on_error",), _window("stale_on_error"),
        lambda one: f"with the origin down for {length(one['stale_on_error'])}" if one["stale_on_error"] else ""),
    Column("told apart by", ("told_apart_by",), _apart,
        lambda one: f"told apart by {_apart(one)}" if one["told_apart_by"] else ""),
    Column("cookie", ("set_cookie",), lambda one: COOKIES.get(one["set_cookie"], "–"),
        lambda one: f"its cookie is for {COOKIES[one['set_cookie']]}" if one["set_cookie"] else ""),
    Column("1st", ("first",), _turn("first"), lambda one: f"1st {_turn('first')(one)}"),
    Column("2nd", ("second",), _turn("second"), lambda one: f"2nd {_turn('second')(one)}"),
    Column("stale", ("stale",), _turn("stale"),
        lambda one: f"just stale {_turn('stale')(one)}" if one["stale"] else ""),
    Column("down", ("down",), _turn("down"), lambda one: f"origin down {_turn('down')(one)}"),
    Column("", ("cache_control",), lambda one: "",
        lambda one: f"Cache-Control for the client: {one['cache_control'] or '(none)'}"),
)  # fmt: skip


def agreement(one: Treatment, differs: Collection[str]) -> str:
    """That in which all are like this one, in one sentence."""
    said = [column.words(one) for column in COLUMNS if not column.differs_in(differs)]
    return "; ".join(filter(None, said))

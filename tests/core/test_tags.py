"""Cache tags: what each syntax makes of its field (RFC 9875 §2 for the structured one)."""

from __future__ import annotations

import pytest

from app.core.tags import Separator, TagField, tags_of
from tests.core.build import head, row

COMMA, SPACE, EITHER, STRUCTURED = (TagField("t", separator) for separator in Separator)

TAGS = [
    #                                        field                           lines                    tags
    row("by commas",                         COMMA,                          "t: a, b,c",             ("a", "b", "c")),
    row("by commas, with spaces inside",     COMMA,                          "t: a b, c",             ("a b", "c")),
    row("several lines",                     COMMA,                          "t: a | t: b",           ("a", "b")),
    row("each once, in order",               COMMA,                          "t: b,a,b",              ("b", "a")),
    row("empty ones are none",               COMMA,                          "t: ,a,, ",              ("a",)),
    row("case matters",                      COMMA,                          "t: A,a",                ("A", "a")),
    row("unless it does not",                TagField("t", fold_case=True),  "t: A,a,B",              ("a", "b")),
    row("by spaces",                         SPACE,                          "t: a  b,c",             ("a", "b,c")),
    row("by spaces and commas",              EITHER,                         "t: a b, c,d",       ("a", "b", "c", "d")),
    row("a list of strings",                 STRUCTURED,                     't: "a", "b c"',         ("a", "b c")),
    row("what is no string is ignored",      STRUCTURED,                     't: "a", b, 3, ("c")',   ("a",)),
    row("what is no list is not there",      STRUCTURED,                     "t: \"a",                ()),
    row("at most so many",                   TagField("t", most=2),          "t: a,b,c",              ("a", "b")),
    row("at most so long",                   TagField("t", longest=2),       "t: aaa,bb",             ("bb",)),
    row("another field",                     COMMA,                          "u: a",                  ()),
]  # fmt: skip


@pytest.mark.parametrize(("field", "lines", "tags"), TAGS)
def test_tags_of(field: TagField, lines: str, tags: tuple[str, ...]) -> None:
    assert tags_of(head(lines), [field]) == tags


def test_the_tags_of_several_fields_come_together() -> None:
    assert tags_of(head("u: b c | t: a,b"), [COMMA, TagField("u", Separator.SPACE)]) == ("a", "b", "c")

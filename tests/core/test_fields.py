"""Reading field values: dates, seconds, lists, entity-tags (RFC 9110 §5.6, §8.8; RFC 9111 §1.2.2)."""

from __future__ import annotations

import pytest

from app.core.fields import (
    MAX_DELTA,
    EntityTag,
    parse_date,
    parse_delta,
    split_list,
    split_members,
    unquote,
)
from tests.core.build import row

RFC_EXAMPLE = 784_111_777

DATES = [
    #                                            value                              seconds
    row("IMF-fixdate",                           "Sun, 06 Nov 1994 08:49:37 GMT",   RFC_EXAMPLE),
    row("RFC 850",                               "Sunday, 06-Nov-94 08:49:37 GMT",  RFC_EXAMPLE),
    row("asctime, its day padded with a space",  "Sun Nov  6 08:49:37 1994",        RFC_EXAMPLE),
    row("asctime, its day of two digits",        "Wed Nov 16 08:49:37 1994",        RFC_EXAMPLE + 864_000),
    row("the epoch",                             "Thu, 01 Jan 1970 00:00:00 GMT",   0),
    row("before the epoch",                      "Wed, 31 Dec 1969 23:59:59 GMT",   -1),
    row("a leap day",                            "Thu, 29 Feb 2024 00:00:00 GMT",   1_709_164_800),
    row("a leap second",                         "Sat, 31 Dec 2016 23:59:60 GMT",   1_483_228_800),
    row("two digits of this century",            "Friday, 01-Jan-38 00:00:00 GMT",  2_145_916_800),
    row("any case",                              "sun, 06 nov 1994 08:49:37 gmt",   RFC_EXAMPLE),
    row("the comma forgotten",                   "Sun 06 Nov 1994 08:49:37 GMT",    RFC_EXAMPLE),
    row("nothing",                               "",                                None),
    row("zero",                                  "0",                               None),
    row("another zone",                          "Sun, 06 Nov 1994 08:49:37 CET",   None),
    row("no zone",                               "Sun, 06 Nov 1994 08:49:37",       None),
    row("no such month",                         "Sun, 06 Foo 1994 08:49:37 GMT",   None),
    row("day nought",                            "Sun, 00 Nov 1994 08:49:37 GMT",   None),
    row("day 32",                                "Sun, 32 Nov 1994 08:49:37 GMT",   None),
    row("hour 24",                               "Sun, 06 Nov 1994 24:00:00 GMT",   None),
    row("minute 60",                             "Sun, 06 Nov 1994 08:60:00 GMT",   None),
    row("second 61",                             "Sun, 06 Nov 1994 08:49:61 GMT",   None),
    row("something after it",                    "Sun, 06 Nov 1994 08:49:37 GMT x", None),
    row("two of them joined",                    ", ".join(["Sun, 06 Nov 1994 08:49:37 GMT"] * 2),  None),
    row("the year nought is no reason to crash", "Sat, 01 Jan 0000 00:00:00 GMT",   None),
    row("nor in asctime",                        "Sat Jan  1 00:00:00 0000",        None),
    row("a day that the month has not",          "Sat, 31 Feb 2026 00:00:00 GMT",   None),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), DATES)
def test_parse_date(value: str, seconds: int | None) -> None:
    assert parse_date(value) == seconds


DELTAS = [
    #                                           value             seconds
    row("nought",                               "0",              0),
    row("a minute",                             "60",             60),
    row("leading zeros",                        "060",            60),
    row("the largest",                          "2147483648",     MAX_DELTA),
    row("one more is the largest",              "2147483649",     MAX_DELTA),
    row("far more is the largest",              "9" * 5000,       MAX_DELTA),
    row("a sign",                               "+1",             None),
    row("a negative number",                    "-1",             None),
    row("a fraction",                           "1.5",            None),
    row("nothing",                              "",               None),
    row("absent",                               None,             None),
    row("white space",                          " 1",             None),
    row("superscript two is a digit to Python", "\xb2",           None),
    row("other scripts have digits, HTTP not",  "\u0663",         None),
    row("many leading zeros say nothing",       "00000000000005", 5),
]  # fmt: skip


@pytest.mark.parametrize(("value", "seconds"), DELTAS)
def test_parse_delta(value: str | None, seconds: int | None) -> None:
    assert parse_delta(value) == seconds


LISTS = [
    #                                              value             members
    row("one member",                              "a",              ["a"]),
    row("several",                                 "a, b,c",         ["a", "b", "c"]),
    row("empty ones are none",                     " , a,,\t, b ,",  ["a", "b"]),
    row("nothing",                                 "",               []),
    row("a comma in quotes is text",               'a="b, c", d',    ['a="b, c"', "d"]),
    row("an escaped quote does not end them",      r'a="b\", c", d', [r'a="b\", c"', "d"]),
    row("an escaped backslash does not hide it",   r'a="b\\", c',    [r'a="b\\"', "c"]),
    row("a backslash outside of quotes is itself", r"a\, b",         ["a\\", "b"]),
    row("quotes that never end take the rest",     'a, "b, c',       ["a", '"b, c']),
    row("nor does a backslash at the end crash",   'a, "b\\',        ["a", '"b\\']),
    row("another separator",                       "a;b",            ["a;b"]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "members"), LISTS)
def test_split_list(value: str, members: list[str]) -> None:
    assert list(split_list(value)) == members


def test_split_members_by_another_separator() -> None:
    assert list(split_members('a; b="c;d";; e', ";")) == ["a", 'b="c;d"', "", "e"]


QUOTED = [
    #                                   value        content
    row("a token stays",                "a",         "a"),
    row("quotes go",                    '"a b"',     "a b"),
    row("nothing in quotes is nothing", '""',        ""),
    row("escapes are undone",           r'"a\"b\\"', 'a"b\\'),
    row("one quote alone stays",        '"',         '"'),
    row("an open quote stays",          '"a',        '"a'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "content"), QUOTED)
def test_unquote(value: str, content: str) -> None:
    assert unquote(value) == content


#   RFC 9110 §8.8.3.2, and ours          one       other     strong  weak
TAGS = [
    #                                 one      other    strongly weakly
    row("the same weak tag",          'W/"1"', 'W/"1"', False, True),
    row("another weak tag",           'W/"1"', 'W/"2"', False, False),
    row("weak and strong",            'W/"1"', '"1"',   False, True),
    row("the same strong tag",        '"1"',   '"1"',   True,  True),
    row("another strong tag",         '"1"',   '"2"',   False, False),
    row("case tells tags apart",      '"a"',   '"A"',   False, False),
    row("without quotes",             '"1"',   "1",     True,  True),
    row("a small w is meant as weak", '"1"',   'w/"1"', False, True),
    row("empty tags",                 '""',    '""',    True,  True),
    row("a quote alone",              '"',     '""',    False, False),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "strongly", "weakly"), TAGS)
def test_entity_tags_compare(one: str, other: str, strongly: bool, weakly: bool) -> None:
    assert EntityTag.parse(one).matches_strongly(EntityTag.parse(other)) is strongly
    assert EntityTag.parse(other).matches_strongly(EntityTag.parse(one)) is strongly
    assert EntityTag.parse(one).matches_weakly(EntityTag.parse(other)) is weakly

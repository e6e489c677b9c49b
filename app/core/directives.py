"""Cache-Control (RFC 9111 §5.2), read once into numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.core.fields import MAX_DELTA, TOKEN, parse_delta, split_list, unquote
from app.core.remembered import remembered


@dataclass(frozen=True, slots=True)
class Directives:
    """The cache directives of one message. Seconds are integers; None means absent, 0 also means unreadable.

    RFC 9111 §4.2.1 encourages caches to take a lifetime that cannot be read as stale, and the first of several.
    `until` is the HTTP time at which a field that governs says that freshness ends. `downstream` is for how long those
    behind this cache may keep the response, where a field says that to them alone.
    `assigned` is the lifetime that a cache gives to a response all the same, which said that it may not be reused.
    `no_cache_fields` and `private_fields` are the field names of the qualified forms, which leave the flag False.
    """

    source: str = "cache-control"
    no_store: bool = False
    no_cache: bool = False
    private: bool = False
    public: bool = False
    must_revalidate: bool = False
    proxy_revalidate: bool = False
    must_understand: bool = False
    immutable: bool = False
    only_if_cached: bool = False
    no_cache_fields: frozenset[str] = frozenset()
    private_fields: frozenset[str] = frozenset()
    max_age: int | None = None
    s_maxage: int | None = None
    stale_while_revalidate: int | None = None
    stale_if_error: int | None = None
    max_stale: int | None = None
    min_fresh: int | None = None
    until: int | None = None
    downstream: int | None = None
    assigned: int | None = None

    def says(self, name: str) -> bool:
        """Whether a directive is there."""
        return bool(getattr(self, attribute_of(name)) != getattr(_SAID_NOTHING, attribute_of(name)))

    def unqualified(self) -> Directives:
        """As a cache reads it that does not know the forms with field names."""
        if not (self.no_cache_fields or self.private_fields):
            return self
        return replace(
            self,
            no_cache=self.no_cache or bool(self.no_cache_fields),
            private=self.private or bool(self.private_fields),
            no_cache_fields=frozenset(),
            private_fields=frozenset(),
        )

    def without(self, names: frozenset[str]) -> Directives:
        """As a cache reads it that does not obey these directives."""
        return replace(self, **{name: getattr(_SAID_NOTHING, name) for name in map(attribute_of, names)})

    @property
    def forbids_reuse(self) -> bool:
        """Whether a shared cache may not give it again without asking (RFC 9111 §5.2.2.4, §5.2.2.5, §5.2.2.7)."""
        return self.no_store or self.no_cache or self.private

    def allowing_reuse(self, seconds: int) -> Directives:
        """As a cache reads it that gives it again all the same, for so long."""
        return replace(self, no_store=False, no_cache=False, private=False, assigned=seconds)

    @property
    def forbids_stale(self) -> bool:
        """Whether a stale answer is ruled out by name (RFC 9111 §5.2.2.2, §5.2.2.8)."""
        return self.must_revalidate or self.proxy_revalidate or self.no_cache


_SAID_NOTHING = Directives()


def attribute_of(name: str) -> str:
    """The attribute of Directives that holds a directive."""
    return name.replace("-", "_")


# Directives whose value alone matters: name → (attribute, what a missing value means; None: unreadable).
SECONDS = {
    "max-age": ("max_age", None),
    "s-maxage": ("s_maxage", None),
    "stale-while-revalidate": ("stale_while_revalidate", -1),
    "stale-if-error": ("stale_if_error", -1),
    "max-stale": ("max_stale", MAX_DELTA),
    "min-fresh": ("min_fresh", None),
}
VALUELESS = -1  # a window without a number: the rules give it a finite one
_FLAGS = {
    name: name.replace("-", "_")
    for name in (
        "no-store",
        "public",
        "must-revalidate",
        "proxy-revalidate",
        "must-understand",
        "immutable",
        "only-if-cached",
    )
}
QUALIFIED = {"no-cache": ("no_cache", "no_cache_fields"), "private": ("private", "private_fields")}


def parse_cache_control(lines: Iterable[str], source: str = "cache-control") -> Directives:
    """Tolerant, as RFC 9111 §5.2 asks: names in any case, values quoted or not, unknown directives ignored."""
    return _parse_cache_control(source, *lines)


@remembered
def _parse_cache_control(source: str, *lines: str) -> Directives:
    pairs: list[tuple[str, str | None]] = []
    for line in lines:
        for member in split_list(line):
            name, equals, value = member.partition("=")
            pairs.append((name.strip(" \t").lower(), unquote(value) if equals else None))
    return directives_of(source, pairs)


def directives_of(source: str, pairs: Iterable[tuple[str, str | None]]) -> Directives:
    """By names in lower case and values without quotes."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in SECONDS:
            attribute, missing = SECONDS[name]
            seconds = missing if value is None else parse_delta(value)
            found.setdefault(attribute, 0 if seconds is None else seconds)
        elif name in _FLAGS:
            found[_FLAGS[name]] = True
        elif name in QUALIFIED:
            flag, fields = QUALIFIED[name]
            named = frozenset(field.lower() for field in split_list(value or ""))
            if named and all(map(TOKEN.fullmatch, named)):
                found[fields] = found.get(fields, frozenset()) | named
            else:  # what names no fields speaks of the whole response
                found[flag] = True
    return Directives(source, **found)


def directive_name(member: str) -> str:
    """The name of one member of Cache-Control, as it is compared."""
    return member.partition("=")[0].strip(" \t").lower()


def without_directives(value: str, names: Collection[str]) -> str:
    """The Cache-Control value with these directives taken out and the others left as they were written."""
    return ", ".join(member for member in split_list(value) if directive_name(member) not in names)

"""Which request fields a decision looked at: whatever else a request says, the decision is the same."""

from __future__ import annotations

from app.core.messages import Headers


class Observed(Headers):
    """Headers that remember the names, in lower case, by which they were asked.

    The size of all fields together, and whether a cookie is there, may be asked without being remembered: who relies on
    it bounds the head as a whole, and keeps heads with such cookies apart.
    """

    __slots__ = ("looked",)

    def __init__(self, headers: Headers) -> None:
        self.pairs, self._by_name = headers.pairs, headers._by_name
        self.looked: set[str] = set()

    def dropping(self, names: frozenset[bytes]) -> Headers:
        """What is left is looked at by the same eyes. That something is gone makes no difference that could be seen."""
        kept = super().dropping(names)
        if kept is self:
            return self
        rest = Observed(kept)
        rest.looked = self.looked
        return rest

    def adding(self, *lines: tuple[str, str]) -> Headers:
        rest = Observed(super().adding(*lines))
        rest.looked = self.looked
        return rest

    def lines(self, name: str) -> list[str]:
        self.looked.add(name)
        return super().lines(name)

    def get(self, name: str) -> str | None:
        self.looked.add(name)
        return super().get(name)

    def __contains__(self, name: str) -> bool:
        self.looked.add(name)
        return super().__contains__(name)

"""A request's head that is read only when somebody asks: most of those that are kept for a while nobody looks at."""

from __future__ import annotations

from app.core.messages import Headers, Pair


class UnreadHeaders(Headers):
    """The fields of a whole and valid head, as it came (RFC 9112 §5)."""

    __slots__ = ("_head",)

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._by_name = None

    def __getattr__(self, name: str) -> tuple[Pair, ...]:
        """Called for what is not there yet: `pairs`, the first time."""
        if name != "pairs":
            raise AttributeError(name)
        lines = [line.partition(b":") for line in self._head.split(b"\r\n")[1:-2]]
        self.pairs = tuple([(key.lower(), value.strip(b" \t")) for key, _, value in lines])
        return self.pairs

    def lines(self, name: str) -> list[str]:
        if b"\n%b:" % name.encode("latin-1") not in self._head.lower():
            return []
        return super().lines(name)

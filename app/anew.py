"""A head that says something else in each response, made for one after the other.

Most of what changes does so with the time: it is put in every ten milliseconds (app/late.py), and then all that is left
to do for a response is to join what stands before and behind its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat

# As a response is handed to the transport: in one piece, or in several.
Written = bytes | Sequence[bytes]


class Source:
    """What a late slot says: its `texts`, and between two of them, everywhere, the next of `endings`, which only tells
    one response from another. `timed`: whether the texts change with the time."""

    __slots__ = ()
    timed = False
    texts: Sequence[bytes]
    endings: Iterator[bytes]

    def turn(self, now: float) -> None:
        """Tell another time, or draw anew."""

    def refill(self) -> None:
        """Have other texts and endings, if those have ended."""

    def said(self) -> bytes:
        """In one response."""
        if len(self.texts) == 1:
            return self.texts[0]
        ending = next(self.endings, None)
        if ending is None:
            self.refill()
            ending = next(self.endings)
        return ending.join(self.texts)


class Anew:
    """Pieces with sources between them, and the `rest` that is not joined to them. Sources that are the same object say
    the same in one response, unless they are `drawn`."""

    def __init__(
        self, between: Sequence[bytes], sources: Sequence[Source], drawn: Sequence[bool], rest: Sequence[bytes] = ()
    ) -> None:
        self._first, *behind = between
        self._parts = list(zip(sources, behind, drawn, strict=True))
        self._rest = rest
        self._varying = [source for source in sources if len(source.texts) > 1]
        alike = all(source is self._varying[0] for source in self._varying)
        self._joined = self._by_joining if alike and (len(self._varying) < 2 or not any(drawn)) else self._one_by_one
        self.timed = any(source.timed for source in sources)

    def responses(self) -> Iterator[Written]:
        """One after the other, for as long as the texts of the sources stand."""
        for source in self._varying:
            source.refill()
        first = self._joined()
        return zip(first, *map(repeat, self._rest), strict=False) if self._rest else first

    def _by_joining(self) -> Iterator[bytes]:
        """One source at most varies from response to response."""
        piece, pieces = self._first, list[bytes]()
        for source, behind, _ in self._parts:
            for text in source.texts:
                pieces.append(piece + text)
                piece = b""
            piece = pieces.pop() + behind
        pieces.append(piece)
        return map(bytes.join, self._varying[0].endings, repeat(pieces)) if self._varying else repeat(piece)

    def _one_by_one(self) -> Iterator[bytes]:
        return iter(self._response, None)

    def _response(self) -> bytes:
        known: dict[int, bytes] = {}
        pieces = [self._first]
        for source, behind, drawn in self._parts:
            if drawn or id(source) not in known:
                known[id(source)] = source.said()
            pieces += known[id(source)], behind
        return b"".join(pieces)

"""Which issues have ever borne which label, in the order of their creation: a page of a search costs a page."""

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from itertools import groupby

# When an issue was created, and its id: the order of a search.
Position = tuple[float, int]


class LabelIndex:
    """Positions by label; a label that was taken off stays, since a lagging search still shows it."""

    def __init__(self) -> None:
        self._all: list[Position] = []
        self._by_label: dict[str, list[Position]] = {}

    def note(self, position: Position, labels: Iterable[str]) -> None:
        """Remember the issue at that position with these labels too."""
        for positions in (self._all, *(self._by_label.setdefault(label, []) for label in labels)):
            at = bisect_left(positions, position)
            if positions[at : at + 1] != [position]:
                insort(positions, position)

    def beyond(
        self, labels: Iterable[str] | None, last: Position | None, *, descending: bool
    ) -> Iterator[Position]:
        """The positions that come after `last` with any of the labels (None: all), as they are at this moment."""
        lists = [self._all] if labels is None else [self._by_label.get(label, []) for label in {*labels}]
        parts = [_beyond(positions, last, descending=descending) for positions in lists]
        return (position for position, _ in groupby(heapq.merge(*parts, reverse=descending)))


def _beyond(positions: list[Position], last: Position | None, *, descending: bool) -> list[Position]:
    if descending:
        return positions[: None if last is None else bisect_left(positions, last)][::-1]
    return positions[0 if last is None else bisect_right(positions, last) :]

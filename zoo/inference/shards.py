"""Work that several machines share: each takes every n-th item."""

from typing import Any

# The third of sixteen parts: `(3, 16)`.
Shard = tuple[int, int]


def take(items: list[Any], shard: Shard | None) -> list[Any]:
    """Returns one of several parts of a list: every item is in exactly one of them.

    >>> take([0, 1, 2, 3, 4], (2, 3))
    [1, 4]

    Raises:
        ValueError: for a part that there is not.
    """
    if shard is None:
        return items
    counted = isinstance(shard, (tuple, list)) and [type(n) for n in shard] == [int, int]
    if not counted or not 1 <= shard[0] <= shard[1]:
        raise ValueError(
            "A shard is one of several parts, counted from 1: (3, 16), or 3/16, is the third of "
            f"sixteen. Received: shard={shard!r}"
        )
    return items[shard[0] - 1 :: shard[1]]

"""Sample by hash, so that a selection depends on the set of names alone.

Neither the order nor the number of the names changes how two of them rank. When n names grow to m, about k (1 - n/m) of
k selected ones are replaced by new names, and nothing else changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def hash_rank(name: str, seed: int, purpose: str) -> bytes:
    """Compute the sort key of a name under a seed; keys of different purposes are independent.

    Args:
        name: what is ranked.
        seed: 0 to 2**64 - 1.
        purpose: at most 16 ASCII letters.
    """
    key, person = seed.to_bytes(8, "big"), purpose.encode()
    return hashlib.blake2b(name.encode(), digest_size=16, key=key, person=person).digest()


def hash_sample(items: Iterable[T], count: int, key: str | int, name: Callable[[T], str] = str) -> list[T]:
    """Return up to `count` items, ordered by the SHA-256 of "<key>:<name>".

    Args:
        items: with names that differ.
        count: maximum number of items.
        key: of the hash; other keys give independent samples.
        name: returns an item's name.

    >>> hash_sample(["048392", "048393", "048394"], 2, key=7) == hash_sample(["048394", "048392", "048393"], 2, key=7)
    True
    """
    return sorted(items, key=lambda item: hashlib.sha256(f"{key}:{name(item)}".encode()).digest())[:count]

"""A mapping that cannot change and can be hashed: dict gives a model checker neither."""

from collections.abc import Iterator, Mapping


class FrozenMap[K, V](Mapping[K, V]):
    """An immutable mapping whose hash is computed once."""

    __slots__ = ("_hash", "_items")

    def __init__(self, items: Mapping[K, V] | None = None) -> None:
        self._items = dict(items or {})
        self._hash: int | None = None

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self._items.items()))
        return self._hash

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"

    def having(self, key: K, value: V) -> "FrozenMap[K, V]":
        """Give the same map with one key set."""
        return FrozenMap({**self._items, key: value})

    def without(self, key: K) -> "FrozenMap[K, V]":
        """Give the same map with one key gone, if it was there."""
        return FrozenMap({each: value for each, value in self._items.items() if each != key})

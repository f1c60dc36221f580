"""Notice that code has changed, by looking at the times of files: a few hundred at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

WATCHED: Final = ("shared", "functions", "local", "template.yaml")
_SUFFIXES: Final = (".py", ".toml", ".yaml", ".html")


class Watch:
    """Remembers how the code looked the last time.

    Args:
        root: The checkout.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._look()

    def changed(self) -> Path | None:
        """Give a file that changed, came or went since the last call, `None` if none did."""
        before, self._seen = self._seen, self._look()
        differing = before.items() ^ self._seen.items()
        return min((path for path, _ in differing), default=None)

    def _look(self) -> dict[Path, int]:
        return {path.relative_to(self._root): _time_of(path) for path in self._files()}

    def _files(self) -> Iterator[Path]:
        for name in WATCHED:
            top = self._root / name
            if top.is_file():
                yield top
            yield from (path for path in top.rglob("*") if path.suffix in _SUFFIXES)


def _time_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0

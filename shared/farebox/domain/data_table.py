"""A table of one of our data files, read field by field.

Every fault is found where it is, not where it later hurts, and the complaint names the place. A
field that nobody reads is a fault too: it is a misspelt one.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from farebox.domain.errors import ConfigurationError
from farebox.domain.money import usd_to_nanousd

_URL_STARTS: Final = ("https://", "http://127.0.0.1")


class DataTable:
    """What is left to read of one table.

    Every reader raises `ConfigurationError` when its field is missing or not what it should be.

    Args:
        where: How complaints name the table.
        table: Its fields as the file has them.
    """

    def __init__(self, where: str, table: Mapping[str, object]) -> None:
        self._where = where
        self._unread = dict(table)

    def fault(self, field: str, complaint: str) -> ConfigurationError:
        """Make the error for a field; the caller raises it."""
        return ConfigurationError(f"{self._where}: {field} {complaint}")

    def close(self) -> None:
        """Make sure that every field was read.

        Raises:
            ConfigurationError: One was not.
        """
        for field in self._unread:
            raise self.fault(field, "is not a known field")

    def take[T](self, field: str, kind: type[T], default: T | None = None) -> T:
        """Read a field of exactly this type; `True` is no integer here."""
        value = self._unread.pop(field, default)
        if value is None:
            raise self.fault(field, "is missing")
        if type(value) is not kind:
            raise self.fault(field, f"must be of type {kind.__name__}, not {value!r}")
        return value

    def text(self, field: str) -> str:
        """Read a text that is not empty."""
        value = self.take(field, str)
        if not value:
            raise self.fault(field, "is empty")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """Read a list of texts; an absent one is empty."""
        values = self.take(field, list, [])
        for value in values:
            if not isinstance(value, str) or not value:
                raise self.fault(field, f"must list names, not {value!r}")
        return tuple(values)

    def count(self, field: str, least: int = 1) -> int:
        """Read a whole number that is at least `least`."""
        value = self.take(field, int)
        if value < least:
            raise self.fault(field, f"must be at least {least}, not {value}")
        return value

    def url(self, field: str) -> str:
        """Read an https address, or one of this machine."""
        value = self.text(field)
        if not value.startswith(_URL_STARTS):
            raise self.fault(field, f"must start with https, not {value!r}")
        return value

    def nanousd(self, field: str) -> int:
        """Read a dollar amount, written as a text, as nano-dollars."""
        text = self.text(field)
        try:
            nanousd = usd_to_nanousd(text)
        except ValueError as error:
            raise self.fault(field, f"is no price: {error}") from error
        if nanousd < 0:
            raise self.fault(field, f"is negative: {text}")
        return nanousd

    def table(self, field: str) -> "DataTable":
        """Read a table inside this one."""
        return DataTable(f"{self._where}: {field}", self.take(field, dict))

    def named_tables(self, field: str) -> Iterator[tuple[str, "DataTable"]]:
        """Read a table of tables, in the order of the file."""
        tables: dict[str, object] = self.take(field, dict)
        inner = DataTable(f"{self._where}: {field}", tables)
        return ((name, inner.table(name)) for name in tables)

    def listed_tables(self, field: str) -> Iterator["DataTable"]:
        """Read a list of tables; complaints name each by its `id`, or else its position."""
        for position, value in enumerate(self.take(field, list), start=1):
            if not isinstance(value, dict):
                raise self.fault(field, f"must list tables, not {value!r}")
            name = value.get("id", f"{field} {position}")
            yield DataTable(f"{self._where}: {name}", value)

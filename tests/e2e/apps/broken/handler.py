"""A function for the runtime's tests that cannot be initialised."""

raise ConnectionError("no database")

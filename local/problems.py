"""Why `make serve` cannot start or go on: one sentence for the person at the terminal."""


class CannotServe(Exception):
    """Something of the machine or its settings stands in the way.

    Args:
        message: What it is and what to do, in one line.
        exit_code: 2 for what the person can mend, 1 for what broke.
    """

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

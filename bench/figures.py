"""Figures as they are reported: medians of rounds, with what they varied between."""

from collections.abc import Sequence
from statistics import median


def spread(rounds: Sequence[float], digits: int = 2) -> str:
    """Write the median of several rounds, and the least and the most of them."""
    low, high = min(rounds), max(rounds)
    return f"{median(rounds):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that `share` of all are at most; 0.5 is the median of many."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table whose columns line up."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (head, rule, *rows)
    )

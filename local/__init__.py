"""Farebox on one machine: what `make serve` starts. Never part of what is deployed."""

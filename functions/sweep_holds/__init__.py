"""Expired holds and queued settlements."""

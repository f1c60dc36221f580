"""Farebox: an OpenAI-compatible AI gateway with prepaid credits that cannot be overdrawn."""

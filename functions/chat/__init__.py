"""Chat completions and models."""

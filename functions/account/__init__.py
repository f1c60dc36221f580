"""The credential in use."""

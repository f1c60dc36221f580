"""A Lambda runtime for Python that streams: `python -m farebox.runtime.stream`.

It stands alone, on the standard library, because every module it imports delays a cold start.
"""

"""The only place that builds adapters: one module a function, importing what that one uses.

A handler calls its `build` once, when it is imported; nobody pays for a neighbour's cold start.
"""

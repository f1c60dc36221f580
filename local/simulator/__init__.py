"""A provider simulator: an OpenAI-compatible upstream reached over real HTTP, on loopback only.

It stands behind the catalogue when no real provider key is set, and the tests order faults from
it (`faults.py` has the grammar). Everything it answers is a function of the request, so that the
same request can be compared with itself; only `created` and `x-request-id` tell runs apart.
"""

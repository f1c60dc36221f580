"""One module a use case; each speaks to the world through the ports beside it."""

"""One module a wire dialect spoken by model providers."""

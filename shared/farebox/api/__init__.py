"""The HTTP surface: routes, credentials, wire shapes, and how errors look to a client."""

"""Small real stand-ins for the services' ports; each carries its port's file name."""

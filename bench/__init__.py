"""What a request costs in CPU, and a cold start: measured beside bare runtimes, in one run."""

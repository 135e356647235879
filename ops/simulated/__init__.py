"""Runs the real Pulumi CLI and the real providers against the simulated clouds, on this machine alone."""

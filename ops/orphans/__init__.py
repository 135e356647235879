"""Finds what an interrupted `pulumi up` has made and Pulumi does not know: docs/runbook.md."""

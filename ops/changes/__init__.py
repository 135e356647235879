"""What `pulumi up` does about a change of the stack file, asked of the real engine: docs/changes.md."""

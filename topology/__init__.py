"""The plan of a stack. Pure: the same settings give the same plan."""

"""The policy pack as the engine starts it: `python -m pulumi.policy ENGINE policy`."""

from rules.pack import serve

serve()

"""What all tests share."""

from hypothesis import settings

# A loaded machine is no failure: no test is judged by its time.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

"""How hypothesis works here: without a clock, so that a busy machine fails no test, and the same every time."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, derandomize=True, database=None)
settings.load_profile("unit")

"""Values and decisions. Standard library and pydantic only; no I/O, no clock, no randomness."""

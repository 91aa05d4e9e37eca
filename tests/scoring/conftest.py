"""Property tests draw the same cases on every machine, however slow it is."""

from hypothesis import settings

settings.register_profile(
    "repeatable", deadline=None, derandomize=True, database=None, max_examples=60
)
settings.load_profile("repeatable")

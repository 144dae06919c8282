"""How many examples the laws are tried on: many in CI, few at a desk; the same ones every time."""

import os

from hypothesis import settings

# Derandomised: a failure that one person sees, everyone sees. Deadlines would make a slow machine a failure.
settings.register_profile("ci", max_examples=10_000, derandomize=True, deadline=None, database=None, print_blob=False)
settings.register_profile("desk", settings.get_profile("ci"), max_examples=300)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "desk")

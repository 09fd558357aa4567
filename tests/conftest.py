"""Settings for every test."""

import os

from hypothesis import settings

# Set before torch is imported: parallel test processes must not spin against each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# How long one example takes tells how busy the machine is, not whether the code is right.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

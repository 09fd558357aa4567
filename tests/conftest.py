"""Settings for every test."""

import os

# Set before torch is imported: parallel test processes must not spin against each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

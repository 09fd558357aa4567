"""A small Hub on this machine, for tests of what publishes to it: real HTTP, so that the true clients can be used.

with LocalHub(folder) as hub:
    HfApi(endpoint=hub.endpoint, token=hub.token).create_repo("me/data", repo_type="dataset")
"""

from localhub.faults import Fault
from localhub.server import LocalHub

__all__ = ["Fault", "LocalHub"]

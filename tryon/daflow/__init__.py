"""The DAFlow try-on network (arXiv 2207.09161), its warp, and readers of published weights.

Imports only torch and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.daflow.config import DAFlowConfig, NetworkOptionError
from tryon.daflow.initialization import init_small_flows
from tryon.daflow.network import DAFlow, NetworkInputError
from tryon.daflow.published_weights import (
    find_state_dict,
    load_published,
    published_state,
    read_checkpoint,
    validate_state,
)

__all__ = [
    "DAFlow",
    "DAFlowConfig",
    "NetworkInputError",
    "NetworkOptionError",
    "find_state_dict",
    "init_small_flows",
    "load_published",
    "published_state",
    "read_checkpoint",
    "validate_state",
]

"""The DAFlow try-on network (arXiv 2207.09161), its warp, and the way published weights come in.

Imports nothing but torch and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.daflow.config import DAFlowConfig, NetworkOptionError
from tryon.daflow.initialization import init_small_flows
from tryon.daflow.network import DAFlow, NetworkInputError
from tryon.daflow.published_weights import (
    load_published,
    published_state,
    read_checkpoint,
    state_dict_in,
    validate_state,
)

__all__ = [
    "DAFlow",
    "DAFlowConfig",
    "NetworkInputError",
    "NetworkOptionError",
    "init_small_flows",
    "load_published",
    "published_state",
    "read_checkpoint",
    "state_dict_in",
    "validate_state",
]

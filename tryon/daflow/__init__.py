"""The DAFlow try-on network (arXiv 2207.09161), its warp, and the way published weights come in.

Imports nothing but torch and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.daflow.config import DAFlowConfig, NetworkOptionError
from tryon.daflow.initialization import start_flows_near_zero
from tryon.daflow.network import DAFlow, NetworkInputError
from tryon.daflow.published_weights import (
    checked_state,
    load_published,
    published_state,
    read_checkpoint,
    state_dict_in,
)

__all__ = [
    "DAFlow",
    "DAFlowConfig",
    "NetworkInputError",
    "NetworkOptionError",
    "checked_state",
    "load_published",
    "published_state",
    "read_checkpoint",
    "start_flows_near_zero",
    "state_dict_in",
]

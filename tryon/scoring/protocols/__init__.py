"""Evaluation protocols of this project and of published scores, one per file."""

from tryon.scoring.protocols import catvton, daflow, fitting_room, ladi
from tryon.scoring.protocols.protocol import Protocol

PROTOCOLS: dict[str, Protocol] = {
    module.PROTOCOL.name: module.PROTOCOL for module in (fitting_room, ladi, catvton, daflow)
}
"""Protocols by name, in the order of tables."""

__all__ = ["PROTOCOLS", "Protocol"]

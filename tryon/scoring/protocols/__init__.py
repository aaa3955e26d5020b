"""Protocols, one a file: ours, and those that published numbers were made by."""

from tryon.scoring.protocols import catvton, daflow, fitting_room, ladi
from tryon.scoring.protocols.protocol import Protocol

PROTOCOLS: dict[str, Protocol] = {
    module.PROTOCOL.name: module.PROTOCOL for module in (fitting_room, ladi, catvton, daflow)
}
"""Every protocol by its name, in the order of tables."""

__all__ = ["PROTOCOLS", "Protocol"]

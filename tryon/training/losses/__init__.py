"""The training loss: terms as functions, and `Loss`, which weights and sums them.

Imports only torch, `tryon.daflow` and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.training.losses.loss import Loss, LossTargets, LossValue
from tryon.training.losses.perceptual import Perceptual, read_networks
from tryon.training.losses.pixel_terms import masked_weights, resize

__all__ = ["Loss", "LossTargets", "LossValue", "Perceptual", "masked_weights", "read_networks", "resize"]

"""What training minimizes: one term a file, each a function, and `Loss`, which weighs and sums them.

Imports nothing but torch, the network's package and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.training.losses.loss import Loss, LossTargets, LossValue
from tryon.training.losses.perceptual import Perceptual, read_networks
from tryon.training.losses.pixel_terms import masked_weights, resize

__all__ = ["Loss", "LossTargets", "LossValue", "Perceptual", "masked_weights", "read_networks", "resize"]

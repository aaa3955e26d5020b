"""What training minimises: one term a file, each a function, and `Loss`, which weighs and sums them.

Imports nothing but torch, the network's package and `tryon.errors`, so it also runs on a bare GPU machine.
"""

from tryon.training.losses.loss import Loss, LossValue, Truth
from tryon.training.losses.perceptual import Perceptual, read_networks
from tryon.training.losses.pixel_terms import hidden_weights, resize

__all__ = ["Loss", "LossValue", "Perceptual", "Truth", "hidden_weights", "read_networks", "resize"]

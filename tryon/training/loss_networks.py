"""Load the frozen networks of the loss, and validate the image size for them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tryon.config.training import LossSettings
from tryon.daflow import DAFlow
from tryon.errors import ParameterError, WeightsError
from tryon.pretrained_weights import weight_path
from tryon.runtime.atomic_files import sha256_file
from tryon.training.losses import Perceptual, read_networks
from tryon.training.losses.perceptual import TERM_NETWORKS, is_large_enough
from tryon.workspace import Workspace

LPIPS_HEADS_SHA256 = "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"
"""Published LPIPS heads for VGG16, version 0.1, distributed with torchmetrics."""


def load_perceptual(settings: LossSettings, workspace: Workspace) -> Perceptual | None:
    """Load the networks of the terms with a nonzero weight, from disk only; None for `perceptual: none`.

    Raises:
        WeightsError: a file is missing or damaged.
    """
    if settings.perceptual == "none":
        return None
    needed = {network for term, network in TERM_NETWORKS.items() if getattr(settings, term)}
    paths = {name: weight_path(workspace, name) for name in sorted(needed)}
    return read_networks(paths.get("vgg16"), paths.get("vgg19"), _heads() if settings.lpips else None)


def validate_scales(size: tuple[int, int], network: DAFlow, settings: LossSettings) -> None:
    """Raise ParameterError if the coarsest result is too small for the networks of the loss."""
    levels = len(network.config.encoder_channels)
    if settings.perceptual != "none" and not is_large_enough((size[0] >> levels - 1, size[1] >> levels - 1)):
        raise ParameterError(
            f"image.size is too small for loss.perceptual: vgg and a network of {levels} levels",
            found=list(size),
            expected=f"sides of at least {8 << levels - 1}",
            hint="Increase it in params.yaml, or set loss.perceptual to none.",
        )


def _heads() -> Path:
    package = find_spec("torchmetrics")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0], "functional", "image", "lpips_models", "vgg.pth")
    if not path.is_file() or sha256_file(path) != LPIPS_HEADS_SHA256:
        raise WeightsError(
            f"{path} is missing or has another SHA-256",
            expected=LPIPS_HEADS_SHA256,
            hint="Reinstall the torchmetrics of constraints.txt.",
        )
    return path

"""The frozen networks of the loss: which files the settings need, where they lie, whether images are large enough."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from tryon.config.training import LossSettings
from tryon.daflow import DAFlow
from tryon.errors import ParameterError, WeightsError
from tryon.pretrained_weights import weight_path
from tryon.runtime.atomic_files import sha256_file
from tryon.training.losses import Perceptual, read_networks
from tryon.training.losses.perceptual import NETWORKS, is_large_enough
from tryon.workspace import Workspace

LPIPS_HEADS_SHA256 = "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868"
"""Of the published LPIPS heads for VGG16, version 0.1, which torchmetrics brings along."""


def load_perceptual(settings: LossSettings, workspace: Workspace) -> Perceptual | None:
    """Read the networks that the terms with a weight look through, from the disk only; None for `perceptual: none`.

    Raises:
        WeightsError: a file is absent or damaged; the message names the command that fetches it.
    """
    if settings.perceptual == "none":
        return None
    needed = {network for term, network in NETWORKS.items() if getattr(settings, term)}
    paths = {name: weight_path(workspace, name) for name in sorted(needed)}
    return read_networks(paths.get("vgg16"), paths.get("vgg19"), _heads() if settings.lpips else None)


def validate_scales(size: tuple[int, int], network: DAFlow, settings: LossSettings) -> None:
    """Stop when the coarsest result would be too small for the networks of the loss.

    Raises:
        ParameterError: it would.
    """
    halvings = len(network.config.encoder_channels) - 1
    if settings.perceptual == "none" or is_large_enough((size[0] >> halvings, size[1] >> halvings)):
        return
    rule = f"both sides are at least {8 << halvings} for `loss.perceptual: vgg` and a network of {halvings + 1} levels"
    remedy = "Enlarge it in params.yaml, or set `loss.perceptual: none`."
    raise ParameterError("image.size", expected=rule, found=list(size), hint=remedy)


def _heads() -> Path:
    package = find_spec("torchmetrics")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0], "functional", "image", "lpips_models", "vgg.pth")
    if not path.is_file() or sha256_file(path) != LPIPS_HEADS_SHA256:
        rule, remedy = f"has the SHA-256 {LPIPS_HEADS_SHA256}", "Install the torchmetrics of constraints.txt again."
        raise WeightsError(str(path), expected=rule, hint=remedy)
    return path

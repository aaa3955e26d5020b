"""Paths of a project: the only module that spells file names under `data/`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tryon.categories import Category
from tryon.errors import ParameterError

STAGE_FOLDERS = (
    "raw", "index", "manifests", "subset", "pretrained", "checkpoints", "champions", "evaluation", "work", "weights",
)  # fmt: skip
"""Folders below `data/` that only stages and `tryon save-champion` write. Stages may delete unknown files in theirs."""

SUBSET_PARTS = ("train", "val", "test_paired", "test_unpaired")


@dataclass(frozen=True)
class Workspace:
    """Paths of a project, that is, a folder with `params.yaml` and `data/`.

    Args:
        root: the folder; stages run by DVC use the current directory.
        weights_folder: folder of pretrained weights, if not `data/weights`; see `with_weights`.
    """

    root: Path = Path()
    weights_folder: Path | None = None

    @property
    def params_file(self) -> Path:
        """The active configuration."""
        return self.root / "params.yaml"

    @property
    def data(self) -> Path:
        """Everything that the stages write."""
        return self.root / "data"

    @property
    def source_file(self) -> Path:
        """Fingerprint of the data source, tracked by git."""
        return self.data / "source.json"

    @property
    def weights_file(self) -> Path:
        """Hashes of the pretrained weights that stages read, tracked by git."""
        return self.data / "weights.json"

    @property
    def raw(self) -> Path:
        """The unpacked data set, not tracked."""
        return self.data / "raw"

    def index(self, category: Category) -> Path:
        """Index of a category, one row per line of its pair lists."""
        return self.data / "index" / f"{category}.parquet"

    @property
    def findings(self) -> Path:
        """Problems that `download` found in the data set, one per row."""
        return self.data / "index" / "findings.parquet"

    def manifest(self, category: Category) -> Path:
        """Masks and mask quality of a category, one row per row of its index."""
        return self.data / "manifests" / f"{category}.parquet"

    def mask_images(self, category: Category) -> Path:
        """Images of the worst and some random masks of a manifest."""
        return self.data / "manifests" / f"{category}_images.parquet"

    def preview(self, category: Category) -> Path:
        """Contact sheet of masks, ignored by git and DVC."""
        return self.data / "previews" / f"{category}.jpg"

    def subset(self, part: str) -> Path:
        """Packed rows of one of `SUBSET_PARTS`."""
        return self.data / "subset" / f"{part}.arrow"

    @property
    def pretrained(self) -> Path:
        """Initial weights of fine-tuning."""
        return self.data / "pretrained"

    @property
    def checkpoints(self) -> Path:
        """Best and last checkpoint, training history and sample grids of fine-tuning."""
        return self.data / "checkpoints"

    @property
    def champions(self) -> Path:
        """Checkpoints saved by `tryon save-champion`, ignored by git and DVC."""
        return self.data / "champions"

    def champion(self, name: str) -> Path:
        """Checkpoint of a champion."""
        return self.champions / f"{name}.ckpt"

    @property
    def evaluation(self) -> Path:
        """Metrics, report and galleries."""
        return self.data / "evaluation"

    def work_dir(self, stage: str) -> Path:
        """Resumable intermediate results of a stage, ignored by git and DVC."""
        return self.data / "work" / stage

    @property
    def weights(self) -> Path:
        """Folder of third-party pretrained weights; the environment variable `TRYON_WEIGHTS` takes precedence."""
        return Path(os.environ.get("TRYON_WEIGHTS") or self.weights_folder or self.data / "weights")

    def reject_stage_output(self, path: Path, option: str) -> None:
        """Raise a ParameterError if the path of an option is inside one of `STAGE_FOLDERS`."""
        resolved = path.resolve()
        for name in STAGE_FOLDERS:
            if resolved.is_relative_to((self.data / name).resolve()):
                raise ParameterError(
                    f"{option} is inside {self.data / name}, which only stages write",
                    found=str(path),
                    hint="Choose another folder.",
                )

    def with_weights(self, folder: str | None) -> Workspace:
        """Return a copy with weights in `folder`, relative to the root; None changes nothing.

        `TRYON_WEIGHTS` takes precedence over it: the variable belongs to the machine, `params.yaml` is shared.
        """
        return replace(self, weights_folder=self.root / folder) if folder else self

"""Where everything lies: the one place that spells the paths under `data/`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tryon.categories import Category
from tryon.errors import ParameterError

STAGE_FOLDERS = (
    "raw", "index", "manifests", "subset", "pretrained", "checkpoints", "champions", "evaluation", "work", "weights",
)  # fmt: skip
"""Folders below `data/` that only the stages and `tryon save-champion` write: stages replace theirs whole, or remove what they
do not know."""

SUBSET_PARTS = ("train", "val", "test_paired", "test_unpaired")


@dataclass(frozen=True)
class Workspace:
    """A checkout, or any folder with `params.yaml` and `data/` in it.

    Args:
        root: the folder; stages run by DVC use the current directory.
        weights_folder: where pretrained weights lie, if not in `data/weights`; see `with_weights`.
    """

    root: Path = Path()
    weights_folder: Path | None = None

    @property
    def params_file(self) -> Path:
        """The active configuration."""
        return self.root / "params.yaml"

    @property
    def data(self) -> Path:
        """All that the stages write."""
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
        """The unpacked data set, a work area that is not tracked."""
        return self.data / "raw"

    def index(self, category: Category) -> Path:
        """Index of one category: one row per line of its pair lists."""
        return self.data / "index" / f"{category}.parquet"

    @property
    def findings(self) -> Path:
        """What `download` found wrong, one row per finding."""
        return self.data / "index" / "findings.parquet"

    def manifest(self, category: Category) -> Path:
        """Masks and audit of one category, one row per row of its index."""
        return self.data / "manifests" / f"{category}.parquet"

    def mask_images(self, category: Category) -> Path:
        """Images of a manifest's worst and some typical people."""
        return self.data / "manifests" / f"{category}_images.parquet"

    def preview(self, category: Category) -> Path:
        """Where a contact sheet of masks is drawn for whoever wants to look; ignored by git and DVC."""
        return self.data / "previews" / f"{category}.jpg"

    def subset(self, part: str) -> Path:
        """Packed rows of one of `SUBSET_PARTS`."""
        return self.data / "subset" / f"{part}.arrow"

    @property
    def pretrained(self) -> Path:
        """The starting point of fine-tuning."""
        return self.data / "pretrained"

    @property
    def checkpoints(self) -> Path:
        """Best and last checkpoint, history and sample grids of fine-tuning."""
        return self.data / "checkpoints"

    @property
    def champions(self) -> Path:
        """Checkpoints that were kept under a name; ignored by git and DVC."""
        return self.data / "champions"

    def champion(self, name: str) -> Path:
        """One of them."""
        return self.champions / f"{name}.ckpt"

    @property
    def evaluation(self) -> Path:
        """Metrics, report and galleries."""
        return self.data / "evaluation"

    def work_dir(self, stage: str) -> Path:
        """Resumable work of a stage, ignored by git and DVC."""
        return self.data / "work" / stage

    @property
    def weights(self) -> Path:
        """Pretrained weights that are not ours; `TRYON_WEIGHTS` names another folder that already has them."""
        return Path(os.environ.get("TRYON_WEIGHTS") or self.weights_folder or self.data / "weights")

    def reject_stage_output(self, path: Path, option: str) -> None:
        """Make sure that what an option names is written elsewhere than in `STAGE_FOLDERS`.

        Raises:
            ParameterError: it lies in one of them.
        """
        place = path.resolve()
        if any(place.is_relative_to((self.data / name).resolve()) for name in STAGE_FOLDERS):
            rule = f"is none of {', '.join(STAGE_FOLDERS)} below {self.data}, nor in one of them: the stages own these"
            raise ParameterError(option, expected=rule, found=str(path), hint="Name another folder.")

    def with_weights(self, folder: str | None) -> Workspace:
        """The same with weights in `folder`, absolute or relative to the root; None changes nothing.

        `TRYON_WEIGHTS` outranks it, because it belongs to the machine and `params.yaml` travels.
        """
        return replace(self, weights_folder=self.root / folder) if folder else self

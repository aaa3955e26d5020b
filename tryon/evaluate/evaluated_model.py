"""Load the evaluated checkpoint and its test rows, and describe them for the outputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from tryon.categories import SETTINGS
from tryon.config.evaluate import EvaluateSettings
from tryon.daflow import DAFlow
from tryon.errors import MissingInputError
from tryon.evaluate.baselines import MAX_WHITE_SPREAD, MIN_GARMENT_FRACTION, MIN_WHITE
from tryon.evaluate.predict import category_counts, read_rows
from tryon.loading.packed_dataset import PackedDataset
from tryon.manifest import read_metadata
from tryon.metrics import METRICS
from tryon.metrics.regions import BAND, GARMENT, NECKLINE, OUTSIDE
from tryon.runtime.atomic_files import sha256_file, short_hash
from tryon.runtime.code_version import code_version
from tryon.scoring.protocols.fitting_room import EVALUATION
from tryon.training.checkpoint import Checkpoint, build_network, load_checkpoint
from tryon.workspace import Workspace

BEST_CHECKPOINT = "best.ckpt"
LIBRARIES = ("torch", "torchmetrics", "torch-fidelity", "clean-fid")

Facts = list[dict[str, str]]
"""Rows of a two-column table: `name`, `value`."""


@dataclass(frozen=True)
class EvaluatedModel:
    """A checkpoint and the rows it is evaluated on.

    Args:
        network: in evaluation mode, on its device.
        rows: test rows by setting; at least one setting has rows.
        files: subset files of the rows, by setting.
    """

    path: Path
    checkpoint: Checkpoint
    network: DAFlow
    rows: dict[str, PackedDataset]
    files: dict[str, Path]

    @property
    def device(self) -> torch.device:
        """Device of the network."""
        return next(self.network.parameters()).device

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return next(rows.size for rows in self.rows.values() if len(rows))

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Setting → category → number of rows."""
        return {
            setting: {str(category): count for category, count in category_counts(rows).items()}
            for setting, rows in self.rows.items()
        }

    @property
    def licences(self) -> dict[str | None, int]:
        """Licence to number of test rows."""
        counts = Counter(licence for rows in self.rows.values() for licence in rows.table.column("licence").to_pylist())
        return dict(sorted(counts.items(), key=str))


def load_evaluated_model(workspace: Workspace, checkpoint_file: Path | None, device: torch.device) -> EvaluatedModel:
    """Load a checkpoint, by default the best one, and open the test rows.

    Raises:
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows.
    """
    path = checkpoint_file or workspace.checkpoints / BEST_CHECKPOINT
    checkpoint = load_checkpoint(path, "Run `tryon finetune` first.")
    network = build_network(checkpoint, str(path)).eval().to(device)
    rows = {setting: read_rows(workspace, setting) for setting in SETTINGS}
    files = {setting: workspace.subset(split) for setting, split in SETTINGS.items()}
    if not any(map(len, rows.values())):
        raise MissingInputError(
            f"{files['paired']} has no test rows", hint="Run `tryon sample` again on data with test pairs."
        )
    return EvaluatedModel(path, checkpoint, network, rows, files)


def make_facts(**values: object) -> Facts:
    """Return facts from keywords; underscores become spaces."""
    return [{"name": name.replace("_", " "), "value": str(value)} for name, value in values.items()]


def protocol_facts(model: EvaluatedModel) -> Facts:
    """Describe how the scores are computed."""
    height, width = model.size
    pair_ids = {setting: sorted(rows.table.column("pair_id").to_pylist()) for setting, rows in model.rows.items()}
    counts = {
        f"rows {setting}": ", ".join(f"{category} {count}" for category, count in by_category.items())
        for setting, by_category in model.counts.items()
    }
    image_format = read_metadata(model.files["paired"]).get("images", "format not recorded")
    return [
        *make_facts(
            protocol=EVALUATION.name,
            size=f"{height}x{width} (height x width)",
            **counts,
            list_hash=short_hash(pair_ids),
            images=f"{image_format}, never re-encoded",
            results="the network's output rounded to 8-bit RGB, without composition",
            ground_truth="paired: the person image; unpaired: the row's truth image, where it has one",
            garment_region="the garment of the row's category in the ground truth, by its label map; keys end in "
            f"_{GARMENT}",
            outside_region=f"the rest of the image; keys end in _{OUTSIDE}",
            neckline_region=f"within {BAND} shoulder widths of the garment's upper edge between the shoulder joints; "
            f"keys end in _{NECKLINE}",
            averages="each row counts once, also in `all`",
            masked_input="the person image with masked pixels black",
            mean_color_fill="masked pixels in the mean color of the garment image without its background (channels of "
            f"at least {MIN_WHITE} and within {MAX_WHITE_SPREAD} of each other, connected to the edge, not framed by "
            f"garment), or of the whole image where less than {MIN_GARMENT_FRACTION:.0%} would be left",
            oracle_warp="the ground truth with the garment replaced by the garment image's own pixels, moved at full "
            "size along the true flow of the synthetic data set; everything else as in the ground truth",
        ),
        *make_facts(**{metric.title: metric.settings for metric in METRICS.values()}),
        *make_facts(
            libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
            device=model.device.type,
            code_version=code_version("tryon.evaluate.stage"),
        ),
    ]


def data_facts(model: EvaluatedModel) -> Facts:
    """Describe the test rows and their licences."""
    licences = [f"{licence or 'not recorded'} ({count} test rows)" for licence, count in model.licences.items()]
    rows = ", ".join(f"{setting} {len(rows)}" for setting, rows in model.rows.items())
    return make_facts(test_rows=rows, licence="; ".join(licences))


def version_facts(model: EvaluatedModel, settings: EvaluateSettings, seed: int) -> Facts:
    """List hashes and versions of all inputs."""
    files = {"checkpoint": model.path}
    files |= {f"subset {SETTINGS[setting]}": path for setting, path in model.files.items()}
    checkpoint = model.checkpoint
    hashes = {f"{name} SHA-256": sha256_file(path) if path.is_file() else "absent" for name, path in files.items()}
    return [
        *make_facts(**hashes),
        *make_facts(
            training_run=checkpoint.config_hash,
            best_epoch=checkpoint.best_epoch,
            parameters=f"{model.network.parameter_count:,}",
            network=", ".join(f"{key} {value}" for key, value in checkpoint.network.items()),
            evaluate_settings=short_hash({"settings": settings.model_dump(mode="json"), "seed": seed}),
        ),
    ]

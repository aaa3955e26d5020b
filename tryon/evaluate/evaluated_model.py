"""What is scored: a checkpoint with its network, the test rows, and the facts about them that outputs tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch

from tryon.config.evaluate import EvaluateSettings
from tryon.daflow import DAFlow
from tryon.errors import MissingInputError
from tryon.evaluate.predict import SETTINGS, category_counts, read_rows
from tryon.evaluate.provenance import Facts, facts, file_hash, protocol
from tryon.loading.packed_dataset import PackedDataset
from tryon.runtime.atomic_files import short_hash
from tryon.training.checkpoint import Checkpoint, build_network, load_checkpoint
from tryon.workspace import Workspace

CHECKPOINT = "best.ckpt"


@dataclass(frozen=True)
class EvaluatedModel:
    """What is scored.

    Args:
        path: of the checkpoint.
        checkpoint: its content.
        network: in evaluation mode, on its device.
        rows: test rows by setting, in some setting at least one.
        files: the files of the subset that hold them, by setting.
    """

    path: Path
    checkpoint: Checkpoint
    network: DAFlow
    rows: dict[str, PackedDataset]
    files: dict[str, Path]

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.network.parameters()).device

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return next(own.size for own in self.rows.values() if len(own))

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Setting → category → number of rows."""
        return {setting: category_counts(own) for setting, own in self.rows.items()}

    @property
    def licences(self) -> dict[str | None, int]:
        """Licence to number of test rows."""
        found = Counter(licence for own in self.rows.values() for licence in own.table.column("licence").to_pylist())
        return dict(sorted(found.items(), key=str))


def load_evaluated_model(workspace: Workspace, checkpoint_file: Path | None, device: torch.device) -> EvaluatedModel:
    """Load the checkpoint that is named, or the best one, and open the test rows.

    Raises:
        WeightsError: the checkpoint is absent or damaged.
        MissingInputError: the subset is absent or has no test rows.
    """
    path = checkpoint_file or workspace.checkpoints / CHECKPOINT
    checkpoint = load_checkpoint(path, remedy="Run `tryon finetune` first.")
    network = build_network(checkpoint, str(path)).eval().to(device)
    rows = {setting: read_rows(workspace, setting) for setting in SETTINGS}
    files = {setting: workspace.subset(part) for setting, part in SETTINGS.items()}
    if not any(map(len, rows.values())):
        remedy = "Run `tryon sample` again on data with test pairs."
        raise MissingInputError(str(files["paired"]), expected="has test rows", hint=remedy)
    return EvaluatedModel(path, checkpoint, network, rows, files)


def protocol_facts(subject: EvaluatedModel) -> Facts:
    """How the numbers are made."""
    pair_ids = {setting: sorted(own.table.column("pair_id").to_pylist()) for setting, own in subject.rows.items()}
    return protocol(subject.size, subject.counts, pair_ids, subject.files["paired"], subject.device.type)


def data_facts(subject: EvaluatedModel) -> Facts:
    """What the test rows are, and under which licence."""
    told = [f"{licence or 'not recorded'} ({count} test rows)" for licence, count in subject.licences.items()]
    rows = ", ".join(f"{setting} {len(own)}" for setting, own in subject.rows.items())
    return facts(test_rows=rows, licence="; ".join(told))


def version_facts(subject: EvaluatedModel, settings: EvaluateSettings, seed: int) -> Facts:
    """Hashes and versions of what went in."""
    files = {"checkpoint": subject.path}
    files |= {f"subset {SETTINGS[setting]}": path for setting, path in subject.files.items()}
    checkpoint = subject.checkpoint
    return [
        *facts(**{f"{name} SHA-256": file_hash(path) for name, path in files.items()}),
        *facts(
            training_run=checkpoint.config_hash,
            best_epoch=checkpoint.best_epoch,
            parameters=f"{subject.network.parameter_count:,}",
            network=", ".join(f"{key} {value}" for key, value in checkpoint.network.items()),
            evaluate_settings=short_hash({"settings": settings.model_dump(mode="json"), "seed": seed}),
        ),
    ]

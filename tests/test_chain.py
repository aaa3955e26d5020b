"""The six stages in sequence on a tiny synthetic data set, without Prefect and DVC."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tryon.categories import Category
from tryon.config.parameters import Parameters, validate_parameters
from tryon.download.fingerprint import write_fingerprint
from tryon.manifest import PACKED, read_table
from tryon.pipeline.disk_space import estimate_disk
from tryon.pipeline.stages import PER_CATEGORY, STAGES, run_stage
from tryon.runtime.atomic_files import sha256_file
from tryon.runtime.progress import no_progress
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

NETWORK = {
    "num_flows": 2,
    "encoder_channels": [8, 8, 8],
    "pyramid_channels": 8,
    "flow_channels": [8, 8, 8],
    "image_encoder_channels": [6, 8],
    "grid_normalization": "identity",
}
TRAINING = {"batch_size": 2, "lr": 1e-3, "loss": {"perceptual": "none"}, "accelerator": "cpu"}
CONTENT = {
    "seed": 3,
    "image": {"size": [64, 48]},
    "download": {"synthetic": {"train_pairs": 6, "test_pairs": 2, "flow": "test"}},
    "agnostic": {},
    "sample": {"val_fraction": 0.2},
    "pretrain": TRAINING | {"network": NETWORK, "epochs": 1},
    "finetune": TRAINING | {"epochs": 2},
    "evaluate": {"num_gallery_samples": 2},
}


def run(parameters: Parameters, workspace: Workspace, *stages: str) -> None:
    for stage in stages:
        for category in Category if stage in PER_CATEGORY else [None]:
            run_stage(stage, parameters, workspace, category, no_progress)


def outputs(workspace: Workspace, *folders: str) -> dict[str, str]:
    """Every file below the folders of `data/`, with its hash."""
    files = [path for folder in folders for path in (workspace.data / folder).rglob("*") if path.is_file()]
    return {path.relative_to(workspace.data).as_posix(): sha256_file(path) for path in files}


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    return validate_parameters(CONTENT, "params.yaml")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, parameters: Parameters) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("chain"))
    write_fingerprint(workspace, parameters.download)
    run(parameters, workspace, *STAGES)
    return workspace


def test_subset_contains_every_pair_of_the_archive(finished: Workspace) -> None:
    rows = {part: read_table(finished.subset(part), PACKED).num_rows for part in ("train", "val")}
    assert sum(rows.values()) == 3 * 6
    assert rows["val"] > 0
    for part in ("test_paired", "test_unpaired"):
        assert read_table(finished.subset(part), PACKED).num_rows == 3 * 2


def test_disk_estimate_exceeds_what_is_written(finished: Workspace, parameters: Parameters) -> None:
    """The estimate counts two copies of an output; measured are one copy and the work folders."""
    data = finished.data
    written = {
        "download": [data / "raw", data / "index", *data.glob("work/download"), *data.glob("work/checks")],
        "sample": [data / "subset"],
        "pretrain": [data / "pretrained"],
        "finetune": [data / "checkpoints"],
        "evaluate": [data / "evaluation"],
    }
    for stage, folders in written.items():
        assert size_of(folders) < estimate_disk(stage, parameters, finished).bytes, stage
    agnostic = sum(estimate_disk("agnostic", parameters, finished, category).bytes for category in Category)
    assert size_of([data / "manifests", *data.glob("work/agnostic")]) < agnostic


def size_of(folders: list[Path]) -> int:
    return sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())


def test_oracle_warp_beats_model_and_baselines_in_both_settings(finished: Workspace) -> None:
    metrics = json.loads((finished.evaluation / "metrics.json").read_text())
    for setting in ("paired", "unpaired"):
        for category in Category:
            headline = metrics["summary"][setting][category]
            assert all(value > 0 for value in headline.values()), headline
            oracle = headline.pop("oracle_warp")
            assert oracle < min(headline[method] for method in ("model", "masked_input", "mean_color_fill"))


def test_history_has_one_row_per_epoch_and_no_times(finished: Workspace) -> None:
    rows = list(csv.DictReader((finished.checkpoints / "history.csv").open()))
    assert [int(row["epoch"]) for row in rows] == sorted({int(row["epoch"]) for row in rows})
    assert int(rows[-1]["epoch"]) == 2
    assert not [name for name in rows[0] if "time" in name or "second" in name]


def test_outputs_are_reproducible(finished: Workspace, parameters: Parameters, tmp_path: Path) -> None:
    second = Workspace(tmp_path)
    shutil.copytree(finished.raw, second.raw)
    shutil.copytree(finished.data / "index", second.data / "index")
    stages = [stage for stage in STAGES if stage != "download"]
    run(parameters, second, *stages)
    folders = ("manifests", "subset", "pretrained", "checkpoints", "evaluation")
    assert outputs(second, *folders) == outputs(finished, *folders)


def test_second_download_changes_nothing(finished: Workspace, parameters: Parameters) -> None:
    before = outputs(finished, "index", "raw")
    run(parameters, finished, "download")
    assert outputs(finished, "index", "raw") == before

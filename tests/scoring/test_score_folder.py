"""Tests of every protocol against direct calls of the libraries, as its code base makes them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import cleanfid.fid
import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from torchmetrics.functional.image import learned_perceptual_image_patch_similarity
from torchmetrics.image import StructuralSimilarityIndexMeasure
from torchvision import transforms

from tests.scoring.conftest import KEYPOINTS, garment_of
from tryon.categories import Category
from tryon.config.evaluate import EvaluateSettings
from tryon.dresscode.readers import decode_photo
from tryon.metrics import METRICS
from tryon.metrics.fid import fid
from tryon.metrics.reference import Reference
from tryon.metrics.regions import neckline_band
from tryon.pretrained_weights import WEIGHTS
from tryon.runtime.progress import no_progress
from tryon.scoring.score_folder import ScoreRequest, score_folder
from tryon.workspace import Workspace

pytestmark = pytest.mark.slow

SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=2)  # pyright: ignore[reportCallIssue]
PER_CATEGORY = 3
Fill = Callable[..., Path]
Load = Callable[[Path], torch.nn.Module]


def score(workspace: Workspace, folder: Path, protocol: str, setting: str = "paired", **options: Any) -> dict[str, Any]:
    options = {"dataset": "workspace", "categories": tuple(Category)} | options
    request = ScoreRequest(folder, (protocol,), setting=setting, **options)
    return score_folder(request, SETTINGS, workspace, no_progress)["protocols"][protocol]


def originals(workspace: Workspace, category: Category) -> list[Path]:
    return sorted((workspace.raw / category / "images").glob("*.jpg"))


def results(folder: Path, category: Category) -> list[Path]:
    code = list(Category).index(category)
    return sorted(folder.glob(f"{code}*"))


def tensors(paths: list[Path], transform: Callable[[Image.Image], Any]) -> torch.Tensor:
    return torch.stack([transform(Image.open(path).convert("RGB")) for path in paths])


@dataclass(frozen=True)
class ReferenceMetrics:
    """Metrics computed by direct library calls, with the networks of the weights folder."""

    weights: Path
    load: Load
    patch: pytest.MonkeyPatch

    def ssim(self, first: torch.Tensor, second: torch.Tensor) -> float:
        return float(StructuralSimilarityIndexMeasure(data_range=1.0)(first, second))

    def lpips(self, net: str, first: torch.Tensor, second: torch.Tensor) -> float:
        name, file = {"alex": ("alexnet", "alexnet"), "squeeze": ("squeezenet1_1", "squeezenet")}[net]
        constructor = getattr(torchvision.models, name)

        def load_weights(weights: object = None) -> torch.nn.Module:
            network = constructor(weights=None)
            network.load_state_dict(torch.load(self.weights / WEIGHTS[file].file), strict=False)
            return network

        with self.patch.context() as patch:
            patch.setattr(torchvision.models, name, load_weights)
            return float(learned_perceptual_image_patch_similarity(first * 2 - 1, second * 2 - 1, net))  # pyright: ignore

    def clean(self, actual: Path, true: Path) -> tuple[float, float]:
        """Compute KID and FID of one folder against another."""
        network = self.load(self.weights / WEIGHTS["inception_clean"].file)
        features, reference = (
            cleanfid.fid.get_folder_features(
                str(folder), network, num_workers=0, device=torch.device("cpu"), mode="clean", verbose=False
            )
            for folder in (actual, true)
        )
        return cleanfid.fid.kernel_distance(reference, features), cleanfid.fid.fid_from_feats(reference, features)


@pytest.fixture
def reference_metrics(weights: Path, load_small: Load, monkeypatch: pytest.MonkeyPatch) -> ReferenceMetrics:
    return ReferenceMetrics(weights, load_small, monkeypatch)


def copy_to(paths: list[Path], folder: Path) -> Path:
    """Copy images to a new folder."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_ladi_matches_its_code_base(
    workspace: Workspace, fill: Fill, reference_metrics: ReferenceMetrics, tmp_path: Path
) -> None:
    folder = fill(size=(128, 96))
    block = score(workspace, folder, "ladi")
    numbers, true_paths = block["scores"]["upper_body"], originals(workspace, Category.UPPER_BODY)
    transform = transforms.Compose([transforms.Resize((512, 384)), transforms.ToTensor()])
    actual = tensors(results(folder, Category.UPPER_BODY), transform)
    true = tensors(true_paths, transform)
    assert numbers["n"] == PER_CATEGORY
    assert numbers["ssim"] == pytest.approx(reference_metrics.ssim(actual, true), rel=1e-4)
    assert numbers["lpips"] == pytest.approx(reference_metrics.lpips("alex", actual, true), rel=1e-4)
    copies = copy_to(results(folder, Category.UPPER_BODY), tmp_path / "copies")
    kid, distance = reference_metrics.clean(copies, true_paths[0].parent)
    assert numbers["kid"] == pytest.approx(kid, rel=1e-4)
    assert numbers["fid"] == pytest.approx(distance, rel=1e-3, abs=1e-4)
    assert block["scores"]["all"]["ssim"] == pytest.approx(
        np.mean([block["scores"][str(category)]["ssim"] for category in Category])
    )


def test_catvton_matches_its_code_base(
    workspace: Workspace, fill: Fill, reference_metrics: ReferenceMetrics, tmp_path: Path
) -> None:
    folder = fill(size=(128, 96))
    numbers = score(workspace, folder, "catvton")["scores"]["dresses"]
    copies, saved = copy_to(results(folder, Category.DRESSES), tmp_path / "copies"), tmp_path / "saved"
    saved.mkdir()
    for path in originals(workspace, Category.DRESSES):
        image = Image.open(path)
        image.resize((96, 128), Image.Resampling.LANCZOS).save(saved / path.name)
    actual, true = (tensors(sorted(path.iterdir()), transforms.ToTensor()) for path in (copies, saved))
    assert numbers["ssim"] == pytest.approx(reference_metrics.ssim(actual, true), rel=1e-4)
    assert numbers["lpips"] == pytest.approx(reference_metrics.lpips("squeeze", actual, true), rel=1e-4)
    kid, distance = reference_metrics.clean(copies, saved)
    assert numbers["kid"] == pytest.approx(1000 * kid, rel=1e-4)
    assert numbers["fid"] == pytest.approx(distance, rel=1e-3, abs=1e-4)
    # Photos of the results' height are not re-encoded.
    at_height = fill("high", size=(256, 192))
    numbers = score(workspace, at_height, "catvton")["scores"]["dresses"]
    actual = tensors(results(at_height, Category.DRESSES), transforms.ToTensor())
    true = tensors(originals(workspace, Category.DRESSES), transforms.ToTensor())
    assert numbers["ssim"] == pytest.approx(reference_metrics.ssim(actual, true), rel=1e-4)


def zero_padded_ssim(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(values, (1.5, 1.5, 0), mode="constant", radius=(5, 5, 0))

    x, y = first / 255, second / 255
    product, squares = mean(x) * mean(y), mean(x) ** 2 + mean(y) ** 2
    covariance, variances = mean(x * y) - product, mean(x**2) + mean(y**2) - squares
    return float((((2 * product + 1e-4) * (2 * covariance + 9e-4)) / ((squares + 1e-4) * (variances + 9e-4))).mean())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_daflow_matches_pytorch_ssim_and_torch_fidelity_on_saved_jpegs(
    workspace: Workspace, fill: Fill, weights: Path, load_small: Load, tmp_path: Path, suffix: str
) -> None:
    folder = fill(size=(256, 192), suffix=suffix)
    block = score(workspace, folder, "daflow")
    actual, true = [], []
    paths = zip(results(folder, Category.LOWER_BODY), originals(workspace, Category.LOWER_BODY), strict=True)
    for number, (path, original) in enumerate(paths):
        saved = path
        if suffix == ".png":
            saved = tmp_path / f"{number}.jpg"
            Image.open(path).save(saved)
        actual.append(np.asarray(Image.open(saved)))
        true.append(decode_photo(original.read_bytes(), (256, 192)))
    numbers = block["scores"]["lower_body"]
    expected = np.mean([zero_padded_ssim(a, b) for a, b in zip(actual, true, strict=True)])
    assert numbers["ssim"] == pytest.approx(expected, rel=1e-4)
    network = load_small(weights / WEIGHTS["inception"].file)
    with torch.inference_mode():
        features, reference = (
            network(torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2)).numpy() for each in (actual, true)
        )
    assert numbers["fid"] == pytest.approx(fid(features, Reference(reference))["fid"], rel=1e-3, abs=1e-4)
    assert block["fingerprint"]["format"] == ("PNG" if suffix == ".png" else "JPEG 75")


def test_fitting_room_matches_evaluate_metrics_on_packed_rows(workspace: Workspace, fill: Fill, weights: Path) -> None:
    folder = fill()
    block = score(workspace, folder, "fitting-room")
    actual = np.stack([np.asarray(Image.open(path)) for path in results(folder, Category.DRESSES)])
    true = np.stack([decode_photo(p.read_bytes(), (64, 48)) for p in originals(workspace, Category.DRESSES)])
    for name in ("ssim", "psnr", "l1", "lpips"):
        metric = METRICS[name]
        assert metric.measure is not None
        path = weights / WEIGHTS[metric.weights].file if metric.weights else None
        expected = metric.measure(path, "cpu")(actual, true, {"image": None})["image"].mean()
        assert block["scores"]["dresses"][name] == pytest.approx(expected, rel=1e-5)
    assert {entry["metric"]: entry["reason"] for entry in block["unavailable"]} == {
        "ms_ssim": "images are smaller than 176 pixels",
        "kid_std": "every random subset would be the whole set",
    }
    assert block["scores"]["all"]["kid"] is not None
    assert block["scores"]["all"]["kid_std"] is None
    notes = "\n".join([*block["deviations"], *(note["warning"] for note in block["warnings"])])
    assert "with fewer than 2,048 images FID is biased" in notes
    assert "with fewer than 1,000 images KID" in notes
    assert "64x48, not 512x384 as in the protocol" in notes


@pytest.mark.parametrize("setting", ["paired", "unpaired"])
def test_compares_pairs_inside_ground_truth_regions(workspace: Workspace, fill: Fill, setting: str) -> None:
    folder = fill(setting=setting)
    block = score(workspace, folder, "fitting-room", setting, categories=(Category.DRESSES,))
    role = "images" if setting == "paired" else "truth"
    paths = sorted((workspace.raw / "dresses" / role).iterdir())
    errors: dict[str, list[float]] = {"garment": [], "outside": [], "neckline": []}
    for number, (path, true) in enumerate(zip(results(folder, Category.DRESSES), paths, strict=True)):
        error = abs(np.asarray(Image.open(path)) / 255 - decode_photo(true.read_bytes(), (64, 48)) / 255).mean(-1)
        garment = garment_of(number + (setting == "unpaired"))
        band = neckline_band(garment, np.array(KEYPOINTS, np.float32).reshape(18, 3))
        for name, region in (("garment", garment), ("outside", ~garment), ("neckline", band)):
            errors[name] += [error[region].mean()] if region.any() else []
    assert len(errors["garment"]) == len(errors["neckline"]) == PER_CATEGORY - 1  # one image shows no garment
    for name, values in errors.items():
        assert block["scores"]["dresses"][f"l1_{name}"] == pytest.approx(np.mean(values), rel=1e-5)
    assert block["fingerprint"]["rows"]["dresses"]["regions"]


def test_published_protocols_have_no_regions(workspace: Workspace, fill: Fill, weights: Path) -> None:
    for name in ("ladi", "catvton"):
        block = score(workspace, fill(name), name)
        assert "ssim_garment" not in block["scores"]["all"]
        assert {facts["regions"] for facts in block["fingerprint"]["rows"].values()} == {None}


def test_region_without_score_has_a_reason(workspace: Workspace, fill: Fill, tmp_path: Path) -> None:
    folder, reason = fill(), "no ground-truth image shows the garment"
    pairs_file = tmp_path / "list.txt"
    pairs_file.write_text("000000_000000\n200002_200002\n")  # the second shows no garment
    categories = (Category.UPPER_BODY, Category.DRESSES)
    block = score(workspace, folder, "fitting-room", categories=categories, pairs_file=pairs_file)
    reasons = {entry["metric"]: entry["reason"] for entry in block["unavailable"]}
    assert block["scores"]["dresses"]["l1_garment"] is None
    assert block["scores"]["all"]["l1_garment"] > 0
    assert reasons["l1_garment"] == reason
    assert {entry["where"] for entry in block["unavailable"] if entry["metric"] == "l1_garment"} == {"dresses"}
    assert "l1_outside" not in reasons


def test_compares_unpaired_pairs_only_if_all_have_ground_truth(workspace: Workspace, fill: Fill, weights: Path) -> None:
    folder = fill(setting="unpaired")
    block = score(workspace, folder, "fitting-room", "unpaired")
    reasons = {entry["metric"]: entry["reason"] for entry in block["unavailable"]}
    assert reasons["ssim"].startswith("only 3 of the 9 pairs have a ground-truth image of that person in that garment")
    assert block["scores"]["dresses"]["ssim"] is None
    assert block["scores"]["dresses"]["fid"] is not None
    block = score(workspace, folder, "fitting-room", "unpaired", categories=(Category.DRESSES,))
    actual = np.stack([np.asarray(Image.open(path)) for path in results(folder, Category.DRESSES)])
    truth = sorted((workspace.raw / "dresses" / "truth").iterdir())
    true = np.stack([decode_photo(path.read_bytes(), (64, 48)) for path in truth])
    assert block["scores"]["dresses"]["l1"] == pytest.approx(np.abs(actual / 255 - true / 255).mean(), rel=1e-4)
    assert "all" not in block["scores"]


def test_missing_or_changed_originals_give_null_with_reason(workspace: Workspace, fill: Fill, weights: Path) -> None:
    folder = fill()
    path = originals(workspace, Category.DRESSES)[1]
    data = path.read_bytes()
    for damage, reason in (
        (path.unlink, "cannot be read"),
        (lambda: path.write_bytes(data + b" "), "SHA-256"),
    ):
        damage()
        block = score(workspace, folder, "ladi", categories=(Category.DRESSES,))
        assert {value for numbers in block["scores"].values() for key, value in numbers.items() if key != "n"} == {None}
        assert len(block["unavailable"]) == 4
        assert all(path.name in entry["reason"] and reason in entry["reason"] for entry in block["unavailable"])
    assert score(workspace, folder, "fitting-room")["scores"]["dresses"]["ssim"] > 0.5


def test_unsupported_result_size_is_null(workspace: Workspace, fill: Fill) -> None:
    block = score(workspace, fill(), "daflow")
    assert block["scores"]["all"] == {"n": 9, "ssim": None, "fid": None}
    assert block["unavailable"][0]["reason"] == "results are 64x48, and daflow requires 256x192"


def test_unmatched_aspect_ratio_is_null(workspace: Workspace, fill: Fill, weights: Path) -> None:
    block = score(workspace, fill(size=(64, 64)), "catvton")
    assert {entry["reason"] for entry in block["unavailable"]} == {
        "after preprocessing, results are 64x64 and ground truth 64x48"
    }
    assert block["scores"]["all"]["fid"] is None


def test_cached_reference_features_do_not_change_scores(
    workspace: Workspace, fill: Fill, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill()
    first = score(workspace, folder, "catvton")
    cached = list((workspace.work_dir("score") / "features").glob("*.npy"))
    assert len(cached) == len(Category)
    monkeypatch.setattr(
        "tryon.scoring.folder_source.FolderSource.people", lambda *_: iter(())
    )  # fails if features are computed again
    assert score(workspace, folder, "catvton") == first


def test_no_library_accesses_the_network(
    workspace: Workspace, fill: Fill, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reject(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a library accessed the network")

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, reject)
    monkeypatch.setattr(socket, "getaddrinfo", reject)
    request = ScoreRequest(fill(size=(256, 192)), ("all",), "workspace", "paired", tuple(Category))
    content = score_folder(request, SETTINGS, workspace, no_progress)
    assert all(content["protocols"][name]["scores"]["all"]["fid"] is not None for name in ("ladi", "catvton", "daflow"))
    monkeypatch.setenv("TRYON_WEIGHTS", str(weights / "empty"))
    content = score_folder(request, SETTINGS, workspace, no_progress)
    missing = {entry["metric"] for entry in content["protocols"]["ladi"]["unavailable"]}
    assert missing == {"lpips", "fid", "kid"}

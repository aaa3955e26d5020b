"""Each protocol's numbers are those of the libraries called by hand, the way its code base calls them."""

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

SETTINGS = EvaluateSettings(accelerator="cpu", batch_size=2)  # pyright: ignore[reportCallIssue]
PER_CATEGORY = 3
Fill = Callable[..., Path]
Load = Callable[[Path], torch.nn.Module]


def scored(
    workspace: Workspace, folder: Path, protocol: str, setting: str = "paired", **options: Any
) -> dict[str, Any]:
    options = {"dataset": "workspace", "categories": tuple(Category)} | options
    order = ScoreRequest(folder, (protocol,), setting=setting, **options)
    return score_folder(order, SETTINGS, workspace, no_progress)["protocols"][protocol]


def originals(workspace: Workspace, category: Category) -> list[Path]:
    return sorted((workspace.raw / category / "images").glob("*.jpg"))


def results(folder: Path, category: Category) -> list[Path]:
    code = list(Category).index(category)
    return sorted(folder.glob(f"{code}*"))


def tensors(paths: list[Path], transform: Callable[[Image.Image], Any]) -> torch.Tensor:
    return torch.stack([transform(Image.open(path).convert("RGB")) for path in paths])


@dataclass(frozen=True)
class ByHand:
    """The libraries called directly, with the networks that the test has put into the weights folder."""

    weights: Path
    load: Load
    patch: pytest.MonkeyPatch

    def ssim(self, first: torch.Tensor, second: torch.Tensor) -> float:
        return float(StructuralSimilarityIndexMeasure(data_range=1.0)(first, second))

    def lpips(self, net: str, first: torch.Tensor, second: torch.Tensor) -> float:
        name, file = {"alex": ("alexnet", "alexnet"), "squeeze": ("squeezenet1_1", "squeezenet")}[net]
        plain = getattr(torchvision.models, name)

        def with_our_weights(weights: object = None) -> torch.nn.Module:
            network = plain(weights=None)
            network.load_state_dict(torch.load(self.weights / WEIGHTS[file].file), strict=False)
            return network

        with self.patch.context() as within:
            within.setattr(torchvision.models, name, with_our_weights)
            return float(learned_perceptual_image_patch_similarity(first * 2 - 1, second * 2 - 1, net))  # pyright: ignore

    def clean(self, ours: Path, true: Path) -> tuple[float, float]:
        """KID and FID of one folder against another."""
        network = self.load(self.weights / WEIGHTS["inception_clean"].file)
        one, other = (
            cleanfid.fid.get_folder_features(
                str(folder), network, num_workers=0, device=torch.device("cpu"), mode="clean", verbose=False
            )
            for folder in (ours, true)
        )
        return cleanfid.fid.kernel_distance(other, one), cleanfid.fid.fid_from_feats(other, one)


@pytest.fixture
def by_hand(weights: Path, load_small: Load, monkeypatch: pytest.MonkeyPatch) -> ByHand:
    return ByHand(weights, load_small, monkeypatch)


def alone(paths: list[Path], folder: Path) -> Path:
    """A new folder with copies of some images."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_ladi_is_what_its_code_base_computes(workspace: Workspace, fill: Fill, by_hand: ByHand, tmp_path: Path) -> None:
    folder = fill(size=(128, 96))
    block = scored(workspace, folder, "ladi")
    numbers, true_paths = block["scores"]["upper_body"], originals(workspace, Category.UPPER_BODY)
    transform = transforms.Compose([transforms.Resize((512, 384)), transforms.ToTensor()])
    ours = tensors(results(folder, Category.UPPER_BODY), transform)
    true = tensors(true_paths, transform)
    assert numbers["n"] == PER_CATEGORY
    assert numbers["ssim"] == pytest.approx(by_hand.ssim(ours, true), rel=1e-4)
    assert numbers["lpips"] == pytest.approx(by_hand.lpips("alex", ours, true), rel=1e-4)
    own = alone(results(folder, Category.UPPER_BODY), tmp_path / "own")
    kid, distance = by_hand.clean(own, true_paths[0].parent)
    assert numbers["kid"] == pytest.approx(kid, rel=1e-4)
    assert numbers["fid"] == pytest.approx(distance, rel=1e-3, abs=1e-4)
    assert block["scores"]["all"]["ssim"] == pytest.approx(
        np.mean([block["scores"][str(category)]["ssim"] for category in Category])
    )


def test_catvton_is_what_its_code_base_computes(
    workspace: Workspace, fill: Fill, by_hand: ByHand, tmp_path: Path
) -> None:
    folder = fill(size=(128, 96))
    numbers = scored(workspace, folder, "catvton")["scores"]["dresses"]
    own, saved = alone(results(folder, Category.DRESSES), tmp_path / "own"), tmp_path / "saved"
    saved.mkdir()
    for path in originals(workspace, Category.DRESSES):
        image = Image.open(path)
        image.resize((96, 128), Image.Resampling.LANCZOS).save(saved / path.name)
    ours, true = (tensors(sorted(place.iterdir()), transforms.ToTensor()) for place in (own, saved))
    assert numbers["ssim"] == pytest.approx(by_hand.ssim(ours, true), rel=1e-4)
    assert numbers["lpips"] == pytest.approx(by_hand.lpips("squeeze", ours, true), rel=1e-4)
    kid, distance = by_hand.clean(own, saved)
    assert numbers["kid"] == pytest.approx(1000 * kid, rel=1e-4)
    assert numbers["fid"] == pytest.approx(distance, rel=1e-3, abs=1e-4)
    # At the originals' own height nothing is saved again.
    at_height = fill("high", size=(256, 192))
    numbers = scored(workspace, at_height, "catvton")["scores"]["dresses"]
    ours = tensors(results(at_height, Category.DRESSES), transforms.ToTensor())
    true = tensors(originals(workspace, Category.DRESSES), transforms.ToTensor())
    assert numbers["ssim"] == pytest.approx(by_hand.ssim(ours, true), rel=1e-4)


def ssim_with_zeros_around(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(values, (1.5, 1.5, 0), mode="constant", radius=(5, 5, 0))

    one, other = first / 255, second / 255
    product, squares = mean(one) * mean(other), mean(one) ** 2 + mean(other) ** 2
    covariance, variances = mean(one * other) - product, mean(one**2) + mean(other**2) - squares
    return float((((2 * product + 1e-4) * (2 * covariance + 9e-4)) / ((squares + 1e-4) * (variances + 9e-4))).mean())


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_daflow_matches_pytorch_ssim_and_torch_fidelity_on_saved_jpegs(
    workspace: Workspace, fill: Fill, weights: Path, load_small: Load, tmp_path: Path, ending: str
) -> None:
    folder = fill(size=(256, 192), ending=ending)
    block = scored(workspace, folder, "daflow")
    ours, true = [], []
    paths = zip(results(folder, Category.LOWER_BODY), originals(workspace, Category.LOWER_BODY), strict=True)
    for number, (path, original) in enumerate(paths):
        saved = path
        if ending == ".png":
            saved = tmp_path / f"{number}.jpg"
            Image.open(path).save(saved)
        ours.append(np.asarray(Image.open(saved)))
        true.append(decode_photo(original.read_bytes(), (256, 192)))
    numbers = block["scores"]["lower_body"]
    by_hand = np.mean([ssim_with_zeros_around(one, other) for one, other in zip(ours, true, strict=True)])
    assert numbers["ssim"] == pytest.approx(by_hand, rel=1e-4)
    network = load_small(weights / WEIGHTS["inception"].file)
    with torch.inference_mode():
        one, other = (network(torch.from_numpy(np.stack(each)).permute(0, 3, 1, 2)).numpy() for each in (ours, true))
    assert numbers["fid"] == pytest.approx(fid(one, Reference(other))["fid"], rel=1e-3, abs=1e-4)
    assert block["fingerprint"]["format"] == ("PNG" if ending == ".png" else "JPEG 75")


def test_fitting_room_matches_evaluate_metrics_on_packed_rows(
    workspace: Workspace, fill: Fill, weights: Path
) -> None:
    folder = fill()
    block = scored(workspace, folder, "fitting-room")
    ours = np.stack([np.asarray(Image.open(path)) for path in results(folder, Category.DRESSES)])
    true = np.stack([decode_photo(p.read_bytes(), (64, 48)) for p in originals(workspace, Category.DRESSES)])
    for name in ("ssim", "psnr", "l1", "lpips"):
        metric = METRICS[name]
        assert metric.measure is not None
        path = weights / WEIGHTS[metric.weights].file if metric.weights else None
        by_hand = metric.measure(path, "cpu")(ours, true, {"image": None})["image"].mean()
        assert block["scores"]["dresses"][name] == pytest.approx(by_hand, rel=1e-5)
    assert {entry["metric"]: entry["reason"] for entry in block["unavailable"]} == {
        "ms_ssim": "images are smaller than 176 pixels",
        "kid_std": "every random subset would be the whole set",
    }
    assert block["scores"]["all"]["kid"] is not None
    assert block["scores"]["all"]["kid_std"] is None
    told = "\n".join([*block["deviations"], *(note["warning"] for note in block["warnings"])])
    assert "with fewer than 2,048 images FID is biased" in told
    assert "with fewer than 1,000 images KID" in told
    assert "64x48, not 512x384 as in the protocol" in told


@pytest.mark.parametrize("setting", ["paired", "unpaired"])
def test_compares_pairs_inside_ground_truth_regions(
    workspace: Workspace, fill: Fill, setting: str
) -> None:
    folder = fill(setting=setting)
    block = scored(workspace, folder, "fitting-room", setting, categories=(Category.DRESSES,))
    role = "images" if setting == "paired" else "truth"
    paths = sorted((workspace.raw / "dresses" / role).iterdir())
    errors: dict[str, list[float]] = {"garment": [], "outside": [], "neckline": []}
    for number, (path, true) in enumerate(zip(results(folder, Category.DRESSES), paths, strict=True)):
        error = abs(np.asarray(Image.open(path)) / 255 - decode_photo(true.read_bytes(), (64, 48)) / 255).mean(-1)
        garment = garment_of(number + (setting == "unpaired"))
        band = neckline_band(garment, np.array(KEYPOINTS, np.float32).reshape(18, 3))
        for name, region in (("garment", garment), ("outside", ~garment), ("neckline", band)):
            errors[name] += [error[region].mean()] if region.any() else []
    assert len(errors["garment"]) == len(errors["neckline"]) == PER_CATEGORY - 1  # one shows no garment
    for name, own in errors.items():
        assert block["scores"]["dresses"][f"l1_{name}"] == pytest.approx(np.mean(own), rel=1e-5)
    assert block["fingerprint"]["rows"]["dresses"]["regions"]


def test_published_protocols_have_no_regions(workspace: Workspace, fill: Fill, weights: Path) -> None:
    for name in ("ladi", "catvton"):
        block = scored(workspace, fill(name), name)
        assert "ssim_garment" not in block["scores"]["all"]
        assert {facts["regions"] for facts in block["fingerprint"]["rows"].values()} == {None}


def test_region_without_score_has_a_reason(workspace: Workspace, fill: Fill, tmp_path: Path) -> None:
    folder, reason = fill(), "no ground-truth image shows the garment"
    listed = tmp_path / "list.txt"
    listed.write_text("000000_000000\n200002_200002\n")  # the second shows no garment
    wanted = (Category.UPPER_BODY, Category.DRESSES)
    block = scored(workspace, folder, "fitting-room", categories=wanted, pairs_file=listed)
    told = {entry["metric"]: entry["reason"] for entry in block["unavailable"]}
    assert block["scores"]["dresses"]["l1_garment"] is None
    assert block["scores"]["all"]["l1_garment"] > 0
    assert told["l1_garment"] == reason
    assert {entry["where"] for entry in block["unavailable"] if entry["metric"] == "l1_garment"} == {"dresses"}
    assert "l1_outside" not in told


def test_compares_unpaired_pairs_only_if_all_have_ground_truth(
    workspace: Workspace, fill: Fill, weights: Path
) -> None:
    folder = fill(setting="unpaired")
    block = scored(workspace, folder, "fitting-room", "unpaired")
    reasons = {entry["metric"]: entry["reason"] for entry in block["unavailable"]}
    assert reasons["ssim"].startswith("only 3 of the 9 pairs have a ground-truth image of that person in that garment")
    assert block["scores"]["dresses"]["ssim"] is None
    assert block["scores"]["dresses"]["fid"] is not None
    block = scored(workspace, folder, "fitting-room", "unpaired", categories=(Category.DRESSES,))
    ours = np.stack([np.asarray(Image.open(path)) for path in results(folder, Category.DRESSES)])
    truth = sorted((workspace.raw / "dresses" / "truth").iterdir())
    true = np.stack([decode_photo(path.read_bytes(), (64, 48)) for path in truth])
    assert block["scores"]["dresses"]["l1"] == pytest.approx(np.abs(ours / 255 - true / 255).mean(), rel=1e-4)
    assert "all" not in block["scores"]


def test_missing_or_changed_originals_give_null_with_reason(
    workspace: Workspace, fill: Fill, weights: Path
) -> None:
    folder = fill()
    path = originals(workspace, Category.DRESSES)[1]
    data = path.read_bytes()
    for spoil, reason in (
        (path.unlink, "exists"),
        (lambda: path.write_bytes(data + b" "), "has the SHA-256 of the index"),
    ):
        spoil()
        block = scored(workspace, folder, "ladi", categories=(Category.DRESSES,))
        assert {value for numbers in block["scores"].values() for key, value in numbers.items() if key != "n"} == {None}
        assert len(block["unavailable"]) == 4
        assert all(path.name in entry["reason"] and reason in entry["reason"] for entry in block["unavailable"])
    assert scored(workspace, folder, "fitting-room")["scores"]["dresses"]["ssim"] > 0.5


def test_unsupported_result_size_is_null(workspace: Workspace, fill: Fill) -> None:
    block = scored(workspace, fill(), "daflow")
    assert block["scores"]["all"] == {"n": 9, "ssim": None, "fid": None}
    assert block["unavailable"][0]["reason"] == "results are 64x48, and daflow requires 256x192"


def test_unmatched_aspect_ratio_is_null(
    workspace: Workspace, fill: Fill, weights: Path
) -> None:
    block = scored(workspace, fill(size=(64, 64)), "catvton")
    assert {entry["reason"] for entry in block["unavailable"]} == {
        "after preprocessing, results are 64x64 and ground truth 64x48"
    }
    assert block["scores"]["all"]["fid"] is None


def test_cached_reference_features_do_not_change_scores(
    workspace: Workspace, fill: Fill, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill()
    first = scored(workspace, folder, "catvton")
    kept = list((workspace.work_dir("score") / "features").glob("*.npy"))
    assert len(kept) == len(Category)
    monkeypatch.setattr(
        "tryon.scoring.folder_source.FolderSource.people", lambda *_: iter(())
    )  # nothing to make them of
    assert scored(workspace, folder, "catvton") == first


def test_no_library_accesses_the_network(
    workspace: Workspace, fill: Fill, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError("something was to be downloaded")

    for name in ("connect", "connect_ex", "bind"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    order = ScoreRequest(fill(size=(256, 192)), ("all",), "workspace", "paired", tuple(Category))
    content = score_folder(order, SETTINGS, workspace, no_progress)
    assert all(content["protocols"][name]["scores"]["all"]["fid"] is not None for name in ("ladi", "catvton", "daflow"))
    monkeypatch.setenv("TRYON_WEIGHTS", str(weights / "empty"))
    content = score_folder(order, SETTINGS, workspace, no_progress)
    missing = {entry["metric"] for entry in content["protocols"]["ladi"]["unavailable"]}
    assert missing == {"lpips", "fid", "kid"}

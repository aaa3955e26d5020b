"""The command line: what it costs to start, what it says about mistakes, presets and parameters."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tryon.cli import main
from tryon.config.parameters import load_parameters
from tryon.pretrained_weights import WEIGHTS
from tryon.runtime.atomic_files import sha256_bytes
from tryon.runtime.code_version import ROOT

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copy(ROOT / "params" / "default.yaml", tmp_path / "params.yaml")
    return tmp_path


def write(project: Path, old: str, new: str) -> None:
    text = (project / "params.yaml").read_text()
    assert old in text
    (project / "params.yaml").write_text(text.replace(old, new, 1))


def refused(project: Path, captured: Captured, *arguments: str) -> str:
    """The one message of a command that the user got wrong."""
    assert main([*arguments, "--root", str(project)]) == 2
    said = captured.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1, said.err
    assert said.err.startswith("error: ")
    return said.err


@pytest.mark.parametrize("arguments", [["--help"], ["params"], ["download", "--help"]])
def test_it_starts_without_anything_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from tryon.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'cv2', 'pyarrow', 'prefect', 'dvc', 'pandas'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "tryon", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "Usage: tryon" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("seed: 7", "seed: seven", "seed"),
        ("seed: 7", "seed: 7\nsead: 8", "sead: unknown key"),
        ("include_densepose_uv: false", "include_densepose_uv: maybe", "download.include_densepose_uv"),
        ("val_fraction: 0.1", "val_fraction: 1.5", "sample.val_fraction"),
        ("seed: 7", "seed: [7", "is YAML"),
    ],
)
def test_a_wrong_key_or_value_is_named(project: Path, capsys: Captured, old: str, new: str, told: str) -> None:
    write(project, old, new)
    message = refused(project, capsys, "download")
    assert told in message
    assert "params.yaml" in message
    assert sorted(path.name for path in project.iterdir()) == ["params", "params.yaml"]


def test_a_folder_without_parameters_is_named(tmp_path: Path, capsys: Captured) -> None:
    assert "--root" in refused(tmp_path, capsys, "download")


def test_a_missing_source_is_named(project: Path, capsys: Captured) -> None:
    write(project, "source: synthetic", "source: nowhere.zip")
    assert "nowhere.zip" in refused(project, capsys, "fingerprint")
    assert "nowhere.zip" in refused(project, capsys, "download")
    assert not (project / "data" / "index").exists()


def test_a_truncated_zip_is_named_and_leaves_nothing(project: Path, capsys: Captured) -> None:
    whole, cut = project / "whole.zip", project / "cut.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("upper_body/train_pairs.txt", "000000_0.jpg 000000_1.jpg\n" * 500)
    cut.write_bytes(whole.read_bytes()[:200])
    write(project, "source: synthetic", f"source: {cut}")
    assert main(["refresh-inputs", "--root", str(project)]) == 0
    capsys.readouterr()
    assert "cut.zip" in refused(project, capsys, "download")
    assert not (project / "data" / "index").exists()


@pytest.mark.parametrize("stage", ["agnostic", "sample", "pretrain", "finetune", "evaluate"])
def test_a_stage_before_its_inputs_names_the_command_that_makes_them(
    project: Path, capsys: Captured, stage: str
) -> None:
    assert "`tryon " in refused(project, capsys, stage)


def test_a_category_that_does_not_exist_is_refused(capsys: Captured) -> None:
    assert main(["agnostic", "shoes"]) == 2
    said = capsys.readouterr().err
    assert "upper_body" in said
    assert "Traceback" not in said


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch, project: Path, capsys: Captured) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tryon.pipeline.stages.run_stage", interrupted)
    assert main(["sample", "--root", str(project)]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_every_key_is_listed(capsys: Captured) -> None:
    assert main(["list-params"]) == 0
    listed = capsys.readouterr().out
    for line in (
        "seed  integer, at least 0, below 4294967296  (default: 0)",
        "download.sha256  string, matching ^[0-9a-f]{64}$ or none  (default: none)",
        "sample.val_fraction  number, above 0, below 1  (default: 0.1)",
    ):
        assert line in listed
    assert "Share of the chosen pairs kept for validation." in listed


def test_a_preset_becomes_the_parameters_as_it_stands(project: Path) -> None:
    write(project, "seed: 7", "seed: 9")
    assert main(["use-preset", "default", "--root", str(project)]) == 0
    assert (project / "params.yaml").read_bytes() == (project / "params" / "default.yaml").read_bytes()
    assert '"synthetic"' in (project / "data" / "source.json").read_text()
    assert '"metrics"' in (project / "data" / "weights.json").read_text()


def test_a_preset_takes_a_source_and_keeps_its_comments(project: Path) -> None:
    with zipfile.ZipFile(project / "own.zip", "w") as archive:
        archive.writestr("upper_body/train_pairs.txt", "000000_0.jpg 000000_1.jpg\n")
    assert main(["use-preset", "default", "--source", "own.zip", "--root", str(project)]) == 0
    assert load_parameters(project / "params.yaml").download.source == "own.zip"
    assert "# per category" in (project / "params.yaml").read_text()
    assert '"own.zip"' in (project / "data" / "source.json").read_text()


def test_a_preset_without_a_source_of_its_own_asks_for_one(project: Path, capsys: Captured) -> None:
    assert "`tryon use-preset dresscode --source <folder or zip>`" in refused(
        project, capsys, "use-preset", "dresscode"
    )


def test_the_fingerprint_notes_source_and_weights(project: Path, capsys: Captured) -> None:
    for told in ("the data source changed; weights (metrics) changed; weights (start) changed", "nothing changed"):
        assert main(["refresh-inputs", "--root", str(project)]) == 0
        assert capsys.readouterr().err == f"{told}\n"


def test_fetched_weights_are_noted(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    monkeypatch.setattr("tryon.pretrained_weights.download_weights", lambda *_: [])
    (project / "data" / "weights").mkdir(parents=True)
    (project / "data" / "weights" / WEIGHTS["alexnet"].file).write_bytes(b"weights")
    assert main(["download-weights", "--root", str(project)]) == 0
    noted = json.loads((project / "data" / "weights.json").read_text())
    assert {name: own for name, own in noted["metrics"].items() if own} == {"alexnet": sha256_bytes(b"weights")}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--out", "{}/full"], "a folder that is empty or not there yet"),
        (["--out", "{}/params.yaml"], "is a folder, or ends in .zip"),
        (["--out", "{}/empty.zip"], "zip file to write, not a folder"),
        (["--out", "{}/made.zip"], "is not there yet, nor its truth"),
        (["--out", "{}/made", "--zip"], "is not there yet, nor its truth"),
        (["--out", ""], "with a name"),
        (["--out", "{}/link"], "is no link"),
        (["--out", "{}/params.yaml/twin.zip"], "lies in a folder that can be written to"),
        (["--out", "{}/twin", "--pairs", "0"], "--pairs: input should be greater than or equal to 1 (found: 0)"),
        (["--out", "{}/twin", "--test-pairs", "1"], "--test-pairs: "),
        (["--out", "{}/twin", "--seed", "-1"], "--seed: is at least 0"),
        (["--out", "{}/twin", "--difficulty", "hard"], "--difficulty: input should be 'easy', 'catalogue' or 'wild'"),
        (["--out", "{}/twin", "--parsing-noise", "1.5"], "--parsing-noise: "),
        (["--out", "{}/twin", "--version", "twin:v0"], "--version: is one of twin:v1"),
        (["--out", "{}/twin", "--version", "twin:v1", "--pairs", "3"], "Leave out --pairs"),
        (["--out", "{}/twin", "--version", "twin:v1", "--parsing-noise", "0.1"], "and the parser errors"),
    ],
)
def test_nothing_is_drawn_before_it_is_clear_what_and_where(
    project: Path, capsys: Captured, arguments: list[str], told: str
) -> None:
    (project / "full").mkdir()
    (project / "full" / "mine.txt").touch()
    (project / "empty.zip").mkdir()
    (project / "made.truth.zip").touch()
    (project / "link").symlink_to(project / "nowhere")
    before = sorted(path.name for path in project.iterdir())
    assert told in refused(project, capsys, "synthesize", *(word.format(project) for word in arguments))
    assert sorted(path.name for path in project.iterdir()) == before


@pytest.mark.parametrize(
    ("out", "told"),
    [
        (".", "--out: is a file in a folder"),
        ("params.yaml/x.json", "--out: lies in a folder that can be written to (found: 'params.yaml')"),
        ("params.yaml/deep/x.json", "--out: lies in a folder that can be written to (found: 'params.yaml')"),
        ("closed/deep/x.json", "--out: lies in a folder that can be written to (found: 'closed')"),
    ],
)
@pytest.mark.parametrize("command", [("score", "results"), ("compare", "this", "other")])
def test_nothing_is_computed_before_it_is_clear_that_the_result_can_be_written(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], out: str, told: str
) -> None:
    monkeypatch.chdir(project)
    (project / "closed").mkdir()
    allowed = os.access  # root may write everywhere, so that rights alone close nothing to it
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "closed" and allowed(path, mode))
    assert told in refused(project, capsys, *command, "--out", out)


def test_the_twin_is_made_as_the_options_say(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write(project, "test_pairs: 24", "test_pairs: 2")
    for arguments, made in (["twin"], "twin"), (["twin", "--zip"], "twin.zip"), (["other.zip"], "other.zip"):
        out = ["--out", str(project / arguments[0]), *arguments[1:], "--pairs", "1", "--difficulty", "easy"]
        assert main(["synthesize", *out, "--root", str(project)]) == 0
        said = capsys.readouterr()
        assert said.out == f"{project / made}\n"
        assert said.err.splitlines()[0] == "1 + 2 pairs per category, seed 7, level easy, flow of test pairs"
    assert (project / "twin.zip").read_bytes() == (project / "other.zip").read_bytes()
    with zipfile.ZipFile(project / "twin.zip") as archive, zipfile.ZipFile(project / "twin.truth.zip") as truth:
        names = {*archive.namelist(), *truth.namelist()}
    assert names == {p.relative_to(project / "twin").as_posix() for p in (project / "twin").rglob("*") if p.is_file()}
    for lines, count in (("train_pairs.txt", 3), ("test_pairs_paired.txt", 6)):
        assert len((project / "twin" / lines).read_text().splitlines()) == count
    assert "easy" in (project / "twin" / "people.csv").read_text()


@pytest.mark.parametrize("arguments", [["use-preset", "nothing"], ["use-preset", "default", "--source", "nowhere.zip"]])
def test_a_preset_that_cannot_be_used_changes_nothing(project: Path, capsys: Captured, arguments: list[str]) -> None:
    before = (project / "params.yaml").read_bytes()
    message = refused(project, capsys, *arguments)
    assert "default" in message or "nowhere.zip" in message
    assert (project / "params.yaml").read_bytes() == before
    assert not (project / "data").exists()

"""The command line: start-up, error messages, presets, parameters and synthesize."""

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


def error_of(project: Path, captured: Captured, *arguments: str) -> str:
    """Run a failing command and return its one-line message."""
    assert main([*arguments, "--root", str(project)]) == 2
    output = captured.readouterr()
    assert output.out == ""
    assert len(output.err.strip().splitlines()) == 1, output.err
    assert output.err.startswith("error: ")
    return output.err


@pytest.mark.parametrize("arguments", [["--help"], ["list-params"], ["download", "--help"]])
def test_start_imports_no_heavy_packages(arguments: list[str]) -> None:
    code = (
        "import sys; from tryon.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'cv2', 'pyarrow', 'prefect', 'dvc', 'pandas'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_module_runs_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "tryon", "--help"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert "Usage: tryon" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("seed: 7", "seed: seven", "seed"),
        ("seed: 7", "seed: 7\nsead: 8", "unknown key sead"),
        ("include_densepose_uv: false", "include_densepose_uv: maybe", "download.include_densepose_uv"),
        ("val_fraction: 0.1", "val_fraction: 1.5", "sample.val_fraction"),
        ("seed: 7", "seed: [7", "not valid YAML"),
    ],
)
def test_invalid_key_or_value_is_named(project: Path, capsys: Captured, old: str, new: str, named: str) -> None:
    write(project, old, new)
    message = error_of(project, capsys, "download")
    assert named in message
    assert "params.yaml" in message
    assert sorted(path.name for path in project.iterdir()) == ["params", "params.yaml"]


def test_folder_without_params_file_is_rejected(tmp_path: Path, capsys: Captured) -> None:
    assert "--root" in error_of(tmp_path, capsys, "download")


def test_missing_source_is_named(project: Path, capsys: Captured) -> None:
    write(project, "source: synthetic", "source: nowhere.zip")
    assert "nowhere.zip" in error_of(project, capsys, "refresh-inputs")
    assert "nowhere.zip" in error_of(project, capsys, "download")
    assert not (project / "data" / "index").exists()


def test_truncated_zip_is_rejected(project: Path, capsys: Captured) -> None:
    complete, truncated = project / "complete.zip", project / "truncated.zip"
    with zipfile.ZipFile(complete, "w") as archive:
        archive.writestr("upper_body/train_pairs.txt", "000000_0.jpg 000000_1.jpg\n" * 500)
    truncated.write_bytes(complete.read_bytes()[:200])
    write(project, "source: synthetic", f"source: {truncated}")
    assert main(["refresh-inputs", "--root", str(project)]) == 0
    capsys.readouterr()
    assert "truncated.zip" in error_of(project, capsys, "download")
    assert not (project / "data" / "index").exists()


@pytest.mark.parametrize("stage", ["agnostic", "sample", "pretrain", "finetune", "evaluate"])
def test_stage_without_inputs_names_the_command_to_run(project: Path, capsys: Captured, stage: str) -> None:
    assert "`tryon " in error_of(project, capsys, stage)


def test_unknown_category_is_rejected(capsys: Captured) -> None:
    assert main(["agnostic", "shoes"]) == 2
    message = capsys.readouterr().err
    assert "upper_body" in message
    assert "Traceback" not in message


def test_ctrl_c_shows_no_traceback(monkeypatch: pytest.MonkeyPatch, project: Path, capsys: Captured) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tryon.pipeline.stages.run_stage", interrupted)
    assert main(["sample", "--root", str(project)]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_list_params_describes_every_key(capsys: Captured) -> None:
    assert main(["list-params"]) == 0
    listed = capsys.readouterr().out
    for line in (
        "seed  integer, at least 0, below 4294967296  (default: 0)",
        "download.sha256  string, matching ^[0-9a-f]{64}$ or none  (default: none)",
        "sample.val_fraction  number, above 0, below 1  (default: 0.1)",
    ):
        assert line in listed
    assert "Fraction of the selected pairs used for validation." in listed


def test_use_preset_copies_the_preset(project: Path) -> None:
    write(project, "seed: 7", "seed: 9")
    assert main(["use-preset", "default", "--root", str(project)]) == 0
    assert (project / "params.yaml").read_bytes() == (project / "params" / "default.yaml").read_bytes()
    assert '"synthetic"' in (project / "data" / "source.json").read_text()
    assert '"metrics"' in (project / "data" / "weights.json").read_text()


def test_use_preset_writes_source_and_preserves_comments(project: Path) -> None:
    with zipfile.ZipFile(project / "source.zip", "w") as archive:
        archive.writestr("upper_body/train_pairs.txt", "000000_0.jpg 000000_1.jpg\n")
    assert main(["use-preset", "default", "--source", "source.zip", "--root", str(project)]) == 0
    assert load_parameters(project / "params.yaml").download.source == "source.zip"
    assert "# per category" in (project / "params.yaml").read_text()
    assert '"source.zip"' in (project / "data" / "source.json").read_text()


def test_preset_without_source_asks_for_one(project: Path, capsys: Captured) -> None:
    assert "`tryon use-preset dresscode --source <folder or zip>`" in error_of(
        project, capsys, "use-preset", "dresscode"
    )


def test_refresh_inputs_records_source_and_weights(project: Path, capsys: Captured) -> None:
    for message in ("data source changed; weights changed: metrics; weights changed: start", "nothing changed"):
        assert main(["refresh-inputs", "--root", str(project)]) == 0
        assert capsys.readouterr().err == f"{message}\n"


def test_downloaded_weights_are_recorded(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRYON_WEIGHTS", raising=False)
    monkeypatch.setattr("tryon.pretrained_weights.download_weights", lambda *_: [])
    (project / "data" / "weights").mkdir(parents=True)
    (project / "data" / "weights" / WEIGHTS["alexnet"].file).write_bytes(b"weights")
    assert main(["download-weights", "--root", str(project)]) == 0
    record = json.loads((project / "data" / "weights.json").read_text())
    assert {name: sha256 for name, sha256 in record["metrics"].items() if sha256} == {
        "alexnet": sha256_bytes(b"weights")
    }


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--out", "{}/full"], ["--out", "/full"]),
        (["--out", "{}/params.yaml"], ["--out", "/params.yaml"]),
        (["--out", "{}/empty.zip"], ["--out", "/empty.zip"]),
        (["--out", "{}/made.zip"], ["--out", "/made.truth.zip"]),
        (["--out", "{}/made", "--zip"], ["--out", "/made.truth.zip"]),
        (["--out", ""], ["--out"]),
        (["--out", "{}/link"], ["--out", "/link"]),
        (["--out", "{}/params.yaml/synthetic.zip"], ["--out", "/params.yaml"]),
        (["--out", "{}/new", "--pairs", "0"], ["--pairs", "greater than or equal to 1", "0"]),
        (["--out", "{}/new", "--test-pairs", "1"], ["--test-pairs", "greater than or equal to 2", "1"]),
        (["--out", "{}/new", "--seed", "-1"], ["--seed", "-1"]),
        (["--out", "{}/new", "--difficulty", "hard"], ["--difficulty", "'easy', 'catalogue' or 'wild'", "hard"]),
        (["--out", "{}/new", "--parsing-noise", "1.5"], ["--parsing-noise", "1.5"]),
        (["--out", "{}/new", "--version", "twin:v0"], ["--version", "twin:v0", "twin:v1"]),
        (["--out", "{}/new", "--version", "twin:v1", "--pairs", "3"], ["--version", "--pairs"]),
        (["--out", "{}/new", "--version", "twin:v1", "--parsing-noise", "0.1"], ["--version", "--parsing-noise"]),
    ],
)
def test_synthesize_rejects_invalid_options_before_writing(
    project: Path, capsys: Captured, arguments: list[str], named: list[str]
) -> None:
    (project / "full").mkdir()
    (project / "full" / "mine.txt").touch()
    (project / "empty.zip").mkdir()
    (project / "made.truth.zip").touch()
    (project / "link").symlink_to(project / "nowhere")
    before = sorted(path.name for path in project.iterdir())
    message = error_of(project, capsys, "synthesize", *(word.format(project) for word in arguments))
    assert [text for text in named if text not in message] == []
    assert sorted(path.name for path in project.iterdir()) == before


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (".", "--out is a folder"),
        ("params.yaml/x.json", "--out cannot be written: found 'params.yaml'"),
        ("params.yaml/deep/x.json", "--out cannot be written: found 'params.yaml'"),
        ("closed/deep/x.json", "--out cannot be written: found 'closed'"),
    ],
)
@pytest.mark.parametrize("command", [("score", "results"), ("compare", "current", "baseline")])
def test_out_is_validated_before_anything_is_computed(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], out: str, message: str
) -> None:
    monkeypatch.chdir(project)
    (project / "closed").mkdir()
    allowed = os.access  # root may write everywhere, so permissions are simulated
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "closed" and allowed(path, mode))
    assert message in error_of(project, capsys, *command, "--out", out)


@pytest.mark.slow
def test_synthesize_follows_its_options(project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRYON_WORKERS", "1")
    write(project, "test_pairs: 24", "test_pairs: 2")
    for arguments, written in (["new"], "new"), (["new", "--zip"], "new.zip"), (["other.zip"], "other.zip"):
        out = ["--out", str(project / arguments[0]), *arguments[1:], "--pairs", "1", "--difficulty", "easy"]
        assert main(["synthesize", *out, "--root", str(project)]) == 0
        output = capsys.readouterr()
        assert output.out == f"{project / written}\n"
        description = output.err.splitlines()[0]
        for text in ("1 + 2 pairs per category", "seed 7", "easy", "flow of test pairs"):
            assert text in description
    assert (project / "new.zip").read_bytes() == (project / "other.zip").read_bytes()
    with zipfile.ZipFile(project / "new.zip") as archive, zipfile.ZipFile(project / "new.truth.zip") as truth:
        names = {*archive.namelist(), *truth.namelist()}
    assert names == {p.relative_to(project / "new").as_posix() for p in (project / "new").rglob("*") if p.is_file()}
    for lines, count in (("train_pairs.txt", 3), ("test_pairs_paired.txt", 6)):
        assert len((project / "new" / lines).read_text().splitlines()) == count
    assert "easy" in (project / "new" / "people.csv").read_text()


@pytest.mark.parametrize("arguments", [["use-preset", "nothing"], ["use-preset", "default", "--source", "nowhere.zip"]])
def test_invalid_preset_changes_nothing(project: Path, capsys: Captured, arguments: list[str]) -> None:
    before = (project / "params.yaml").read_bytes()
    message = error_of(project, capsys, *arguments)
    assert "default" in message or "nowhere.zip" in message
    assert (project / "params.yaml").read_bytes() == before
    assert not (project / "data").exists()

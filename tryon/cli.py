"""The command line: `tryon <stage>` runs one stage; the other commands prepare, inspect and score.

Slow imports are made inside the command that needs them, so that `tryon --help` answers at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tryon.categories import Category, Split
from tryon.console import log_line, make_console, print_result, print_table, progress_bars, run_cli
from tryon.errors import ParameterError
from tryon.export import Format
from tryon.workspace import Workspace

app = typer.Typer(
    name="tryon",
    help="Train and evaluate virtual try-on models on Dress Code, one stage at a time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Root = Annotated[Path, typer.Option("--root", help="Folder with params.yaml and data/.")]
Worker = Annotated[bool, typer.Option("--worker", help="Join a distributed run started on another machine.")]
CategoryFilter = Annotated[
    list[Category] | None, typer.Option("--category", help="Only this category; may be repeated.")
]
HERE = Path()


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    Returns:
        0 on success, 2 with one message for a user's mistake, 130 after Ctrl-C, 143 when a training stage received
        SIGTERM (the same command resumes it).
    """
    code = 0

    def command() -> None:
        nonlocal code
        try:
            app(arguments, prog_name="tryon")
        except SystemExit as exit_request:
            code = exit_request.code if isinstance(exit_request.code, int) else 1

    return run_cli(command) or code


def run(stage: str, root: Path, category: Category | None = None) -> None:
    """Run one stage of the project in `root` with progress bars and print its result."""
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.stages import run_stage

    workspace = Workspace(root)
    parameters = load_parameters(workspace.params_file)
    start = time.monotonic()
    with progress_bars() as progress:
        result = run_stage(stage, parameters, workspace, category, progress)
    print_result(result, time.monotonic() - start)


def train(stage: str, root: Path, worker: bool) -> None:
    """Run a training stage, or a worker of it (`--worker`, or a rank above 0 set by torchrun)."""
    if not worker and os.environ.get("RANK", "0") == "0":
        run(stage, root)
        return
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.distributed_worker import run_worker

    workspace = Workspace(root)
    run_worker(stage, load_parameters(workspace.params_file), workspace)


def write_preview(category: Category, root: Path, count: int, out: Path | None) -> None:
    """Render masks of one category and print the path of the image."""
    from tryon.agnostic.preview.render_preview import render_preview
    from tryon.config.parameters import load_parameters

    workspace = Workspace(root)
    parameters = load_parameters(workspace.params_file)
    file = out / f"{category}.jpg" if out else None
    with progress_bars() as progress:
        path, message = render_preview(
            category, parameters.agnostic, parameters.image.size, workspace, count, progress, out=file
        )
    log_line(message)
    typer.echo(str(path))


@app.command()
def download(root: Root = HERE) -> None:
    """Fetch, unpack and validate the data set; writes data/index."""
    run("download", root)


@app.command()
def agnostic(
    category: Annotated[Category | None, typer.Argument(help="One category; default: all three.")] = None,
    preview: Annotated[
        int | None,
        typer.Option("--preview", min=1, max=50, help="Only render N worst and N randomly chosen masks."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the preview; default: data/previews.")] = None,
    root: Root = HERE,
) -> None:
    """Mask the garment to be replaced; writes data/manifests. With --preview, only renders example masks."""
    if out is not None and preview is None:
        raise ParameterError("--out is only valid with --preview", found=str(out), hint="Add --preview 6.")
    for each in [category] if category else list(Category):
        if preview is None:
            run("agnostic", root, each)
        else:
            write_preview(each, root, preview, out)


@app.command()
def sample(root: Root = HERE) -> None:
    """Select and pack the pairs for training, validation and test; writes data/subset."""
    run("sample", root)


@app.command()
def pretrain(root: Root = HERE, worker: Worker = False) -> None:
    """Import or train the upper-body initial weights; writes data/pretrained."""
    train("pretrain", root, worker)


@app.command()
def finetune(root: Root = HERE, worker: Worker = False) -> None:
    """Train on all three categories together; writes data/checkpoints."""
    train("finetune", root, worker)


@app.command()
def evaluate(root: Root = HERE) -> None:
    """Score the best checkpoint and write the report; writes data/evaluation."""
    run("evaluate", root)


@app.command(name="refresh-inputs")
def refresh_inputs(root: Root = HERE) -> None:
    """Record the state of the data source and weights in data/, so that DVC detects changes."""
    from tryon.pipeline.external_inputs import refresh_inputs as refresh

    with progress_bars() as progress:
        changed = refresh(Workspace(root), progress=progress)
    log_line("; ".join(sorted(set(changed.values()))) or "nothing changed")


@app.command(name="list-params")
def list_params() -> None:
    """List every key of params.yaml with its type, constraint, default and description."""
    from tryon.config.presets import describe_parameters

    typer.echo(describe_parameters())


@app.command(name="use-preset")
def use_preset(
    preset: Annotated[str, typer.Argument(help="Name of a file in params/, without .yaml.")],
    source: Annotated[str | None, typer.Option("--source", help="Value of download.source to write.")] = None,
    root: Root = HERE,
) -> None:
    """Copy a preset from params/ to params.yaml and record its data source."""
    from tryon.pipeline.use_preset import activate_preset

    with progress_bars() as progress:
        activate_preset(Workspace(root), preset, source, progress)
    log_line(f"params.yaml is now params/{preset}.yaml" + (f" with source {source}" if source else ""))


@app.command(name="download-weights")
def download_weights(
    names: Annotated[list[str] | None, typer.Argument(help="Names of weights; default: all.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Only show which files are present.")] = False,
    root: Root = HERE,
) -> None:
    """Download and verify third-party pretrained weights."""
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.external_inputs import refresh_weights
    from tryon.pretrained_weights import download_weights, weights_status

    workspace = Workspace(root)
    with progress_bars() as progress:
        if status:
            files = weights_status(workspace, names or [])
        else:
            files = download_weights(workspace, names or [], progress)
            if workspace.params_file.is_file():
                refresh_weights(workspace, load_parameters(workspace.params_file), progress)
    print_table(
        [
            {
                "name": file.weight.name,
                "state": file.state,
                "file": str(file.path),
                "needed for": file.weight.needed_for,
                "remedy": file.remedy,
            }
            for file in files
        ],
        make_console(results=True),
    )


@app.command(name="save-champion")
def save_champion(name: Annotated[str, typer.Argument(help="A new name.")], root: Root = HERE) -> None:
    """Save the best fine-tuned checkpoint as data/champions/NAME.ckpt, for later use as initial weights."""
    from tryon.pretrain.champions import save_champion as save

    champion = save(name, Workspace(root))
    state = "saved" if champion.newly_created else "already saved"
    log_line(f"{state}: {Workspace(root).champion(name)}. To start training from it, set in params.yaml:")
    typer.echo(f"pretrain.init_from: {champion.init_from}")


@app.command()
def synthesize(
    out: Annotated[Path, typer.Option("--out", help="Folder to write, or the name of the .zip archive.")],
    pairs: Annotated[int | None, typer.Option("--pairs", help="Training pairs per category.")] = None,
    test_pairs: Annotated[int | None, typer.Option("--test-pairs", help="Test pairs per category.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of all people, garments and pairs.")] = None,
    difficulty: Annotated[str | None, typer.Option("--difficulty", help="easy, catalogue or wild.")] = None,
    uv: Annotated[bool | None, typer.Option("--uv/--no-uv", help="Write DensePose UV maps.")] = None,
    flow: Annotated[bool | None, typer.Option("--flow/--no-flow", help="Write garment-to-person flows.")] = None,
    parsing_noise: Annotated[
        float | None, typer.Option("--parsing-noise", help="Fraction of label maps with simulated parsing errors.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="A frozen, verified version: twin:v1.")] = None,
    zipped: Annotated[bool, typer.Option("--zip", help="Write OUT.zip and OUT.truth.zip.")] = False,
    root: Annotated[Path | None, typer.Option("--root", help="Folder with params.yaml.")] = None,
) -> None:
    """Write a synthetic Dress Code data set; omitted options come from params.yaml or the defaults."""
    from tryon.synthetic.synthesize import describe, find_workspace, make_request, output_path, synthesize

    options = {"train_pairs": pairs, "test_pairs": test_pairs, "seed": seed, "difficulty": difficulty}
    options |= {"uv": uv, "flow": flow, "parsing_noise_fraction": parsing_noise}
    request, target = make_request(version, options, find_workspace(root)), output_path(out, zipped)
    log_line(describe(request))
    with progress_bars() as progress:
        message = synthesize(request, target, progress)
    if message:
        log_line(message)
    typer.echo(str(target))


def _check_out(out: Path | None, workspace: Workspace) -> None:
    """Validate `--out` before anything is computed: a new .json file outside the stages' output folders."""
    if out is None:
        return
    workspace.reject_stage_output(out, "--out")
    if out.is_dir():
        raise ParameterError("--out is a folder", found=str(out), expected="the path of a .json file")
    if out.exists() and out.suffix != ".json":  # it may be one of the user's images
        raise ParameterError(
            "--out would overwrite a file", found=str(out), expected="a new file or one that ends in .json"
        )
    above = next(folder for folder in out.parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise ParameterError("--out cannot be written", found=str(above), expected="a writable folder")


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Result images, named <person>_<garment>.png or .jpg.")],
    protocol: Annotated[
        list[str] | None,
        typer.Option("--protocol", help="fitting-room (default), ladi, catvton, daflow or all; may be repeated."),
    ] = None,
    dataset: Annotated[str, typer.Option("--dataset", help="Test set: workspace or twin:v1.")] = "workspace",
    setting: Annotated[str, typer.Option("--setting", help="paired or unpaired.")] = "paired",
    category: CategoryFilter = None,
    pairs_file: Annotated[
        Path | None, typer.Option("--pairs-file", help="Score only the pair ids listed in this file, one per line.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="Compare with an earlier --out file or a metrics.json.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write metrics and fingerprints as JSON.")] = None,
    root: Root = HERE,
) -> None:
    """Score a folder of result images of any system, by this project's protocol and by those of papers."""
    from tryon.scoring.console_tables import print_comparison, print_scores
    from tryon.scoring.score_folder import ScoreRequest, run

    workspace = Workspace(root)
    _check_out(out, workspace)
    request = ScoreRequest(
        folder, tuple(protocol or ["fitting-room"]), dataset, setting, tuple(category or Category), pairs_file
    )
    with progress_bars() as progress:
        content, comparison = run(request, workspace, baseline, out, progress)
    print_scores(content)
    if comparison is not None:
        print_comparison(comparison)


@app.command()
def compare(
    current: Annotated[Path, typer.Argument(help="Folder written by `evaluate`; the verdict is on its checkpoint.")],
    baseline: Annotated[Path, typer.Argument(help="Folder of another evaluation of the same test rows.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write all differences and the verdict as JSON.")] = None,
    root: Root = HERE,
) -> None:
    """Compare two evaluations pair by pair: better, worse or no difference, with 95 % intervals."""
    from tryon.runtime.atomic_files import write_json
    from tryon.scoring.compare import compare, comparison_to_dict
    from tryon.scoring.console_tables import print_comparison
    from tryon.scoring.saved_scores import read_runs

    _check_out(out, Workspace(root))
    comparison = compare(read_runs(current), read_runs(baseline))
    content = comparison_to_dict(comparison)
    if out is not None:
        write_json(out, content)
    print_comparison(comparison)


@app.command()
def export(
    format: Annotated[Format, typer.Option("--format", help="Target layout.")],
    out: Annotated[Path, typer.Option("--out", help="A new or empty folder, or an unfinished export to resume.")],
    category: CategoryFilter = None,
    split: Annotated[list[Split] | None, typer.Option("--split", help="Only this split; may be repeated.")] = None,
    size: Annotated[str | None, typer.Option("--size", help="HEIGHTxWIDTH, for example 1024x768.")] = None,
    root: Root = HERE,
) -> None:
    """Write masks and agnostic images as files, in a layout that other try-on codebases read."""
    from tryon.export.export import export, parse_size
    from tryon.export.request import ExportRequest

    start = time.monotonic()
    request = ExportRequest(format, parse_size(size) if size is not None else None, out, Workspace(root))
    with progress_bars() as progress:
        result = export(request, category or list(Category), split or list(Split), progress)
    print_result(result, time.monotonic() - start)
    typer.echo(str(out))


COMMANDS: dict[str, Callable[..., None]] = {
    str(command.name or getattr(command.callback, "__name__", "")): command.callback
    for command in app.registered_commands
    if command.callback
}
"""Every command by name; a test compares it with stages, flows and parameters."""

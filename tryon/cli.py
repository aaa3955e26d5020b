"""The command line: `tryon <stage>` runs a stage by itself, and a few commands around the stages.

Whatever is slow to import is imported by the command that needs it, so that `tryon --help` answers at once.
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
    help="From a Dress Code archive to a virtual try-on model and its report, one stage at a time.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Root = Annotated[Path, typer.Option("--root", help="Folder with params.yaml and data/.")]
Worker = Annotated[
    bool, typer.Option("--worker", help="Only train along with the stage, which runs elsewhere; writes nothing.")
]
HERE = Path()


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 2 with one message for a mistake of the user's, 130 after Ctrl-C.

    A training stage that got SIGTERM ends with 143; the same command goes on from where it was.
    """
    code = 0

    def command() -> None:
        nonlocal code
        try:
            app(arguments, prog_name="tryon")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1

    return run_cli(command) or code


def run(stage: str, root: Path, category: Category | None = None) -> None:
    """Run one stage of the project in `root`, with progress, and print its summary."""
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.stages import run_stage

    workspace = Workspace(root)
    parameters = load_parameters(workspace.params_file)
    since = time.monotonic()
    with progress_bars() as progress:
        summary = run_stage(stage, parameters, workspace, category, progress)
    print_result(summary, time.monotonic() - since)


def train(stage: str, root: Path, worker: bool) -> None:
    """Run a training stage, or be one of its workers: asked to, or with a rank above 0 from torchrun."""
    if not worker and os.environ.get("RANK", "0") == "0":
        run(stage, root)
        return
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.distributed_worker import run_worker

    workspace = Workspace(root)
    run_worker(stage, load_parameters(workspace.params_file), workspace)


def draw_preview(category: Category, root: Path, count: int, out: Path | None) -> None:
    """Draw masks of one category and print the image's path."""
    from tryon.agnostic.preview.render_preview import render_preview
    from tryon.config.parameters import load_parameters

    workspace = Workspace(root)
    parameters = load_parameters(workspace.params_file)
    with progress_bars() as progress:
        path, said = render_preview(
            category,
            parameters.agnostic,
            parameters.image.size,
            workspace,
            count,
            progress,
            out=out / f"{category}.jpg" if out else None,
        )
    log_line(said)
    typer.echo(str(path))


@app.command()
def download(root: Root = HERE) -> None:
    """Fetch, unpack and check the data set; writes data/index."""
    run("download", root)


@app.command()
def agnostic(
    category: Annotated[Category | None, typer.Argument(help="One category; all three when left out.")] = None,
    preview: Annotated[
        int | None,
        typer.Option("--preview", min=1, max=50, help="Only draw this many typical and as many of the worst masks."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the preview's images, data/previews when left out.")
    ] = None,
    root: Root = HERE,
) -> None:
    """Hide the garment to be replaced; writes data/manifests. With --preview, only images to look at."""
    if out is not None and preview is None:
        raise ParameterError("--out", expected="goes with --preview", found=str(out))
    for one in [category] if category else list(Category):
        if preview is None:
            run("agnostic", root, one)
        else:
            draw_preview(one, root, preview, out)


@app.command()
def sample(root: Root = HERE) -> None:
    """Choose and pack the pairs to train, validate and test on; writes data/subset."""
    run("sample", root)


@app.command()
def pretrain(root: Root = HERE, worker: Worker = False) -> None:
    """Import or train the upper-body starting point; writes data/pretrained."""
    train("pretrain", root, worker)


@app.command()
def finetune(root: Root = HERE, worker: Worker = False) -> None:
    """Train on all three categories together; writes data/checkpoints."""
    train("finetune", root, worker)


@app.command()
def evaluate(root: Root = HERE) -> None:
    """Score the best checkpoint and write the report; writes data/evaluation."""
    run("evaluate", root)


@app.command()
def fingerprint(root: Root = HERE) -> None:
    """Note the data source and the weights as they are now in data/, so that DVC sees when they change."""
    from tryon.pipeline.external_inputs import refresh_inputs

    with progress_bars() as progress:
        changed = refresh_inputs(Workspace(root), progress=progress)
    log_line("; ".join(sorted(set(changed.values()))) or "nothing changed")


@app.command()
def params() -> None:
    """List every key of params.yaml with its type, rule, default and meaning."""
    from tryon.config.presets import describe_parameters

    typer.echo(describe_parameters())


@app.command()
def use(
    preset: Annotated[str, typer.Argument(help="Name of a file in params/, without .yaml.")],
    source: Annotated[str | None, typer.Option("--source", help="The value of download.source to write.")] = None,
    root: Root = HERE,
) -> None:
    """Make a preset of params/ the active params.yaml and note its data source."""
    from tryon.pipeline.use_preset import activate_preset

    with progress_bars() as progress:
        activate_preset(Workspace(root), preset, source, progress)
    log_line(f"params.yaml is now params/{preset}.yaml" + (f" with source {source}" if source else ""))


@app.command()
def weights(
    names: Annotated[list[str] | None, typer.Argument(help="Which weights; all when left out.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say where each file stands.")] = False,
    root: Root = HERE,
) -> None:
    """Fetch and verify pretrained weights that are not ours."""
    from tryon.config.parameters import load_parameters
    from tryon.pipeline.external_inputs import refresh_weights
    from tryon.pretrained_weights import download_weights, weights_status

    workspace = Workspace(root)
    with progress_bars() as progress:
        found = weights_status(workspace, names or []) if check else download_weights(workspace, names or [], progress)
        if not check and workspace.params_file.is_file():
            refresh_weights(workspace, load_parameters(workspace.params_file), progress)
    print_table(
        [
            {
                "name": one.weight.name,
                "state": one.state,
                "file": str(one.path),
                "needed for": one.weight.needed_for,
                "remedy": one.remedy,
            }
            for one in found
        ],
        make_console(results=True),
    )


@app.command()
def keep(name: Annotated[str, typer.Argument(help="A new name for it.")], root: Root = HERE) -> None:
    """Keep the best checkpoint of fine-tuning as a champion, data/champions/NAME.ckpt, to start from later."""
    from tryon.pretrain.champions import save_champion as keep_best

    champion = keep_best(name, Workspace(root))
    log_line(
        f"{'kept' if champion.newly_created else 'kept already'}: {Workspace(root).champion(name)}. To start from it, write"
    )
    typer.echo(f"pretrain.start: {champion.init_from}")


@app.command()
def synthesize(
    out: Annotated[Path, typer.Option("--out", help="The folder to write, or the archive, a .zip.")],
    pairs: Annotated[int | None, typer.Option("--pairs", help="Training pairs per category.")] = None,
    test_pairs: Annotated[int | None, typer.Option("--test-pairs", help="Test pairs per category.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Fixes every figure, garment and pairing.")] = None,
    level: Annotated[str | None, typer.Option("--level", help="easy, catalogue or wild.")] = None,
    uv: Annotated[bool | None, typer.Option("--uv/--no-uv", help="DensePose UV maps too.")] = None,
    flow: Annotated[bool | None, typer.Option("--flow/--no-flow", help="Flow from garment to body too.")] = None,
    parser_errors: Annotated[
        float | None, typer.Option("--parser-errors", help="Share of label maps with a parser's errors.")
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="A frozen version, twin:v1; it is checked.")] = None,
    zipped: Annotated[bool, typer.Option("--zip", help="Write OUT.zip and OUT.truth.zip.")] = False,
    root: Annotated[Path | None, typer.Option("--root", help="Folder with params.yaml.")] = None,
) -> None:
    """Write the synthetic twin of Dress Code; what is not given stands in params.yaml or has its default."""
    from tryon.synthetic.synthesize import describe, find_workspace, make_request, output_path, synthesize

    given = {"train_pairs": pairs, "test_pairs": test_pairs, "seed": seed, "level": level}
    given |= {"uv": uv, "flow": flow, "parser_errors": parser_errors}
    order, target = make_request(version, given, find_workspace(root)), output_path(out, zipped)
    log_line(describe(order))
    with progress_bars() as progress:
        said = synthesize(order, target, progress)
    if said:
        log_line(said)
    typer.echo(str(target))


def _check_out(out: Path | None, workspace: Workspace) -> None:
    """Before anything is computed: the file can be made, and is none of a stage's."""
    if out is None:
        return
    workspace.reject_stage_output(out, "--out")
    if out.is_dir():
        raise ParameterError("--out", expected="is a file in a folder", found=str(out))
    if out.exists() and out.suffix != ".json":  # somebody's image, for example
        raise ParameterError("--out", expected="ends in .json, or is not there yet", found=str(out))
    above = next(folder for folder in out.parents if folder.exists())
    if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
        raise ParameterError("--out", expected="lies in a folder that can be written to", found=str(above))


@app.command()
def score(
    folder: Annotated[Path, typer.Argument(help="Result images, named by pair id, person_garment.png or .jpg.")],
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            "--protocol", help="fitting-room, if none is named, ladi, catvton, daflow or all; may be repeated."
        ),
    ] = None,
    dataset: Annotated[str, typer.Option("--dataset", help="What they answer: workspace or twin:v1.")] = "workspace",
    setting: Annotated[str, typer.Option("--setting", help="paired or unpaired.")] = "paired",
    category: Annotated[list[Category] | None, typer.Option("--category", help="Only these; may be repeated.")] = None,
    only_listed: Annotated[
        Path | None, typer.Option("--only-listed", help="Score only the pairs of this file, one pair id a line.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Another result, or a metrics.json, to put beside it.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the numbers and their fingerprints as JSON.")] = None,
    root: Root = HERE,
) -> None:
    """Score a folder of result images, ours or another system's, by our protocol and by those of other papers."""
    from tryon.scoring.console_tables import print_comparison, print_scores
    from tryon.scoring.score_folder import ScoreRequest, run

    workspace = Workspace(root)
    _check_out(out, workspace)
    order = ScoreRequest(
        folder, tuple(protocol or ["fitting-room"]), dataset, setting, tuple(category or Category), only_listed
    )
    with progress_bars() as progress:
        content, comparison = run(order, workspace, against, out, progress)
    print_scores(content)
    if comparison is not None:
        print_comparison(comparison)


@app.command()
def compare(
    this: Annotated[Path, typer.Argument(help="Folder that `evaluate` wrote; the verdict is on its checkpoint.")],
    other: Annotated[Path, typer.Argument(help="Another such folder, of the same test rows.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write every difference and the verdict as JSON.")] = None,
    root: Root = HERE,
) -> None:
    """Compare two evaluations pair by pair: better, worse or no difference, with 95 % intervals."""
    from tryon.evaluate import compare as comparing
    from tryon.runtime.atomic_files import write_json
    from tryon.scoring.console_tables import print_evaluations

    _check_out(out, Workspace(root))
    content = comparing.comparison_to_dict(
        comparing.compare(comparing.read_evaluation(this), comparing.read_evaluation(other))
    )
    if out is not None:
        write_json(out, content)
    print_evaluations(content)


@app.command()
def export(
    format: Annotated[Format, typer.Option("--format", help="The layout.")],
    out: Annotated[Path, typer.Option("--out", help="The folder: new, empty, or an export to go on with.")],
    category: Annotated[list[Category] | None, typer.Option("--category", help="Only these; may be repeated.")] = None,
    setting: Annotated[list[Split] | None, typer.Option("--setting", help="Only these; may be repeated.")] = None,
    size: Annotated[str | None, typer.Option("--size", help="HxW, as 1024x768; else what the layout needs.")] = None,
    root: Root = HERE,
) -> None:
    """Write masks and agnostic images as files, in a layout that other try-on codebases read."""
    from tryon.export.export import export, parse_size
    from tryon.export.request import ExportRequest

    since = time.monotonic()
    job = ExportRequest(format, parse_size(size) if size is not None else None, out, Workspace(root))
    with progress_bars() as progress:
        summary = export(job, category or list(Category), setting or list(Split), progress)
    print_result(summary, time.monotonic() - since)
    typer.echo(str(out))


COMMANDS: dict[str, Callable[..., None]] = {
    str(command.name or getattr(command.callback, "__name__", "")): command.callback
    for command in app.registered_commands
    if command.callback
}
"""Every command by its name, for the test that compares stages, commands, flows and parameters."""

"""The finetune stage: all three categories together, from the starting point that `pretrain` made."""

from __future__ import annotations

from tryon.code_version import code_version
from tryon.files import replacing_folder
from tryon.loading.rows import PackedRows
from tryon.progress import Progress
from tryon.summary import Summary
from tryon.training.checkpoint import build_network, load_checkpoint, save_checkpoint
from tryon.training.epochs import EpochStates
from tryon.training.loop import Job, train
from tryon.training.outputs import run_digest, summarise, write_course
from tryon.training.settings import FinetuneSettings
from tryon.workspace import Workspace

BEST, LAST = "best.ckpt", "last.ckpt"
"""Names of the checkpoints in `data/checkpoints/`."""


def finetune(settings: FinetuneSettings, seed: int, workspace: Workspace, progress: Progress) -> Summary:
    """Make `data/checkpoints/`: `best.ckpt`, `last.ckpt`, `history.csv` and `grids/`.

    Raises:
        ParameterError: the image size does not fit the network, or the device does not exist.
        MissingInputError: the subset is absent or has no rows.
        WeightsError: the starting point is absent or damaged.
    """
    start = workspace.pretrained / "model.ckpt"
    files = {"train": workspace.subset("train"), "val": workspace.subset("val"), "start": start}
    rows = {part: PackedRows.read(files[part]) for part in ("train", "val")}
    network = build_network(load_checkpoint(start, "Run `tryon pretrain` first."), str(start))
    name = run_digest(settings, seed, files)
    states = EpochStates(workspace.staging("finetune"), f"{name}-{code_version(__name__)}")
    state = train(Job("finetune", settings, seed, name, rows["train"], rows["val"]), network, states, progress)
    with replacing_folder(workspace.checkpoints) as folder:
        save_checkpoint(folder / BEST, states.best(state).for_use())
        save_checkpoint(folder / LAST, state.for_use())
        write_course(folder, state, states)
    summary = summarise("finetune", state, workspace.checkpoints)
    states.remove()
    return summary

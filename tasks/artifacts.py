"""Publish the result of a stage as Prefect artifacts: table, images and a progress bar.

Outside a run nothing is published, and a server error never fails a stage. Images of a data set that may not be
redistributed are never sent to another machine.
"""

from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    update_progress_artifact,
)
from prefect.context import get_run_context
from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.settings import get_current_settings

from tasks.prefect_api import is_loopback
from tryon.console import format_cell, progress_bars
from tryon.download.fetch import SYNTHETIC_SOURCE
from tryon.errors import redact_urls
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, StageResult

UPDATE_INTERVAL = 2.0  # seconds between two updates of a progress artifact
MAX_BYTES = 300_000  # maximum length of the data URI of an image artifact
IMAGES_WITHHELD = (
    "\nImages are not shown: the Prefect API is on another machine, and this data set may not be redistributed.\n"
)


def publish(result: StageResult, source: str) -> None:
    """Publish the result of a stage on the page of the current run.

    Args:
        result: what the stage returned.
        source: `download.source`. Images of any source but `synthetic` are only sent to an API on this machine.
    """
    if not _in_run():
        return
    url = get_current_settings().api.url  # without one, Prefect runs an API inside this process
    allowed = source == SYNTHETIC_SOURCE or url is None or is_loopback(url)
    note = "" if allowed or not result.images else IMAGES_WITHHELD
    with _log_and_ignore_errors():
        get_run_logger().info(result.summary)
        markdown = redact_urls(render_markdown(result) + note)
        create_markdown_artifact(markdown, key=slug(result.stage), description=result.summary)
        for name, image in result.images.items() if allowed else ():
            create_image_artifact(image_url=data_uri(image), key=slug(f"{result.stage}-{name}"), description=name)


def publish_markdown(key: str, text: str, description: str) -> None:
    """Publish Markdown on the page of the current run."""
    if _in_run():
        markdown = redact_urls(text)
        with _log_and_ignore_errors():
            get_run_logger().info("%s\n%s", description, markdown)
            create_markdown_artifact(markdown, key=slug(key), description=description)


@contextmanager
def progress_artifact(name: str) -> Iterator[Progress]:
    """Yield a progress callback for the terminal and, inside a run, for a progress artifact named after `name`."""
    with progress_bars() as show:
        if not _in_run():
            yield show
            return
        update = _ProgressArtifact(slug(f"{name}-progress"))

        def report(done: int, total: int, label: str) -> None:
            show(done, total, label)
            update(done, total, label)

        yield report
        update.finish()


def render_markdown(result: StageResult) -> str:
    """Render a result as Markdown: stage, summary and table."""
    lines = [f"## {result.stage}", "", result.summary]
    if result.table:
        names = list(result.table[0])
        lines += ["", _row(list(names)), _row(["---"] * len(names))]
        lines += [_row([row.get(name) for name in names]) for row in result.table]
    return "\n".join(lines) + "\n"


def _row(cells: list[Cell]) -> str:
    return "| " + " | ".join(format_cell(cell).replace("|", "\\|") for cell in cells) + " |"


def data_uri(image: bytes) -> str:
    """Encode a PNG or JPEG as a data URI of at most `MAX_BYTES`; larger images are scaled down as JPEG."""
    quality = 90
    while True:
        kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
        uri = f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
        if len(uri) <= MAX_BYTES:
            return uri
        from PIL import Image

        decoded = Image.open(io.BytesIO(image)).convert("RGB")
        out = io.BytesIO()
        size = max(1, decoded.width * 4 // 5), max(1, decoded.height * 4 // 5)
        decoded.resize(size).save(out, "JPEG", quality=quality)
        image, quality = out.getvalue(), max(quality - 10, 60)


def slug(name: str) -> str:
    """Convert a name to an artifact key: lower-case letters, digits and dashes."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


class _ProgressArtifact:
    """Progress artifact, created by the first update and updated every `UPDATE_INTERVAL`. Thread-safe."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._id: UUID | None = None
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, done: int, total: int, label: str) -> None:
        with self._lock:
            if time.monotonic() - self._last < UPDATE_INTERVAL:
                return
            self._last = time.monotonic()
            self._update(100 * done / max(total, 1), f"{label}: {done} of {total}")

    def finish(self) -> None:
        """Set the artifact, if there is one, to 100 %."""
        with self._lock:
            if self._id is not None:
                self._update(100.0, "done")

    def _update(self, percent: float, text: str) -> None:
        with _log_and_ignore_errors():
            if self._id is None:
                self._id = cast(UUID, create_progress_artifact(percent, key=self._key, description=text))
            else:
                update_progress_artifact(self._id, percent, description=text)


def _in_run() -> bool:
    try:
        get_run_context()
    except MissingContextError:
        return False
    return True


@contextmanager
def _log_and_ignore_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        get_run_logger().warning("could not publish an artifact: %s", error)

"""What Prefect's pages show of a stage: its summary as table and images, and a bar while it runs.

Artifacts are decoration. Outside a run nothing is published, and a server that hiccups never fails a stage. Images of
a data set that may not be passed on stay on this machine.
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
from tryon.download.fetch import SYNTHETIC
from tryon.errors import redact_urls
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, StageResult

UPDATE_INTERVAL = 2.0
"""Seconds between two updates of a progress artifact."""

MAX_BYTES = 300_000
"""Longest data URI that an image artifact gets."""

IMAGES_WITHHELD = "\nImages stay away: the Prefect API is on another machine, and this source may not be passed on.\n"
"""Stands on the page in the place of images that are not sent."""


def publish(summary: StageResult, source: str) -> None:
    """Show a stage's summary on the page of the run that this is called from.

    Args:
        summary: what the stage returned.
        source: `download.source`. Images made from anything but the twin go to no API on another machine.
    """
    if not _in_run():
        return
    key = slug(summary.stage)
    allowed = source == SYNTHETIC or _api_is_here()
    note = "" if allowed or not summary.images else IMAGES_WITHHELD
    with _log_and_ignore_errors():
        get_run_logger().info(summary.summary)
        create_markdown_artifact(redact_urls(render_markdown(summary) + note), key=key, description=summary.summary)
        for name, image in summary.images.items() if allowed else ():
            create_image_artifact(image_url=data_uri(image), key=slug(f"{summary.stage}-{name}"), description=name)


def publish_markdown(key: str, text: str, description: str) -> None:
    """Show Markdown on the page of the run that this is called from."""
    if _in_run():
        told = redact_urls(text)
        with _log_and_ignore_errors():
            get_run_logger().info("%s\n%s", description, told)
            create_markdown_artifact(told, key=slug(key), description=description)


@contextmanager
def progress_artifact(name: str) -> Iterator[Progress]:
    """A progress callback that shows on the terminal and, inside a run, as a progress artifact named after `name`."""
    with progress_bars() as show:
        if not _in_run():
            yield show
            return
        update = _ProgressArtifact(slug(f"{name}-progress"))

        def report(done: int, total: int, what: str) -> None:
            show(done, total, what)
            update(done, total, what)

        yield report
        update.finish()


def render_markdown(summary: StageResult) -> str:
    """A summary as Markdown: its headline and its table."""
    lines = [f"## {summary.stage}", "", summary.summary]
    if summary.table:
        names = list(summary.table[0])
        lines += ["", _row(list(names)), _row(["---"] * len(names))]
        lines += [_row([row.get(name) for name in names]) for row in summary.table]
    return "\n".join(lines) + "\n"


def data_uri(image: bytes) -> str:
    """A PNG or JPEG as a data URI of at most `MAX_BYTES` characters; larger images become smaller JPEGs."""
    quality = 90
    while (uri := _data_uri(image)) and len(uri) > MAX_BYTES:
        image = _shrink_jpeg(image, quality)
        quality = max(quality - 10, 60)
    return uri


def slug(name: str) -> str:
    """An artifact key: lower-case letters, digits and dashes."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


class _ProgressArtifact:
    """A bar in Prefect's pages, made once there is something to see and updated now and then."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._id: UUID | None = None
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, done: int, total: int, what: str) -> None:
        with self._lock:
            if time.monotonic() - self._last < UPDATE_INTERVAL:
                return
            self._last = time.monotonic()
            self._update(100 * done / max(total, 1), f"{what}: {done} of {total}")

    def finish(self) -> None:
        """Fill the bar, if there is one."""
        with self._lock:
            if self._id is not None:
                self._update(100.0, "done")

    def _update(self, percent: float, text: str) -> None:
        with _log_and_ignore_errors():
            if self._id is None:
                self._id = cast(UUID, create_progress_artifact(percent, key=self._key, description=text))
            else:
                update_progress_artifact(self._id, percent, description=text)


def _row(cells: list[Cell]) -> str:
    return "| " + " | ".join(format_cell(cell).replace("|", "\\|") for cell in cells) + " |"


def _data_uri(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _shrink_jpeg(image: bytes, quality: int) -> bytes:
    from PIL import Image

    decoded = Image.open(io.BytesIO(image)).convert("RGB")
    smaller = decoded.resize((max(1, decoded.width * 4 // 5), max(1, decoded.height * 4 // 5)))
    out = io.BytesIO()
    smaller.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _api_is_here() -> bool:
    """Whether the API is on this machine; without a URL Prefect runs one inside this process."""
    url = get_current_settings().api.url
    return url is None or is_loopback(url)


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

"""What Prefect's pages show of a stage: its summary as table and pictures, and a bar while it runs.

Artifacts are decoration. Outside a run nothing is published, and a server that hiccups never fails a stage. Pictures of
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
from tryon.console import shown, shown_progress
from tryon.download.fetch import SYNTHETIC
from tryon.errors import without_secrets
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, Summary

UPDATE_EVERY = 2.0
"""Seconds between two updates of a progress artifact."""

MOST_BYTES = 300_000
"""Longest data URI that an image artifact gets."""

WITHHELD = "\nPictures stay away: the Prefect API is on another machine, and this source may not be passed on.\n"
"""Stands on the page in the place of pictures that are not sent."""


def publish(summary: Summary, source: str) -> None:
    """Show a stage's summary on the page of the run that this is called from.

    Args:
        summary: what the stage returned.
        source: `download.source`. Pictures made from anything but the twin go to no API on another machine.
    """
    if not _in_run():
        return
    key = slug(summary.stage)
    allowed = source == SYNTHETIC or _api_is_here()
    note = "" if allowed or not summary.pictures else WITHHELD
    with _forgiven():
        get_run_logger().info(summary.headline)
        create_markdown_artifact(without_secrets(markdown(summary) + note), key=key, description=summary.headline)
        for name, picture in summary.pictures.items() if allowed else ():
            create_image_artifact(image_url=data_uri(picture), key=slug(f"{summary.stage}-{name}"), description=name)


def publish_page(key: str, text: str, description: str) -> None:
    """Show Markdown on the page of the run that this is called from."""
    if _in_run():
        told = without_secrets(text)
        with _forgiven():
            get_run_logger().info("%s\n%s", description, told)
            create_markdown_artifact(told, key=slug(key), description=description)


@contextmanager
def reported_progress(name: str) -> Iterator[Progress]:
    """A progress callback that shows on the terminal and, inside a run, as a progress artifact named after `name`."""
    with shown_progress() as show:
        if not _in_run():
            yield show
            return
        update = _ProgressArtifact(slug(f"{name}-progress"))

        def report(done: int, total: int, what: str) -> None:
            show(done, total, what)
            update(done, total, what)

        yield report
        update.finish()


def markdown(summary: Summary) -> str:
    """A summary as Markdown: its headline and its table."""
    lines = [f"## {summary.stage}", "", summary.headline]
    if summary.table:
        names = list(summary.table[0])
        lines += ["", _row(list(names)), _row(["---"] * len(names))]
        lines += [_row([row.get(name) for name in names]) for row in summary.table]
    return "\n".join(lines) + "\n"


def data_uri(picture: bytes) -> str:
    """A PNG or JPEG as a data URI of at most `MOST_BYTES` characters; larger pictures become smaller JPEGs."""
    quality = 90
    while (uri := _data_uri(picture)) and len(uri) > MOST_BYTES:
        picture = _smaller(picture, quality)
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
            if time.monotonic() - self._last < UPDATE_EVERY:
                return
            self._last = time.monotonic()
            self._tell(100 * done / max(total, 1), f"{what}: {done} of {total}")

    def finish(self) -> None:
        """Fill the bar, if there is one."""
        with self._lock:
            if self._id is not None:
                self._tell(100.0, "done")

    def _tell(self, percent: float, text: str) -> None:
        with _forgiven():
            if self._id is None:
                self._id = cast(UUID, create_progress_artifact(percent, key=self._key, description=text))
            else:
                update_progress_artifact(self._id, percent, description=text)


def _row(cells: list[Cell]) -> str:
    return "| " + " | ".join(shown(cell).replace("|", "\\|") for cell in cells) + " |"


def _data_uri(picture: bytes) -> str:
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"


def _smaller(picture: bytes, quality: int) -> bytes:
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.resize((max(1, image.width * 4 // 5), max(1, image.height * 4 // 5)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
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
def _forgiven() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        get_run_logger().warning("could not publish an artifact: %s", error)

"""A shard of an export: some people and garments to files, done in any process, and how a later run knows it is whole.

When all files of a shard lie in their places, their SHA-256 are noted in `checksums/<category>-<number>.txt`, in the
form that `sha256sum --check` reads. A shard counts only while every file has the hash that was noted. So a killed run,
a machine that went down and a file that was changed since are all mended by running the same command again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tryon.categories import Category
from tryon.export.plan import RowSelection
from tryon.export.request import ExportRequest
from tryon.export.row_files import exported_files
from tryon.export.rows import Row, read_rows
from tryon.runtime.atomic_files import attach_filename, sha256_bytes, sha256_file, translate_os_errors, write_text
from tryon.runtime.process_pool import raise_mmap_threshold

CHECKSUMS = "checksums"


def export_shard(part: Sequence[RowSelection], job: ExportRequest) -> int:
    """Write the files of a shard, unless they are there and whole.

    Args:
        part: rows of one shard of one category.
        job: layout, size, folder and workspace.

    Returns:
        The number of files written.

    Raises:
        MissingInputError: a raw file is absent or differs from the manifest.
        DiskError: the folder cannot be written.
    """
    raise_mmap_threshold()
    note = checksum_file(part[0].category, part[0].shard, job.out)
    if _is_whole(note, job.out):
        return 0
    lines = []
    with translate_export_os_errors():
        for take, row in _rows_of(part, job):
            for name, content in exported_files(take, row, job):
                _write_file(job.out / name, content)
                lines.append(f"{sha256_bytes(content)}  {name}\n")
        write_text(note, "".join(lines))
    return len(lines)


def checksum_file(category: Category, shard: int, out: Path) -> Path:
    """Where the hashes of a shard's files are noted."""
    return out / CHECKSUMS / f"{category}-{shard:05d}.txt"


def translate_export_os_errors() -> AbstractContextManager[None]:
    """Turn a full disk or a folder that may not be written into one message."""
    return translate_os_errors("run the same command again, which goes on where it stopped, or name another --out")


def _is_whole(note: Path, out: Path) -> bool:
    try:
        entries = [line.split("  ", 1) for line in note.read_text().splitlines()]
        return all(sha256_file(out / name) == sha256 for sha256, name in entries)
    except (OSError, ValueError):
        return False


def _rows_of(part: Sequence[RowSelection], job: ExportRequest) -> Iterator[tuple[RowSelection, Row]]:
    first, last = part[0].row, part[-1].row
    rows = read_rows(part[0].category, job.dense, job.workspace, first, last + 1)
    return ((take, rows[take.row - first]) for take in part)


def _write_file(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    It is not flushed to the disk, which takes longer than all else together: what a power cut takes is found by its
    hash.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with attach_filename(path):
            try:
                temporary.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(content)
            temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise

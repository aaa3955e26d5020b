"""Write shards of an export, in any process, with checksums by which a later run skips complete ones.

When all files of a shard are in place, their SHA-256 are written to `checksums/<category>-<number>.txt`, in the format
of `sha256sum --check`. A shard is complete only while every file has its recorded hash, so running the same command
again repairs the export after a killed run, a crash of the machine or a change of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from tryon.categories import Category
from tryon.export.plan import RowSelection
from tryon.export.request import ExportRequest
from tryon.export.row_files import exported_files
from tryon.export.rows import read_rows
from tryon.runtime.atomic_files import attach_filename, sha256_bytes, sha256_file, translate_os_errors, write_text
from tryon.runtime.process_pool import raise_mmap_threshold

CHECKSUMS = "checksums"


def export_shard(part: Sequence[RowSelection], request: ExportRequest) -> int:
    """Write the files of a shard of one category unless it is complete; return the number of files written.

    Raises:
        MissingInputError: a raw file is missing or has changed.
        DiskError: the folder cannot be written.
    """
    raise_mmap_threshold()
    checksums = checksum_file(part[0].category, part[0].shard, request.out)
    if _is_complete(checksums, request.out):
        return 0
    first, last = part[0].row, part[-1].row
    lines = []
    with translate_export_os_errors():
        rows = read_rows(part[0].category, request.dense, request.workspace, first, last + 1)
        for selection in part:
            for name, content in exported_files(selection, rows[selection.row - first], request):
                _write_file(request.out / name, content)
                lines.append(f"{sha256_bytes(content)}  {name}\n")
        write_text(checksums, "".join(lines))
    return len(lines)


def checksum_file(category: Category, shard: int, out: Path) -> Path:
    """Return the path of a shard's checksums."""
    return out / CHECKSUMS / f"{category}-{shard:05d}.txt"


def translate_export_os_errors() -> AbstractContextManager[None]:
    """Translate OS errors of the disk to a `DiskError`."""
    return translate_os_errors("run the same command again, which resumes the export, or choose another --out")


def _is_complete(checksums: Path, out: Path) -> bool:
    try:
        entries = [line.split("  ", 1) for line in checksums.read_text().splitlines()]
        return all(sha256_file(out / name) == sha256 for sha256, name in entries)
    except (OSError, ValueError):
        return False


def _write_file(path: Path, content: bytes) -> None:
    """Write a file atomically, without fsync.

    Flushing takes longer than all other work; files lost in a power cut are detected by their hash.
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

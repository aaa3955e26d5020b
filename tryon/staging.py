"""Finished pieces of work in a work area: one counts only with the hash that was noted after it was written."""

from __future__ import annotations

from pathlib import Path

from tryon.files import sha256_file, write_text


def note_whole(path: Path) -> None:
    """Note the SHA-256 of a finished file beside it, in `<name>.sha256`."""
    write_text(note_of(path), sha256_file(path))


def is_whole(path: Path) -> bool:
    """Whether a file is there with the content that was noted."""
    try:
        return note_of(path).read_text() == sha256_file(path)
    except (OSError, UnicodeDecodeError):
        return False


def note_of(path: Path) -> Path:
    """Where the hash of a file is noted."""
    return path.with_name(f"{path.name}.sha256")

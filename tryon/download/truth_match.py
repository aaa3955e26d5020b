"""Check that a source and the ground truth next to it are of the same synthetic data set."""

from __future__ import annotations

from collections.abc import Mapping

from tryon.download.containers import Container
from tryon.download.members import Member
from tryon.dresscode.layout import ATTRIBUTES_FILE, SYNTHETIC_MARKER, TRUTH_MARKER
from tryon.errors import SourceError

_HINT = "Replace it with the ground truth of this source, or move it away to continue without ground truth."


def check_truth_matches(members: Mapping[str, tuple[Container, Member]]) -> None:
    """Compare the marker files of source and ground truth; data sets older than the markers are accepted.

    Raises:
        SourceError: the ground truth is of another data set, or only one of the two has a marker.
    """
    source, truth = (_read_lines(members.get(name)) for name in (SYNTHETIC_MARKER, TRUTH_MARKER))
    if source == truth or (not truth and (len(source) < 2 or ATTRIBUTES_FILE not in members)):
        return
    container = members[TRUTH_MARKER if truth else ATTRIBUTES_FILE][0]
    raise SourceError(
        f"{container.name} is the ground truth of another data set",
        found=_format_difference(truth, source, TRUTH_MARKER),
        expected=_format_difference(source, truth, SYNTHETIC_MARKER),
        hint=_HINT,
    )


def _read_lines(file: tuple[Container, Member] | None) -> list[str]:
    """Read the lines of a marker, a sentence first; empty without the file."""
    if file is None:
        return []
    container, member = file
    try:
        return container.read(member).decode(errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"{member.name} in {container.name} cannot be read", found=str(error)) from error


def _format_difference(lines: list[str], others: list[str], marker: str) -> str:
    """Return the lines that the other marker lacks."""
    return ", ".join(line for line in lines[1:] if line not in others) or f"no matching lines in {marker}"

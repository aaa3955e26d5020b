"""Which twin is it? The truth beside a source has to be of the same twin, or every image in it is a wrong answer."""

from __future__ import annotations

from collections.abc import Mapping

from tryon.download.containers import Container
from tryon.download.members import Member
from tryon.dresscode.layout import ATTRIBUTES_FILE, SYNTHETIC_MARKER, TRUTH_MARKER
from tryon.errors import SourceError

_REMEDY = "Put the truth that was made with it in its place, or move this one away to go on without any truth."


def check_truth_matches(wanted: Mapping[str, tuple[Container, Member]]) -> None:
    """Compare what the source and the truth say they are of; twins made before either said so pass.

    Args:
        wanted: container and member of each target.

    Raises:
        SourceError: the truth is that of another twin, or only one of the two says which.
    """
    own, other = (_lines(wanted.get(name)) for name in (SYNTHETIC_MARKER, TRUTH_MARKER))
    if own == other or (not other and (len(own) < 2 or ATTRIBUTES_FILE not in wanted)):
        return
    container = wanted[TRUTH_MARKER if other else ATTRIBUTES_FILE][0]
    rule = f"is the truth of this source, which {_said(own, other, SYNTHETIC_MARKER)}"
    raise SourceError(container.name, expected=rule, found=_said(other, own, TRUTH_MARKER), hint=_REMEDY)


def _lines(place: tuple[Container, Member] | None) -> list[str]:
    """What a mark says, its sentence first; nothing where there is no mark."""
    if place is None:
        return []
    container, member = place
    try:
        return container.read(member).decode(errors="replace").splitlines()
    except OSError as error:
        raise SourceError(f"{container.name}, {member.name}", expected="can be read", found=str(error)) from error


def _said(lines: list[str], others: list[str], mark: str) -> str:
    """Where the two differ, in the words of one of them, its sentence left out."""
    differing = [line for line in lines[1:] if line not in others]
    return f"says {', '.join(differing)}" if differing else f"has no such lines in {mark}"

"""From pairs and checked files to the rows of the index and of the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tryon.categories import Split
from tryon.download.person_attributes import Attributes
from tryon.download.read_pairs import PairEntry
from tryon.download.validate_files import FileFacts, FileToCheck
from tryon.dresscode.layout import HEIGHT, KNOWN_BAD_LABEL_MAPS, WIDTH, relative_path
from tryon.manifest.schemas import FILE_ROLES, OPTIONAL_ROLES, STATUS_OK, STATUS_QUARANTINED

OFFICIAL_LICENCE = "dresscode-academic"
SYNTHETIC_LICENCE = "synthetic"

Row = dict[str, Any]


@dataclass(frozen=True)
class ValidationResult:
    """All that is known about the unpacked files.

    Args:
        facts: by relative path; a needed file that is not here is missing.
        attributes: of garments.
        people: how they stand.
        licence: written on every row.
        synthetic: the people are the twin's; else ids mean whom they mean in the official release.
    """

    facts: Mapping[str, FileFacts]
    attributes: Attributes
    people: Attributes
    licence: str
    synthetic: bool


def files_of(pair: PairEntry, present: set[str]) -> list[FileToCheck]:
    """Files that a pair names: all that it must have, and the optional ones that are there."""
    files = []
    for role in (*FILE_ROLES, *OPTIONAL_ROLES):
        if role == "flow" and pair.split is Split.TRAIN:
            continue  # no stage reads it
        relative = relative_path(role, pair.category, _item(role, pair)).as_posix()
        if role in FILE_ROLES or relative in present:
            files.append(FileToCheck(role, relative))
    return files


def _item(role: str, pair: PairEntry) -> str:
    """Whose file it is: the pair's own, the garment's or the person's."""
    if role.startswith(("truth", "flow")):
        return pair.pair_id
    return pair.garment_id if role == "garment" else pair.person_id


def index_rows(pairs: Sequence[PairEntry], checked: ValidationResult) -> tuple[list[Row], list[Row]]:
    """Rows of the index in the order of `pairs`, and one finding per broken rule."""
    rows: list[Row] = []
    findings: list[Row] = []
    seen: set[PairEntry] = set()
    present = set(checked.facts)
    for pair in pairs:
        files = files_of(pair, present)
        broken = _broken_rules(pair, files, checked)
        if pair in seen:
            broken.append({"problem": "is named once in its list"})
        seen.add(pair)
        rows.append(_row(pair, files, checked, [_reason(rule) for rule in broken]))
        findings += [_pair_columns(pair) | rule for rule in broken]
    return rows, findings


def _broken_rules(pair: PairEntry, files: Sequence[FileToCheck], checked: ValidationResult) -> list[Row]:
    broken = []
    for file in files:
        facts = checked.facts.get(file.relative)
        if facts is None:
            broken.append({"file": file.relative, "problem": "exists"})
        elif facts.problem is not None:
            broken.append({"file": file.relative, "problem": facts.problem, "found": facts.found})
        if file.role == "label_map" and _is_known_bad(pair, checked.synthetic):
            broken.append({"file": file.relative, "problem": "is not a known bad label map"})
    return broken


def _is_known_bad(pair: PairEntry, synthetic: bool) -> bool:
    return not synthetic and pair.person_id in KNOWN_BAD_LABEL_MAPS.get(pair.category, ())


def _reason(broken: Row) -> str:
    return f"{broken.get('file', 'the pair')} fails: {broken['rule']}"


def _row(pair: PairEntry, files: Sequence[FileToCheck], checked: ValidationResult, reasons: list[str]) -> Row:
    row = _pair_columns(pair) | {"person_id": pair.person_id, "garment_id": pair.garment_id}
    for file in files:
        facts = checked.facts.get(file.relative)
        row[file.role] = file.relative
        row[f"{file.role}_bytes"] = facts and facts.bytes
        row[f"{file.role}_sha256"] = facts and facts.sha256
    return row | _known_attributes(pair, checked) | {
        "height": HEIGHT,
        "width": WIDTH,
        "licence": checked.licence,
        "status": STATUS_QUARANTINED if reasons else STATUS_OK,
        "reason": "; ".join(reasons) or None,
    }  # fmt: skip


def _known_attributes(pair: PairEntry, checked: ValidationResult) -> Row:
    """`worn` is what the person has on now, the garment with the person's id; the rest is the new garment's."""
    now = checked.attributes.get((pair.category, pair.person_id), {})
    new = checked.attributes.get((pair.category, pair.garment_id), {})
    person = checked.people.get((pair.category, pair.person_id), {})
    known = {name: new.get(name) for name in ("sleeve", "neckline", "pattern")}
    return {"worn": now.get("worn"), **known, "arm_pose": person.get("arm_pose")}


def _pair_columns(pair: PairEntry) -> Row:
    return {"category": str(pair.category), "split": str(pair.split), "pair_id": pair.pair_id}

"""Build the rows of the index and of the findings from pairs and validated files."""

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
    """Facts by relative path of existing files, attributes of garments and people, and the licence of all rows."""

    facts: Mapping[str, FileFacts]
    attributes: Attributes
    people: Attributes
    licence: str
    synthetic: bool


def files_of(pair: PairEntry, present: set[str]) -> list[FileToCheck]:
    """List the files of a pair: all required ones, and the optional ones that exist."""
    files = []
    for role in (*FILE_ROLES, *OPTIONAL_ROLES):
        if role == "flow" and pair.split is Split.TRAIN:
            continue  # not read by any stage
        by_pair, by_garment = role.startswith(("truth", "flow")), role == "garment"
        item = pair.pair_id if by_pair else pair.garment_id if by_garment else pair.person_id
        relative = relative_path(role, pair.category, item).as_posix()
        if role in FILE_ROLES or relative in present:
            files.append(FileToCheck(role, relative))
    return files


def index_rows(pairs: Sequence[PairEntry], validated: ValidationResult) -> tuple[list[Row], list[Row]]:
    """Build the rows of the index in the order of `pairs`, and one finding per problem."""
    rows: list[Row] = []
    findings: list[Row] = []
    seen: set[PairEntry] = set()
    present = set(validated.facts)
    for pair in pairs:
        files = files_of(pair, present)
        problems = _find_problems(pair, files, validated)
        if pair in seen:
            problems.append({"problem": "pair is listed twice"})
        seen.add(pair)
        rows.append(_index_row(pair, files, validated, problems))
        findings += [_pair_columns(pair) | problem for problem in problems]
    return rows, findings


def _find_problems(pair: PairEntry, files: Sequence[FileToCheck], validated: ValidationResult) -> list[Row]:
    problems = []
    for file in files:
        facts = validated.facts.get(file.relative)
        if facts is None:
            problems.append({"file": file.relative, "problem": "file not found"})
        elif facts.problem is not None:
            problems.append({"file": file.relative, "problem": facts.problem, "found": facts.found})
        known_bad = not validated.synthetic and pair.person_id in KNOWN_BAD_LABEL_MAPS.get(pair.category, ())
        if file.role == "label_map" and known_bad:
            problems.append({"file": file.relative, "problem": "label map is wrong in the official release"})
    return problems


def _index_row(
    pair: PairEntry, files: Sequence[FileToCheck], validated: ValidationResult, problems: Sequence[Row]
) -> Row:
    row = _pair_columns(pair) | {"person_id": pair.person_id, "garment_id": pair.garment_id}
    for file in files:
        facts = validated.facts.get(file.relative)
        row[file.role] = file.relative
        row[f"{file.role}_bytes"] = facts and facts.bytes
        row[f"{file.role}_sha256"] = facts and facts.sha256
    reasons = [f"{item['file']}: {item['problem']}" if "file" in item else item["problem"] for item in problems]
    return row | _attribute_columns(pair, validated) | {
        "height": HEIGHT,
        "width": WIDTH,
        "licence": validated.licence,
        "status": STATUS_QUARANTINED if reasons else STATUS_OK,
        "reason": "; ".join(reasons) or None,
    }  # fmt: skip


def _attribute_columns(pair: PairEntry, validated: ValidationResult) -> Row:
    """`worn` is of the garment in the person image, which has the person's id; the rest is of the new garment."""
    current = validated.attributes.get((pair.category, pair.person_id), {})
    new = validated.attributes.get((pair.category, pair.garment_id), {})
    person = validated.people.get((pair.category, pair.person_id), {})
    columns = {name: new.get(name) for name in ("sleeve", "neckline", "pattern")}
    return {"worn": current.get("worn"), **columns, "arm_pose": person.get("arm_pose")}


def _pair_columns(pair: PairEntry) -> Row:
    return {"category": str(pair.category), "split": str(pair.split), "pair_id": pair.pair_id}

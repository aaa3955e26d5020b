"""Run the download stage: unpack a source to `data/raw`, validate every pair, and write the index and the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from tryon.categories import Category, Split
from tryon.config.download import DownloadSettings
from tryon.download.fetch import SYNTHETIC_SOURCE, fetch
from tryon.download.fingerprint import check_fingerprint
from tryon.download.index_rows import OFFICIAL_LICENCE, SYNTHETIC_LICENCE, Row, ValidationResult, files_of, index_rows
from tryon.download.person_attributes import read_garment_attributes, read_person_attributes
from tryon.download.read_pairs import PairEntry, PairListConflict, read_pair_lists
from tryon.download.sync_raw import sync_raw
from tryon.download.validate_files import FileFacts, check_files
from tryon.download.verified_cache import read_verified_hashes, write_verified_hashes
from tryon.dresscode.layout import SYNTHETIC_MARKER
from tryon.errors import SourceError, format_list
from tryon.manifest import FINDINGS, INDEX, table_from_rows, write_table
from tryon.manifest.schemas import STATUS_OK, STATUS_QUARANTINED
from tryon.runtime.process_pool import map_chunks, split_chunks
from tryon.runtime.progress import Progress
from tryon.runtime.stage_result import Cell, StageResult
from tryon.workspace import Workspace

SHARD = 200
"""Files per unit of work, about two seconds."""


def download(settings: DownloadSettings, seed: int, workspace: Workspace, progress: Progress) -> StageResult:
    """Fetch, unpack and validate the data set.

    Raises:
        MissingInputError: `data/source.json` does not describe the current source.
        SourceError: the source is missing, damaged or unsafe, or has too many invalid pairs. The index stays as it was.
    """
    check_fingerprint(workspace, settings, progress)
    containers = fetch(settings, seed, workspace, progress)
    present = sync_raw(containers, workspace.raw, settings.include_densepose_uv, progress)
    pairs, conflicts = read_pair_lists(workspace.raw, settings.source)
    attributes, people = read_garment_attributes(workspace.raw), read_person_attributes(workspace.raw)
    synthetic = settings.source == SYNTHETIC_SOURCE or (workspace.raw / SYNTHETIC_MARKER).exists()
    facts = _validate_all(pairs, present, workspace, progress)
    licence = resolve_licence(settings, synthetic)
    rows, findings = index_rows(pairs, ValidationResult(facts, attributes, people, licence, synthetic))
    findings = [_conflict_finding(conflict) for conflict in conflicts] + findings
    _enforce_invalid_limit(rows, findings, settings, workspace)
    check_fingerprint(workspace, settings, progress)  # fails if the source has changed during the run
    for category in Category:
        category_rows = (row for row in rows if row["category"] == category)
        write_table(workspace.index(category), table_from_rows(category_rows, INDEX), INDEX)
    write_table(workspace.findings, table_from_rows(findings, FINDINGS), FINDINGS)
    return _summary(rows, findings, facts, synthetic)


def resolve_licence(settings: DownloadSettings, synthetic: bool) -> str:
    """Return the licence from the settings, or that of the synthetic data set or the official release."""
    return settings.licence or (SYNTHETIC_LICENCE if synthetic else OFFICIAL_LICENCE)


def _validate_all(
    pairs: Sequence[PairEntry], present: set[str], workspace: Workspace, progress: Progress
) -> dict[str, FileFacts]:
    """Validate every existing file of the pairs once, reusing the cache of verified files."""
    verified = read_verified_hashes(workspace)
    named = {file.relative: file for pair in pairs for file in files_of(pair, present)}
    files = [file._replace(verified_sha256=verified.get(name)) for name, file in named.items() if name in present]
    results = map_chunks(partial(check_files, workspace.raw), split_chunks(files, SHARD), progress, "check")
    all_facts = [fact for result in results for fact in result]
    facts = {file.relative: fact for file, fact in zip(files, all_facts, strict=True)}
    write_verified_hashes(facts, workspace)
    return facts


def _enforce_invalid_limit(
    rows: Sequence[Row], findings: Sequence[Row], settings: DownloadSettings, workspace: Workspace
) -> None:
    """Fail if too many pairs are invalid; the findings are then written to the work directory only."""
    rejected = workspace.work_dir("download") / "findings.parquet"
    rejected.unlink(missing_ok=True)
    invalid = [f"{row['category']} {row['pair_id']} ({row['reason']})" for row in rows if row["status"] != STATUS_OK]
    if len(invalid) > settings.max_invalid_fraction * len(rows):
        write_table(rejected, table_from_rows(findings, FINDINGS), FINDINGS)
        raise SourceError(
            f"{settings.source} has too many invalid pairs",
            found=f"{len(invalid)} of {len(rows)}: {format_list(invalid)}",
            expected=f"at most {settings.max_invalid_fraction:.1%} (download.max_invalid_fraction)",
            hint=f"Correct the files or raise the limit; see {rejected} for all findings.",
        )


def _conflict_finding(conflict: PairListConflict) -> Row:
    return {
        "category": str(conflict.category),
        "split": str(conflict.split),
        "file": conflict.file,
        "problem": "pairs differ from the list in the category's folder",
        "found": conflict.difference,
    }


def _summary(
    rows: Sequence[Row], findings: Sequence[Row], facts: Mapping[str, FileFacts], synthetic: bool
) -> StageResult:
    counts = Counter((row["category"], row["split"] if row["status"] == STATUS_OK else row["status"]) for row in rows)
    table: list[dict[str, Cell]] = [
        {
            "category": str(category),
            **{str(column): counts[category, column] for column in (*Split, STATUS_QUARANTINED)},
        }
        for category in Category
    ]
    quarantined = sum(counts[category, STATUS_QUARANTINED] for category in Category)
    summary = f"{len(rows)} pairs, {quarantined} of them quarantined; {len(findings)} findings."
    if cached := sum(fact.cached for fact in facts.values()):
        summary += f" {len(facts) - cached} of {len(facts)} files are new or changed."
    if synthetic and not any(row.get("truth") for row in rows):
        summary += " The synthetic data set has no ground truth."
    return StageResult("download", summary, tuple(table))

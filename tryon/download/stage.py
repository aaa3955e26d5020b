"""The download stage: a source in, `data/raw` unpacked, every pair checked, the index and the findings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from tryon.categories import Category, Split
from tryon.config.download import DownloadSettings
from tryon.download.fetch import SYNTHETIC, fetch
from tryon.download.fingerprint import check_fingerprint
from tryon.download.index_rows import OFFICIAL_LICENCE, SYNTHETIC_LICENCE, Row, ValidationResult, files_of, index_rows
from tryon.download.person_attributes import read_garment_attributes, read_person_attributes
from tryon.download.read_pairs import AGREEMENT_RULE, PairEntry, PairListConflict, read_pair_lists
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
    """Fetch, unpack and check the data set.

    Args:
        settings: the section `download` of `params.yaml`.
        seed: seed of the synthetic source.
        workspace: where `data/` lies.
        progress: told files unpacked and checked.

    Returns:
        Counts per category.

    Raises:
        MissingInputError: `data/source.json` does not describe the source.
        SourceError: the source is missing, damaged, unsafe or too often wrong. The index then stays as it was.
    """
    check_fingerprint(workspace, settings, progress)
    containers = fetch(settings, seed, workspace, progress)
    present = sync_raw(containers, workspace.raw, settings.include_densepose_uv, progress)
    pairs, disagreements = read_pair_lists(workspace.raw, settings.source)
    attributes, people = read_garment_attributes(workspace.raw), read_person_attributes(workspace.raw)
    synthetic = settings.source == SYNTHETIC or (workspace.raw / SYNTHETIC_MARKER).exists()
    facts = _validate_all(pairs, present, workspace, progress)
    rows, findings = index_rows(
        pairs, ValidationResult(facts, attributes, people, resolve_licence(settings, synthetic), synthetic)
    )
    findings = [_list_finding(disagreement) for disagreement in disagreements] + findings
    _enforce_invalid_limit(rows, findings, settings, workspace)
    check_fingerprint(workspace, settings, progress)  # a source still being written is not recorded as this state
    _write(rows, findings, workspace)
    return _summary(rows, findings, facts, synthetic)


def resolve_licence(settings: DownloadSettings, synthetic: bool) -> str:
    """Licence class of every row: the one set, or the twin's, or else the strictest, that of the official release."""
    return settings.licence or (SYNTHETIC_LICENCE if synthetic else OFFICIAL_LICENCE)


def _validate_all(
    pairs: Sequence[PairEntry], present: set[str], workspace: Workspace, progress: Progress
) -> dict[str, FileFacts]:
    """Facts of every file that a pair names and that is there, each file once; what has passed before is known."""
    passed = read_verified_hashes(workspace)
    named = {file.relative: file for pair in pairs for file in files_of(pair, present)}
    files = [file._replace(passed=passed.get(name)) for name, file in named.items() if name in present]
    results = map_chunks(partial(check_files, workspace.raw), split_chunks(files, SHARD), progress, "check")
    found = [fact for result in results for fact in result]
    facts = {file.relative: fact for file, fact in zip(files, found, strict=True)}
    write_verified_hashes(facts, workspace)
    return facts


def _enforce_invalid_limit(
    rows: Sequence[Row], findings: Sequence[Row], settings: DownloadSettings, workspace: Workspace
) -> None:
    """Stop when too many pairs are bad; what was found then lies in the work area, beside no index."""
    rejected = workspace.work_dir("download") / "findings.parquet"
    rejected.unlink(missing_ok=True)
    bad = [f"{row['category']} {row['pair_id']} ({row['reason']})" for row in rows if row["status"] != STATUS_OK]
    if len(bad) > settings.max_invalid_fraction * len(rows):
        write_table(rejected, table_from_rows(findings, FINDINGS), FINDINGS)
        raise SourceError(
            settings.source,
            expected=f"has at most {settings.max_invalid_fraction:.1%} bad pairs (download.max_invalid_fraction)",
            found=f"{len(bad)} of {len(rows)}",
            hint=f"Mend these or raise the limit; all findings are in {rejected}. Bad are {format_list(bad)}",
        )


def _list_finding(disagreement: PairListConflict) -> Row:
    return {
        "category": str(disagreement.category),
        "split": str(disagreement.split),
        "file": disagreement.file,
        "problem": AGREEMENT_RULE,
        "found": disagreement.value,
    }


def _write(rows: Sequence[Row], findings: Sequence[Row], workspace: Workspace) -> None:
    tables = {
        workspace.index(category): (table_from_rows((row for row in rows if row["category"] == category), INDEX), INDEX)
        for category in Category
    }
    tables[workspace.findings] = table_from_rows(findings, FINDINGS), FINDINGS
    for path, (table, schema) in tables.items():
        write_table(path, table, schema)


def _summary(
    rows: Sequence[Row], findings: Sequence[Row], facts: Mapping[str, FileFacts], synthetic: bool
) -> StageResult:
    counts = Counter((row["category"], row["split"] if row["status"] == STATUS_OK else row["status"]) for row in rows)
    table: list[dict[str, Cell]] = [
        {"category": str(category), **{str(kind): counts[category, kind] for kind in (*Split, STATUS_QUARANTINED)}}
        for category in Category
    ]
    bad = sum(counts[category, STATUS_QUARANTINED] for category in Category)
    headline = f"{len(rows)} pairs, {bad} of them quarantined; {len(findings)} findings."
    if known := sum(fact.cached for fact in facts.values()):
        headline += f" {len(facts) - known} of {len(facts)} files are new or changed."
    if synthetic and not any(row.get("truth") for row in rows):
        headline += " The twin came without its truth."
    return StageResult("download", headline, tuple(table))

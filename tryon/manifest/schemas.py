"""Schemas of the tables that stages exchange.

A change of columns or of their meaning raises the version; a table of another version is not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

FILE_ROLES = ("person", "garment", "label_map", "dense_pose", "keypoints")
"""Files that every pair must have; their columns are `<role>`, `<role>_bytes`, `<role>_sha256`."""

OPTIONAL_ROLES = ("skeleton", "uv", "truth", "truth_label_map", "flow")
"""Files that a pair may have: skeleton images, which no stage reads, UV maps (59 GB of the real data set), and, of the
synthetic data set, the ground truth of unpaired images and the flow from garment to body of test pairs."""

LEAK_THRESHOLD = 0.01
"""A row is leaking if more than this fraction of its garment stays visible."""

METHOD_COMPARISON_KEY = "comparison"
"""Metadata key of a manifest: JSON list with the mask quality of each method on the same sample of people."""

STATUS_OK = "ok"
STATUS_QUARANTINED = "quarantined"


@dataclass(frozen=True)
class TableSchema:
    """Kind, version and columns of a table.

    Args:
        kind: stored in the file's metadata.
        version: raised when columns or their meaning change.
        columns: the pyarrow schema.
        made_by: command that writes such a file.
    """

    kind: str
    version: int
    columns: pa.Schema
    made_by: str = ""


def _text(*names: str) -> list[pa.Field]:
    return [pa.field(name, pa.string()) for name in names]


_PAIR = [pa.field(n, pa.string(), nullable=False) for n in ("pair_id", "category", "split", "person_id", "garment_id")]

_SLICES = [*_text("worn", "sleeve", "arm_pose"), pa.field("missing_joints", pa.int8()), *_text("neckline", "pattern")]
SLICE_COLUMNS = tuple(field.name for field in _SLICES)
"""Attributes that the report can slice by, from the source or else classified from label map and key points. No mask
depends on them. Null where unknown; `neckline` and `pattern` exist in the synthetic data set only."""

_METRIC_NAMES = ("mask_fraction", "leak_fraction", "protected_fraction", "outline_similarity")
_MASK_METRICS = [pa.field(name, pa.float32()) for name in _METRIC_NAMES]
_SIZE = [pa.field("height", pa.int32()), pa.field("width", pa.int32())]


def _file_columns(role: str) -> list[pa.Field]:
    return [*_text(role), pa.field(f"{role}_bytes", pa.int64()), *_text(f"{role}_sha256")]


INDEX = TableSchema(
    "index",
    4,
    pa.schema(
        [
            *_PAIR,
            *(column for role in (*FILE_ROLES, *OPTIONAL_ROLES) for column in _file_columns(role)),
            *_SIZE,
            *_text("worn", "sleeve", "neckline", "pattern", "arm_pose", "licence", "status", "reason"),
        ]
    ),
    "tryon download",
)
"""One row per line of the pair lists: paths relative to `data/raw`, sizes in bytes, SHA-256 of every file, and the
attributes that the source has."""

FINDINGS = TableSchema(
    "findings", 2, pa.schema(_text("category", "split", "pair_id", "file", "problem", "found")), "tryon download"
)
"""One row per problem that `download` detected."""

MANIFEST = TableSchema(
    "manifest",
    3,
    pa.schema(
        [
            *_PAIR,
            *_text("person", "garment", "person_sha256", "garment_sha256"),
            pa.field("mask_png", pa.binary()),
            *_SIZE,
            *_MASK_METRICS,
            *_SLICES,
            *_text("licence", "config_hash", "status", "reason"),
        ]
    ),
    "tryon agnostic",
)
"""One row per index row: the mask (1-bit PNG, 1 = masked, height x width) and its audit."""

MASK_PREVIEWS = TableSchema(
    "mask_previews",
    2,
    pa.schema(
        [
            *_text("why", "person_id", "worn"),
            *_MASK_METRICS,
            pa.field("image", pa.binary()),
        ]
    ),
    "tryon agnostic",
)
"""People of a manifest to inspect: `why` is worst or typical, `image` a WebP strip of photo, label map, DensePose, mask
and agnostic image, which can be shown without the raw files."""

PACKED = TableSchema(
    "packed",
    4,
    pa.schema(
        [
            *_PAIR,
            *(
                pa.field(name, pa.large_binary(), nullable=False)
                for name in ("person", "garment", "mask", "garment_mask")
            ),
            pa.field("background", pa.large_binary()),
            pa.field("keypoints", pa.list_(pa.float32(), 54), nullable=False),
            pa.field("truth", pa.large_binary()),
            pa.field("truth_garment_mask", pa.large_binary()),
            pa.field("oracle_warp", pa.large_binary()),
            pa.field("height", pa.int32(), nullable=False),
            pa.field("width", pa.int32(), nullable=False),
            *_text("licence"),
            *_SLICES,
        ]
    ),
    "tryon sample",
)
"""One self-contained pair at training size. Images are encoded (format in the metadata key `images`); masks, and the
`background` of training rows, are `np.packbits` of the row-major boolean map; key points are 18 x (x, y, score) in
pixels of height x width. `oracle_warp` is the ground truth with the garment warped along the true flow, on test rows
with flow (see `tryon.sample.oracle_warp`)."""

"""List published scores on Dress Code with their source and protocol.

Not a leaderboard: the same LaDI-VTON checkpoint has a paired SSIM of .9025, .7656 and .756 in three papers, and the
rank of two methods differs between tables. A score is comparable with others of its table, and with this project's only
under a protocol that `tryon score` implements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tryon.categories import ALL, Category

PAIRS_PER_CATEGORY, TOTAL_PAIRS = 1800, 5400
"""Pairs of the official test list of one category, and of all three."""


@dataclass(frozen=True)
class Table:
    """A published table.

    Args:
        source: the paper.
        table: its number in the paper.
        protocol: as far as known; the name in `tryon score` where it is the same.
        size: height x width of the images; None if unknown.
        provenance: `printed` in the paper or by its authors, or `second hand`, quoted by another paper.
        kid_scale: factor applied to KID; None if not stated.
        note: a caveat.
    """

    source: str
    table: str
    protocol: str
    size: str | None
    provenance: Literal["printed", "second hand"] = "printed"
    kid_scale: int | None = 1000
    note: str = ""


@dataclass(frozen=True)
class PublishedScore:
    """Scores of one method in one category; None if not given.

    Args:
        table: the source.
        method: name in the table.
        category: of Dress Code, or `all`.
        n: number of pairs, by the official lists.
        ssim, lpips, fid, kid: paired.
        fid_unpaired, kid_unpaired: unpaired.
    """

    table: Table
    method: str
    category: str
    n: int
    ssim: float | None
    lpips: float | None
    fid: float | None
    kid: float | None
    fid_unpaired: float | None
    kid_unpaired: float | None


DRESS_CODE = Table(
    "Dress Code (Morelli et al. 2022), README of its repository",
    "256x192",
    "own, 256x192; SSIM paired, FID and KID unpaired",
    "256x192",
    kid_scale=100,
    note="the KID scale is inferred from its size",
)
LEFFA_5 = Table(
    "Leffa (2024)", "Table 5", "mixed: many rows are copied from earlier papers, its own is as catvton", None
)
FIA_2 = Table("FIA-VTON", "Table 2", "own, per category", None)
CAT_DM = Table("CAT-DM", "per category", "own; its own results have the background blended back", "512x384")
JCO_2 = Table("JCo-MVTON", "Table 2", "own, per category", "1024x768")
CATVTON_1 = Table("CatVTON (2024)", "Table 1", "catvton", "512x384")
LEFFA_2 = Table(
    "Leffa (2024)", "Table 2", "catvton", None, note="trained up to 1024x768; its other rows are CatVTON's Table 1"
)
FITDIT_1 = Table("FitDiT", "Table 1", "own", None, provenance="second hand", note="resolution not confirmed")
PROMO = Table("PROMO (2026)", "main table", "own", "1024x768", provenance="second hand")

_BY_CATEGORY: dict[Table, str] = {
    LEFFA_5: """
        FS-VTON | .941 .035 11.29 16.34 5.93 | .934 .053 11.65 22.43 9.81 | .888 .070 13.04 20.95 8.96
        HR-VITON | .916 .071 15.36 16.82 5.70 | .937 .045 11.41 16.39 4.31 | .865 .113 16.82 18.81 5.41
        GP-VTON | .945 .039 7.38 12.21 1.19 | .938 .042 7.73 16.70 2.89 | .881 .073 7.44 12.64 1.83
        LaDI-VTON | .928 .049 9.53 13.26 2.67 | .922 .051 8.52 14.80 3.13 | .868 .089 9.07 13.40 2.50
        DCI-VTON | .942 .041 7.47 11.64 .86 | .939 .045 7.97 15.45 1.60 | .887 .070 8.48 12.35 1.36
        Leffa | .949 .021 5.05 10.73 .77 | .941 .024 4.79 12.25 1.66 | .891 .044 6.19 10.64 .59
    """,
    FIA_2: """
        StableVITON | .937 .039 - 9.94 - | - .035 - 12.34 - | - .068 - 12.25 -
        D4-VTON | .942 .041 6.55 11.00 - | .946 .033 6.67 14.86 - | .890 .061 8.28 12.29 -
        GarDiff | .952 .030 8.69 11.32 - | .939 .035 8.01 12.29 - | .891 .065 8.77 12.05 -
        FIA-VTON | .952 .027 6.22 10.76 - | .952 .027 6.02 10.58 - | .901 .049 6.85 10.45 -
    """,
    CAT_DM: """
        GC-DM | .927 .051 9.85 12.62 1.89 | .902 .062 10.25 14.83 2.82 | .863 .109 10.71 14.30 3.36
        LaDI-VTON, run again | .915 .065 14.91 17.40 5.92 | .910 .060 13.76 17.90 5.45 | .854 .108 13.00 16.13 4.76
        Paint-by-Example | .872 .121 18.79 20.32 7.01 | .804 .211 22.44 24.95 7.36 | .761 .252 30.04 31.25 19.09
        MGD | .912 .062 15.03 17.30 5.11 | .893 .069 13.67 16.76 4.04 | .844 .120 12.14 15.11 3.36
    """,
    JCO_2: """
        LaDI-VTON | .904 .109 18.14 16.43 4.83 | .886 .131 14.98 13.95 2.56 | .842 .175 24.00 16.86 5.01
        OOTDiffusion | .900 .086 16.20 13.20 1.86 | .871 .117 15.56 21.50 8.25 | .844 .149 25.75 20.95 8.15
        IDM-VTON | .913 .076 16.25 13.60 2.95 | .887 .110 18.20 15.97 5.39 | .863 .138 25.96 12.82 9.74
        JCo-MVTON | .912 .070 10.92 11.53 2.57 | .891 .072 11.08 13.72 3.83 | .903 .073 11.82 12.54 3.58
    """,
}
"""Method | upper | lower | dresses; each: paired SSIM, LPIPS, FID; unpaired FID, KID. "-": not given."""

_ALL: dict[Table, str] = {
    DRESS_CODE: """
        CP-VTON | .803 - - - 35.16 2.245
        CP-VTON+ | .902 - - - 25.19 1.586
        CP-VTON* | .874 - - - 18.99 1.117
        PF-AFN | .902 - - - 14.38 .743
        VITON-GT | .899 - - - 13.80 .711
        WUTON | .902 - - - 13.28 .771
        ACGPN | .868 - - - 13.79 .818
        PSAD | .906 - - - 11.40 .570
    """,
    CATVTON_1: """
        GP-VTON | .7711 .1801 9.927 4.610 12.791 6.627
        LaDI-VTON | .7656 .2366 9.555 4.683 10.676 5.787
        IDM-VTON | .8797 .0563 6.821 2.924 9.546 4.320
        OOTDiffusion | .8854 .0533 4.610 .955 12.567 6.627
        CatVTON | .8922 .0455 3.992 .818 6.137 1.403
        CatVTON, mask-free | .9016 .0452 4.779 1.297 7.400 2.619
    """,
    FITDIT_1: """
        LaDI-VTON | .9025 .0719 4.864 1.558 6.842 2.335
        IDM-VTON | .9228 .0478 3.800 1.201 5.616 1.554
        OOTDiffusion | .8975 .0725 3.950 .720 6.702 1.863
        CatVTON | .9011 .0705 3.276 .670 5.422 1.549
        FitDiT | .9259 .0431 2.638 .499 4.732 .901
    """,
    LEFFA_2: """
        Leffa | .924 .031 2.06 .07 4.48 .62
    """,
    PROMO: """
        LaDI-VTON | .756 .380 5.47 1.93 - -
        OOTDiffusion | .888 .080 3.66 .86 - -
        CatVTON | .894 .160 6.54 3.96 - -
        Any2AnyTryon | .911 .121 3.08 1.06 - -
        PROMO | .891 .089 3.31 .49 4.74 .50
    """,
}
"""Method | paired SSIM, LPIPS, FID, KID; unpaired FID, KID."""


def _parse_tables() -> Iterator[PublishedScore]:
    for table, text in _BY_CATEGORY.items():
        for method, *blocks in _lines(text):
            for category, block in zip(Category, blocks, strict=True):
                ssim, lpips, fid, fid_unpaired, kid_unpaired = _values(block)
                yield PublishedScore(
                    table, method, str(category), PAIRS_PER_CATEGORY, ssim, lpips, fid, None, fid_unpaired, kid_unpaired
                )
    for table, text in _ALL.items():
        for method, block in _lines(text):
            ssim, lpips, fid, kid, fid_unpaired, kid_unpaired = _values(block)
            yield PublishedScore(table, method, ALL, TOTAL_PAIRS, ssim, lpips, fid, kid, fid_unpaired, kid_unpaired)


def _lines(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]


def _values(block: str) -> list[float | None]:
    return [None if word == "-" else float(word) for word in block.split()]


PUBLISHED: tuple[PublishedScore, ...] = tuple(_parse_tables())
"""All published scores, table by table."""

"""Keep the memory of freed pictures in the process: on Linux this is worth more than all arithmetic in a mask."""

from __future__ import annotations

from functools import cache

import numpy as np

_BLOCK = 30 * 2**20


@cache
def keep_freed_memory() -> None:
    """Make the C library keep what is freed for the next array, up to twice 30 MB; once in a process.

    glibc gives the memory of arrays of some 100 kB back to the system as soon as they are freed, and fetching it again,
    page by page, was measured to take five times as long as what a mask does with it, a tenth of drawing a picture and
    half of decoding one. Its thresholds follow the largest block that it ever took from the system and gave back
    (mallopt(3), M_MMAP_THRESHOLD; 32 MB at most), so one block that is freed untouched raises them. Other C libraries
    do not care.
    """
    np.empty(_BLOCK, np.uint8)

"""Protocol of DAFlow (Bai et al. 2022), transferred from VITON to Dress Code.

Results are 256x192 and saved by torchvision as .jpg, that is with quality 75. SSIM is pytorch-ssim's on the saved
images, FID is torch-fidelity's. VITON photos are 256x192; Dress Code photos are resized as the sample stage does, and
not saved.
"""

from __future__ import annotations

from tryon.metrics import METRICS
from tryon.scoring.protocols import zero_padded
from tryon.scoring.protocols.preprocessing import as_jpeg
from tryon.scoring.protocols.protocol import ImageArray, PreprocessedImage, Protocol, ProtocolMetric, identity


def _result(image: ImageArray, format: str) -> PreprocessedImage:
    return identity(image if format.startswith("JPEG") else as_jpeg(image))


PROTOCOL = Protocol(
    name="daflow",
    origin="DAFlow",
    size=(256, 192),
    reference="packed",
    sizes="size",
    format="JPEG 75",
    result=_result,
    true_image=identity,
    metrics=(ProtocolMetric("ssim", zero_padded.METRIC), ProtocolMetric("fid", METRICS["fid"])),
    handling={
        "results": "saved as JPEG of quality 75 by Pillow, unless they are JPEG",
        "reference": "the photo at 256x192 by area averaging, not saved again",
    },
)

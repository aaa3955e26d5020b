"""The layout of VITON-HD, one root per category: `<out>/<category>` is what a loader is given as its data folder.

    <category>/{train,test}/image/<id>_00.jpg             the person's photo
    <category>/{train,test}/cloth/<id>_00.jpg             the garment's: the one that person <id> wears
    <category>/{train,test}/agnostic-v3.2/<id>_00.jpg     the photo, hidden pixels gray (128, 128, 128)
    <category>/{train,test}/agnostic-mask/<id>_00_mask.png   8-bit gray PNG, white (255) = hidden
    <category>/{train,test}/image-densepose/<id>_00.jpg   DensePose parts in colors on black
    <category>/train_pairs.txt, test_pairs.txt, test_pairs_unpaired.txt, test_pairs_paired.txt    "ID_00.jpg ID_00.jpg"

Who reads which of these:

- StableVITON (rlawjdghek/StableVITON, `dataset.py`): all five folders, `{train,test}_pairs.txt`. White in the mask is
  hidden; the loader inverts it itself. It resizes all. That is so up to its release of the training code; since then it
  also reads `cloth-mask` and, to train, `gt_cloth_warped_mask`, which are not here.
- CatVTON (`--dataset_name vitonhd`): `test/` image, cloth, agnostic-mask, and `test_pairs_unpaired.txt`, split at ONE
  space. It resizes all.
- IDM-VTON (yisol/IDM-VTON, `inference.py`): image, cloth, agnostic-mask, image-densepose, `test_pairs.txt`; besides, a
  file of captions `vitonhd_test_tagged.json` that we do not have. Cloth and DensePose are not resized: export at the
  size that it is run at (`--size 1024x768` for its default).
- VITON-HD, HR-VITON and LaDI-VTON hide the garment by recipes of their own, from `image-parse-v3` (20 labels of LIP, a
  neck among them) and `openpose_json` (BODY_25). Dress Code has ATR labels and 18 joints, from which these cannot be
  had, nor can `cloth-mask`: these three codebases cannot run on this export.

In the paired split all of them take the cloth with the person's own name, so a person and the garment that they wear
must have one id, as in Dress Code.

Images are JPEG of quality 95, all of the manifest's size unless one is given. DensePose ids are drawn as detectron2's
`dp_segm` draws them (OpenCV's PARULA colors at id * 255 / 24) without the photo below, which is how the data set's
files were made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tryon.categories import Split
from tryon.dresscode.readers import Size, decode_dense_pose, decode_photo
from tryon.export.layouts.layout import Files, Garment, Layout, Person
from tryon.export.render_images import draw_dense_pose, encode_jpeg, encode_mask, gray_out, resize_mask

GRAY = 128


class VitonHD(Layout):
    """One folder in the form of VITON-HD per category."""

    extra_roles: ClassVar[tuple[str, ...]] = ("garment", "dense_pose")
    lists: ClassVar[Mapping[Split, tuple[str, ...]]] = {
        Split.TRAIN: ("train_pairs.txt",),
        Split.TEST_PAIRED: ("test_pairs_paired.txt",),
        Split.TEST_UNPAIRED: ("test_pairs.txt", "test_pairs_unpaired.txt"),
    }
    one_id_for_own_garment: ClassVar[bool] = True
    note: ClassVar[str] = """\
Each category is a data set of its own: give a loader <this folder>/<category>.
<category>/{train,test}/image/<id>_00.jpg               people
<category>/{train,test}/cloth/<id>_00.jpg               garments; person <id> wears garment <id>
<category>/{train,test}/agnostic-v3.2/<id>_00.jpg       people, hidden pixels gray (128, 128, 128)
<category>/{train,test}/agnostic-mask/<id>_00_mask.png  8-bit gray, 255 = hidden, 0 = kept
<category>/{train,test}/image-densepose/<id>_00.jpg     DensePose parts in detectron2's dp_segm colors on black
<category>/train_pairs.txt, test_pairs.txt              person, one space, garment; test_pairs.txt is the unpaired list,
                                                        and test_pairs_unpaired.txt the same for CatVTON

Read by CatVTON (--dataset_name vitonhd), by IDM-VTON (which also wants its captions, vitonhd_test_tagged.json, and
files of just the size that it runs at: --size 1024x768 by its default) and by StableVITON up to its release of the
training code (since then it also wants cloth-mask and, to train, gt_cloth_warped_mask).
To run them paired, the split test_paired must be here too: it brings the garments that people wear.
Not here, because they cannot be had from Dress Code's files: image-parse-v3 and image-parse-agnostic-v3.2 (LIP labels),
openpose_json and openpose_img (25 joints), cloth-mask, captions. VITON-HD, HR-VITON and LaDI-VTON need them.
Nor is gt_cloth_warped_mask.
Codebases of this layout were made for tops; whether one copes with lower_body and dresses is up to it.
"""

    def place(self, split: Split) -> str:
        """The folder `train` or `test`."""
        return "train" if split is Split.TRAIN else "test"

    def person_files(self, person: Person, size: Size | None) -> Files:
        """Photo, agnostic image, mask and, where there is one, the DensePose image."""
        mask = resize_mask(person.mask, size or person.mask.shape)
        photo = decode_photo(person.photo, mask.shape)
        folder, name = self.place(person.split), f"{person.person_id}_00"
        files = {
            f"{folder}/image/{name}.jpg": encode_jpeg(photo),
            f"{folder}/agnostic-v3.2/{name}.jpg": encode_jpeg(gray_out(photo, mask, GRAY)),
            f"{folder}/agnostic-mask/{name}_mask.png": encode_mask(mask),
        }
        if person.dense_pose is not None:
            parts = draw_dense_pose(decode_dense_pose(person.dense_pose, mask.shape))
            files[f"{folder}/image-densepose/{name}.jpg"] = encode_jpeg(parts)
        return files

    def garment_files(self, garment: Garment, size: Size | None) -> Files:
        """The garment's photo."""
        name = f"{self.place(garment.split)}/cloth/{garment.garment_id}_00.jpg"
        return {name: encode_jpeg(decode_photo(garment.photo, size or garment.size))}

    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Names with one space between them."""
        return f"{person_id}_00.jpg {garment_id}_00.jpg\n"

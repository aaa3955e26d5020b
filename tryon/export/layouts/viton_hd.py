"""Layout of VITON-HD, one root per category: `<out>/<category>` is the data folder of a loader.

`VitonHD.note` lists the files. Facts about the codebases that read them:

- StableVITON (rlawjdghek/StableVITON, `dataset.py`): all five folders, `{train,test}_pairs.txt`. It inverts the mask
  and resizes all. Since its release of the training code it also reads `cloth-mask`, to train `gt_cloth_warped_mask`.
- CatVTON (`--dataset_name vitonhd`): `test/` image, cloth, agnostic-mask, and `test_pairs_unpaired.txt`, split at ONE
  space. It resizes all.
- IDM-VTON (yisol/IDM-VTON, `inference.py`): image, cloth, agnostic-mask, image-densepose, `test_pairs.txt`, captions.
  Cloth and DensePose are not resized: export at the size that it is run at.
- VITON-HD, HR-VITON and LaDI-VTON mask the garment by their own methods, from `image-parse-v3` (20 labels of LIP with
  a neck) and `openpose_json` (BODY_25), which cannot be derived from Dress Code's ATR labels and 18 joints.

In the paired split all of them read the cloth with the person's name, so a person and the garment in the person image
must have the same id, as in Dress Code. DensePose ids are colored as by detectron2's `dp_segm` (OpenCV's PARULA colors
at id * 255 / 24) on black, as in VITON-HD's own files.
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
    """One data set in the layout of VITON-HD per category."""

    extra_roles: ClassVar[tuple[str, ...]] = ("garment", "dense_pose")
    lists: ClassVar[Mapping[Split, tuple[str, ...]]] = {
        Split.TRAIN: ("train_pairs.txt",),
        Split.TEST_PAIRED: ("test_pairs_paired.txt",),
        Split.TEST_UNPAIRED: ("test_pairs.txt", "test_pairs_unpaired.txt"),
    }
    one_id_for_own_garment: ClassVar[bool] = True
    note: ClassVar[str] = """\
Each category is a data set: pass <this folder>/<category> to a loader.
<category>/{train,test}/image/<id>_00.jpg               people
<category>/{train,test}/cloth/<id>_00.jpg               garments; person <id> wears garment <id>
<category>/{train,test}/agnostic-v3.2/<id>_00.jpg       people, masked pixels gray (128, 128, 128)
<category>/{train,test}/agnostic-mask/<id>_00_mask.png  8-bit gray, 255 = masked, 0 = visible
<category>/{train,test}/image-densepose/<id>_00.jpg     DensePose parts in detectron2's dp_segm colors on black
<category>/train_pairs.txt, test_pairs.txt              person, one space, garment; test_pairs.txt is the unpaired list,
                                                        and test_pairs_unpaired.txt the same for CatVTON

Read by CatVTON (--dataset_name vitonhd), by IDM-VTON (which also needs its captions, vitonhd_test_tagged.json, and
files of the size that it runs at: --size 1024x768 by default) and by StableVITON up to its release of the training
code (since then it also needs cloth-mask and, to train, gt_cloth_warped_mask).
To run them paired, export the split test_paired too: it contains the garments of the person images.
Not included, because they cannot be derived from Dress Code's files: image-parse-v3 and image-parse-agnostic-v3.2 (LIP
labels), openpose_json and openpose_img (25 joints), cloth-mask, captions. VITON-HD, HR-VITON and LaDI-VTON need them.
Nor is gt_cloth_warped_mask.
Codebases of this layout were made for tops; lower_body and dresses may not work with all of them.
"""

    def subfolder(self, split: Split) -> str:
        """Return `train` or `test`."""
        return "train" if split is Split.TRAIN else "test"

    def person_files(self, person: Person, size: Size | None) -> Files:
        """Make photo, agnostic image, mask and, if there is a map, the DensePose image."""
        mask = resize_mask(person.mask, size or person.mask.shape)
        photo = decode_photo(person.photo, mask.shape)
        folder, name = self.subfolder(person.split), f"{person.person_id}_00"
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
        """Make the garment's photo."""
        name = f"{self.subfolder(garment.split)}/cloth/{garment.garment_id}_00.jpg"
        return {name: encode_jpeg(decode_photo(garment.photo, size or garment.size))}

    def pair_line(self, person_id: str, garment_id: str) -> str:
        """Format names with one space between them."""
        return f"{person_id}_00.jpg {garment_id}_00.jpg\n"

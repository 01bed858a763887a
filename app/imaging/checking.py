"""Is this a picture we are willing to decode? Pure. Asked before a single pixel is decoded."""

import io
import warnings

from PIL import Image, UnidentifiedImageError

from app.text import Text

FORMATS = ("PNG", "JPEG")
SMALLEST_SIDE = 60


class ImageRefused(ValueError):
    """Not a picture we take. `text`: what is wrong and what to do, in both languages."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.text = Text(zh, en)


def open_image(data: bytes, *, limit_pixels: int) -> Image.Image:
    """The decoded picture, RGB or RGBA. Its format is told by its content, its size by its header, before it is
    decoded (a 48 KB PNG can hold 400 million pixels). What EXIF says is not heard. Raises ImageRefused."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large() from error
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Warning) as error:
            raise ImageRefused(
                "image.not_a_picture",
                "这不是 PNG 或 JPEG 图片。请用扫描仪或手机重新生成图片后上传",
                "This is no PNG or JPEG picture. Scan or photograph it again and upload that file",
            ) from error
        _check_size(image, limit_pixels)
        try:
            image.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
            raise ImageRefused(
                "image.damaged",
                "图片已损坏或不完整，请重新扫描后上传",
                "The picture is damaged or incomplete; scan it again and upload that file",
            ) from error
    return image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")


def check_image(data: bytes, *, limit_pixels: int) -> tuple[int, int]:
    """Width and height of a picture that can be used. Raises ImageRefused."""
    return open_image(data, limit_pixels=limit_pixels).size


def _check_size(image: Image.Image, limit_pixels: int) -> None:
    width, height = image.size
    if width * height > limit_pixels:
        raise _too_large()
    if min(width, height) < SMALLEST_SIDE:
        raise ImageRefused(
            "image.too_small",
            f"图片太小({width}×{height})。请以 300 dpi 以上重新扫描",
            f"The picture is too small ({width}×{height}). Scan it at 300 dpi or more",
        )
    # a telephone's JPEG may carry a second view (MPO); its first is the photograph
    if image.format == "PNG" and getattr(image, "n_frames", 1) > 1:
        raise ImageRefused(
            "image.animated",
            "不接受动画图片，请上传静态图片",
            "An animated picture is not taken; upload a still one",
        )


def _too_large() -> ImageRefused:
    return ImageRefused(
        "image.too_large",
        "图片太大。请以 300–600 dpi 只扫描印章部分",
        "The picture is too large. Scan the seal's part only, at 300 to 600 dpi",
    )

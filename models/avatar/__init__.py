"""오로라's face: expression → picture.

She is one parametric SVG drawing (`render_svg`), rasterised to a 512 x 512 PNG (`rasterise`); `AvatarStudio` keeps one
file per expression.
"""

from models.avatar.drawing import render_svg
from models.avatar.raster import RasterError, rasterise, rasterise_apart
from models.avatar.studio import AvatarStudio, drawing_version

__all__ = ["AvatarStudio", "RasterError", "drawing_version", "rasterise", "rasterise_apart", "render_svg"]

"""Fetch pdf.js into the console once more: ``make pdfjs``. Needs npm and the network, as nothing else of the console.

A newer release: change its version and hash (``npm view pdfjs-dist@X dist.integrity``), run this, and the tests.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

TARGET = Path(__file__).parent.parent / "src/docrefinery/api/console/static/vendor/pdfjs"


class Package(NamedTuple):
    """A package of the npm registry, and the hash of its archive."""

    name: str
    version: str
    integrity: str


PDFJS = Package(
    "pdfjs-dist",
    "6.5.438",
    "sha512-vg8Pw1x+AFKy4AMDvhuWl5cOYV8d698UoEANoFFhc79hqXDnZQqnOXoxw3HG907WHOg1JYOvLhP756boddFxpA==",
)
ARIMO = Package(
    "@expo-google-fonts/arimo",
    "0.4.3",
    "sha512-kXMUJ303nJgKjJFr8yuiAY9dgIoAoj9HccKkaSw0J63/T4MSdxFejzfDUVLzUz+ohpQWinifV99QOAUQLcGKDg==",
)
# The build for browsers that are some years old, and of it what draws pages: no viewer, no editor, no scripts of PDFs.
WANTED = (
    "LICENSE",
    "legacy/build/pdf.min.mjs",
    "legacy/build/pdf.worker.min.mjs",
    "cmaps/*",
    "iccs/*",
    "standard_fonts/*Foxit*",
    "standard_fonts/LICENSE_FOXIT",
    "wasm/jbig2.wasm",
    "wasm/openjpeg.wasm",
    "wasm/qcms_bg.wasm",
    "wasm/LICENSE_JBIG2",
    "wasm/LICENSE_OPENJPEG",
    "wasm/LICENSE_PDFJS_JBIG2",
    "wasm/LICENSE_PDFJS_OPENJPEG",
    "wasm/LICENSE_PDFJS_QCMS",
    "wasm/LICENSE_QCMS",
)
# In the place of Liberation Sans, which pdf.js brings under the GPL: the same widths under the Open Font License.
FONTS = {
    "400Regular/Arimo_400Regular.ttf": "LiberationSans-Regular.ttf",
    "400Regular_Italic/Arimo_400Regular_Italic.ttf": "LiberationSans-Italic.ttf",
    "700Bold/Arimo_700Bold.ttf": "LiberationSans-Bold.ttf",
    "700Bold_Italic/Arimo_700Bold_Italic.ttf": "LiberationSans-BoldItalic.ttf",
    "LICENSE_FONT": "LICENSE_ARIMO",
}
NOTE = f"""pdf.js by Mozilla, Apache-2.0 (LICENSE), from the npm package {PDFJS.name} {PDFJS.version}, files unchanged.
{PDFJS.integrity}
Arimo, Open Font License 1.1 (standard_fonts/LICENSE_ARIMO), from {ARIMO.name} {ARIMO.version},
under the names of Liberation Sans, for which pdf.js asks.
{ARIMO.integrity}
The other fonts, colour profiles and decoders have their licences beside them. `make pdfjs` fetches all of it again.
"""


def main() -> None:
    """Download, compare, and put in place."""
    with tempfile.TemporaryDirectory() as name:
        pdfjs, arimo = (_unpacked(package, Path(name) / package.version) for package in (PDFJS, ARIMO))
        shutil.rmtree(TARGET, ignore_errors=True)
        for source, place in _wanted(pdfjs):
            _copy(source, TARGET / place)
        for given, place in FONTS.items():
            _copy(arimo / given, TARGET / "standard_fonts" / place)
    TARGET.joinpath("VERSION").write_text(NOTE)


def _unpacked(package: Package, folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],  # noqa: S607 - whichever npm the developer has
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    [packed] = folder.glob("*.tgz")
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != package.integrity:
        sys.exit(f"{package.name} {package.version} is not what it was: {found}")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def _wanted(package: Path) -> Iterator[tuple[Path, str]]:
    for source in sorted(package.rglob("*")):
        place = PurePosixPath(source.relative_to(package))
        if source.is_file() and any(place.match(wanted) for wanted in WANTED):
            yield source, str(place).removeprefix("legacy/build/")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    main()

"""Usage: metadata.py VERSION FILE... Checks what a package index reads of wheels and source archives."""

import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from packaging.metadata import Metadata


def metadata_of(path: Path) -> str:
    """Return the METADATA of a wheel, or the PKG-INFO of a source archive."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            (name,) = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
            return wheel.read(name).decode()
    with tarfile.open(path) as archive:
        (name,) = (one for one in archive.getnames() if one.count("/") == 1 and one.endswith("/PKG-INFO"))
        found = archive.extractfile(name)
        assert found is not None
        return found.read().decode()


def main(version: str, *files: str) -> None:
    readme = Path("README.md").read_text()
    for file in files:
        text = metadata_of(Path(file))
        found = Metadata.from_email(text, validate=True)
        if str(found.version) != version or HeaderParser().parsestr(text).get_payload() != readme:
            sys.exit(f"{file}: version {found.version} instead of {version}, or a README that is not the one here")
        if found.description_content_type != "text/markdown":
            sys.exit(f"{file}: an index does not show a README of type {found.description_content_type}")


main(*sys.argv[1:])

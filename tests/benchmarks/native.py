"""The C programs: compiled once, against the librdkafka that the Python client brings, with its settings."""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import confluent_kafka

from airflow_legacy_events.brokers.kafka.config import producer_settings
from tests.services.base import MissingServiceError, apt_install, cache

FOLDER = Path(__file__).parent / "c"
_HEADERS = {
    "librdkafka-dev": Path("/usr/include/librdkafka/rdkafka.h"),
    "libpq-dev": Path("/usr/include/postgresql/libpq-fe.h"),
    "zlib1g-dev": Path("/usr/include/zlib.h"),
}
_TOPIC_LIMIT = 1_048_588


def library() -> Path | None:
    """The librdkafka inside the installed confluent-kafka, so that both sides run the same one."""
    package = Path(confluent_kafka.__file__).parent
    return next(iter(sorted((package.parent / "confluent_kafka.libs").glob("librdkafka*.so*"))), None)


def compiled(name: str) -> Path:
    """Return a program of the folder `c`, compiled when its source or its library changed.

    Raises:
        MissingServiceError: a compiler or a header is missing and can't be installed here.
    """
    _require()
    found = library()
    sources = b"".join(path.read_bytes() for path in sorted(FOLDER.iterdir()))
    mark = hashlib.sha256(sources + str(found).encode()).hexdigest()[:12]
    program = cache("benchmarks") / f"{name}-{mark}"
    if not program.exists():
        kafka = ["-lrdkafka"] if found is None else [str(found), f"-Wl,-rpath,{found.parent}"]
        command = [
            "cc",
            "-O2",
            "-I/usr/include/postgresql",
            f"{FOLDER}/{name}.c",
            "-o",
            str(program),
            *kafka,
            "-lpq",
            "-lz",
        ]
        subprocess.run(command, check=True)
    return program


def settings() -> Sequence[str]:
    """The producer settings of the package as `name=value`."""
    ours = producer_settings(
        {"bootstrap.servers": "-"},
        timeout_ms=120_000,
        smallest=_TOPIC_LIMIT,
        largest=_TOPIC_LIMIT,
        log=logging.getLogger(__name__),
    )
    del ours["bootstrap.servers"]
    return [f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in ours.items()]


def _require() -> None:
    missing = [package for package, header in _HEADERS.items() if not header.exists()]
    if shutil.which("cc") is None:
        missing += ["gcc", "libc6-dev"]
    if not missing:
        return
    try:
        apt_install(*missing)
    except MissingServiceError as error:
        raise MissingServiceError(f"the C programs can't be compiled: {error}; or leave them out with --only") from None

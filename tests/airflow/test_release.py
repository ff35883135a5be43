"""The steps of a release, in a repository of its own: what is refused, and what is committed and tagged."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.profile import LONG

ROOT = Path(__file__).parents[2]
NEEDED = [".ci/release", "CHANGELOG.md", "airflow_legacy_events/__init__.py"]


def git(folder, *words):
    return subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A repository that holds what the first steps need."""
    return made(tmp_path, NEEDED)


def made(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    changelog = (folder / "CHANGELOG.md").read_text().split("\n## ")[0]
    (folder / "CHANGELOG.md").write_text(f"{changelog}\n## Unreleased\n\n- A change.\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "t")
    git(folder, "config", "user.email", "t@t")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "All")
    return folder


def release(folder, version):
    environment = {"VENV": sys.prefix, "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder.parent)}
    command = ["bash", ".ci/release", *([version] if version else [])]
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def empty(folder):
    (folder / "CHANGELOG.md").write_text("## Unreleased\n\n## 1.0.0 - 2026-01-01\n\n- A change.\n")
    git(folder, "commit", "-qam", "Nothing new")


@pytest.mark.parametrize(
    ("version", "before", "said"),
    [
        (None, lambda _: None, "VERSION=1.2.3 is needed, it is ''"),
        ("1.2", lambda _: None, "VERSION=1.2.3 is needed, it is '1.2'"),
        ("1.2.3", lambda folder: (folder / "new").touch(), "the tree holds changes"),
        ("1.2.3", lambda folder: git(folder, "tag", "v1.2.3"), "the tag v1.2.3 is there already"),
        ("1.2.3", empty, "the section 'Unreleased' of CHANGELOG.md is empty"),
        ("1.2.3", lambda _: None, "does not appear to be a Python project"),  # the build fails
    ],
)
def test_a_release_that_can_not_be_made_leaves_the_tree_as_it_was(repository, version, before, said):
    before(repository)
    head, status = git(repository, "rev-parse", "HEAD"), git(repository, "status", "--porcelain")
    found = release(repository, version)
    assert found.returncode != 0
    assert said in found.stdout + found.stderr
    assert (git(repository, "rev-parse", "HEAD"), git(repository, "status", "--porcelain")) == (head, status)


if LONG:  # it builds the archive, and the wheel from it

    def test_a_release_is_built_checked_committed_and_tagged(tmp_path):
        folder = made(tmp_path / "whole", git(ROOT, "ls-files").splitlines())
        found = release(folder, "9.8.7")
        assert found.returncode == 0, found.stderr
        assert sorted(path.suffix for path in (folder / "dist").iterdir()) == [".gz", ".whl"]
        assert git(folder, "log", "-1", "--format=%s %D") == "Release 9.8.7 HEAD -> main, tag: v9.8.7"
        assert "## Unreleased\n\n## 9.8.7 - " in (folder / "CHANGELOG.md").read_text()
        assert git(folder, "status", "--porcelain") == ""

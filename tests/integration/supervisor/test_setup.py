"""`scripts/setup` where something is missing, and what the lock files must not hold."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ("awk", "bash", "cat", "cmp", "df", "dirname", "env", "grep", "head", "mkdir", "rm", "sed", "sleep", "tail")


@pytest.fixture
def checkout(tmp_path):
    """As much of the project as the script reads."""
    folder = tmp_path / "checkout"
    (folder / "nlu").mkdir(parents=True)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    for name in ("pyproject.toml", "requirements.lock", "nlu/pyproject.toml", "nlu/requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def setup(checkout: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "scripts" / "setup")],
        env={"PATH": path, "HOME": str(checkout)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_python_is_one_sentence_with_the_fix(checkout, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)

    ended = setup(checkout, str(tools))

    assert ended.returncode == 1
    assert ended.stderr == (
        "Python was not found. Install Python 3.11 (Debian 12: apt install python3.11 python3-venv), "
        "then run `make setup` again.\n"
    )


def test_an_unreachable_index_is_one_sentence_with_the_fix(checkout, tmp_path):
    """A stand-in for uv that fails as uv does without a network."""
    (tmp_path / "uv").write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && exit 0\n'
        "echo 'error: Failed to fetch: cause: dns error: failed to lookup address information' >&2; exit 2\n"
    )
    (tmp_path / "uv").chmod(0o755)

    ended = setup(checkout, f"{tmp_path}:{os.environ['PATH']}")

    assert ended.returncode == 1
    assert ended.stderr == (
        "Making an environment for the project failed: the package index could not be reached. Check the network "
        "(or the proxy and index settings of pip and uv), then run `make setup` again. "
        f"Details: {checkout / '.tools' / 'setup.log'}\n"
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "nlu/requirements.lock", "scripts/installer.lock"])
def test_a_lock_holds_a_hash_for_every_package_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = [block for block in text.replace("\\\n", " ").splitlines() if "==" in block and block[0] not in "# "]

    assert "://" not in text
    assert "index-url" not in text
    assert [package for package in packages if "--hash=sha256:" not in package] == []
    assert packages != []

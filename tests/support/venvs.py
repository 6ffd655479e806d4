"""Environments for tests that install something: they see what this one has, so nothing is downloaded."""

import site
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Environment:
    """A virtual environment of a test's own on top of this one."""

    def __init__(self, folder: Path) -> None:
        """Make it; that takes no network."""
        venv.EnvBuilder(symlinks=True).create(folder)
        self.python = folder / "bin" / "python"
        (self.packages,) = folder.glob("lib/python*/site-packages")
        # Not plain paths: what is installed editable here is found through .pth files of its own.
        below = "\n".join(f"import site; site.addsitedir({path!r})" for path in site.getsitepackages())
        self.packages.joinpath("below.pth").write_text(below)

    def install(self, project: Path) -> None:
        """Install a project from its folder, as `pip install` does."""
        self._uv("install", "--no-deps", "--no-build-isolation", "--offline", str(project))

    def uninstall(self, distribution: str) -> None:
        """Take a distribution out again."""
        self._uv("uninstall", distribution)

    def _uv(self, command: str, *arguments: str) -> None:
        subprocess.run(
            ["sh", "tools/venv", "uv", "pip", command, "--quiet", "--python", str(self.python), *arguments],
            cwd=ROOT,
            check=True,
            timeout=60,
        )

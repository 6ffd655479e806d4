"""What ``docrefinery storage`` does about encryption."""

from typing import Annotated

import typer

from docrefinery.cli.context import InTenant, operate
from docrefinery.cli.output import errors, tell
from docrefinery.errors import InvalidRequest


def encrypt(tenant: InTenant) -> None:
    """Encrypt what a tenant has stored plainly; may be broken off and run again while the service runs."""
    with errors.status("Encrypting …") as status:
        done = operate(
            lambda services: services.encryption.encrypt(tenant, lambda n: status.update(f"{n} blobs encrypted …"))
        )
    tell(f"{done.blobs} blobs of {tenant} encrypted; their plain copies are removed within an hour or so.")
    for key in done.unreadable:
        tell(f"docrefinery: {key} is missing or damaged and was left as it is.")
    if done.unreadable:
        raise typer.Exit(1)


def rewrap() -> None:
    """Encrypt tenants' keys under the first of DOCREFINERY_SECRET_KEYS, so that the others can go."""
    done = operate(lambda services: services.encryption.rewrap())
    tell(f"The keys of {done.tenants} tenants are under the first of DOCREFINERY_SECRET_KEYS.")
    if done.unavailable:
        tell(
            f"docrefinery: the keys of {', '.join(done.unavailable)} are under none of them; put back what is missing."
        )
        raise typer.Exit(1)


def shred(
    tenant: InTenant,
    confirmed: Annotated[bool, typer.Option("--yes", help="Really: there is no way back.")] = False,
) -> None:
    """Delete a tenant's key: all that is encrypted under it is unreadable for good, in every copy of the storage."""
    if not confirmed:
        raise InvalidRequest(f"This makes every encrypted file of {tenant} unreadable for good; confirm with --yes.")
    done = operate(lambda services: services.encryption.give_up(tenant))
    if not done.had_key:
        tell(f"{tenant} has no key: nothing of it is encrypted.")
        return
    tell(f"The key of {tenant} is deleted; {_jobs_canceled(done.jobs)}.")


def _jobs_canceled(number: int) -> str:
    """Say how many jobs ended."""
    return "1 job on its files was canceled" if number == 1 else f"{number} jobs on its files were canceled"

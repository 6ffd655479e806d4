"""Neither client has a method, or an argument, that the other one lacks."""

import inspect

from docrefinery.client import AsyncClient, Client


def methods(kind: type) -> dict[str, list[inspect.Parameter]]:
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    return {name: list(inspect.signature(member).parameters.values()) for name, member in public.items()}


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    assert methods(Client) == methods(AsyncClient)
    assert all(
        member.__doc__ for kind in (Client, AsyncClient) for n, member in vars(kind).items() if n in methods(kind)
    )

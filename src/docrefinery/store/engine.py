"""Piccolo's engine without its greeting."""

from piccolo.engine.postgres import PostgresEngine


class QuietEngine(PostgresEngine):
    """A PostgreSQL engine that does not connect when it is made: a process starts whether the server is up or not."""

    async def check_version(self) -> None:
        """Do nothing; Piccolo would open a connection to ask for the version."""

"""PostgreSQL (Piccolo, asyncpg) and blob storage (obstore): the one layer that knows either."""

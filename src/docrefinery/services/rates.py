"""How many requests a tenant sends in a minute, counted in Valkey for all API processes together.

A process takes requests in small blocks and spends them by itself, so a busy tenant costs Valkey a few looks a second,
however often it polls. Blocks grow while they are spent quickly, and nothing that was taken is dropped: quiet processes
take one request at a time, however many they are. While Valkey is away everything is let through: it is a doorbell
elsewhere, and no reason to turn anybody away.
"""

import asyncio
import math
import time
from typing import Literal

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from msgspec import Struct
from redis.asyncio import BlockingConnectionPool

from docrefinery.errors import RateLimited
from docrefinery.services import limits
from docrefinery.services.keys import Caller
from docrefinery.settings import Settings

log = structlog.get_logger(__name__)

Bucket = Literal["requests", "polls"]
WINDOW_SECONDS = 60
POLLS = 10
"""Looks at a single job have a bucket of their own that is so many times as large: to wait is not to work."""
BLOCKS_A_SECOND = 8
KNOWN_SECONDS = 1.0
"""So long a refusal holds without another look. A block that is spent within it is followed by one twice as large."""
AWAY_SECONDS = 5.0
ANSWER_SECONDS = 1.0
"""A machine under load answers late; only a server that hangs takes longer, and is not asked again for a while."""
MOST_BLOCKS = 10_000


class Standing(Struct, frozen=True):
    """Where a tenant stands: ``remaining`` of ``quota`` requests, and the seconds until there are more."""

    bucket: Bucket
    quota: int
    remaining: int
    seconds: int
    admitted: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"{self.bucket}";q={self.quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"{self.bucket}";r={self.remaining};t={self.seconds}',
        }

    def check(self) -> None:
        """Raise :class:`RateLimited` if the request was one too many."""
        if not self.admitted:
            raise RateLimited(
                f"Your tenant may send {self.quota} {self.bucket} in a minute and has; wait {self.seconds} s.",
                details={"limit": self.quota},
                retry_after=self.seconds,
            )


class _Block:
    """What this process holds for a tenant, and what it knows of the rest."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.held = 0
        self.size = 0
        self.remaining = 0
        self.reset_at = 0.0
        self.known_until = 0.0
        self.taken_at = 0.0
        self.asking = asyncio.Lock()

    def known(self, now: float) -> bool:
        """Return whether the next request can be judged without asking: by what is held, or by a refusal.

        What is held was counted when it was taken, and stays good for a window.
        """
        if self.held > 0:
            return now < self.taken_at + WINDOW_SECONDS
        return self.remaining == 0 and now < self.known_until

    def next_size(self, now: float) -> int:
        """Return how many to take: one, or twice as many as were spent in a moment."""
        if self.held or now >= self.taken_at + KNOWN_SECONDS:
            return 1
        return min(max(2 * self.size, 1), max(self.quota // (WINDOW_SECONDS * BLOCKS_A_SECOND), 1))


class Rates:
    """Counts requests, and says who may go on."""

    def __init__(self, settings: Settings) -> None:
        self._default = settings.requests_per_minute
        self._pool = BlockingConnectionPool.from_url(
            settings.redis_url,
            max_connections=8,
            timeout=ANSWER_SECONDS,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
        )
        # The address says which kind of server it is; where it is, the pool knows.
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="docrefinery",
            wrap_exceptions=True,
            connection_pool=self._pool,  # type: ignore[arg-type]
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._blocks: dict[tuple[int, Bucket], _Block] = {}
        self._away_until = 0.0
        self._away = False

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()

    async def count(self, caller: Caller, bucket: Bucket) -> Standing | None:
        """Count a request.

        :returns: where the tenant stands, or ``None`` if it has no limit or nobody can count.
        """
        quota = limits.quota(caller.requests_per_minute, self._default) * (POLLS if bucket == "polls" else 1)
        if not quota:
            return None
        block = self._block(caller.tenant_id, bucket, quota)
        if not block.known(time.monotonic()):
            async with block.asking:
                if not block.known(time.monotonic()) and not await self._take(caller.tenant_id, bucket, block):
                    return None
        wait = math.ceil(block.reset_at - time.monotonic())
        if not block.held:
            return Standing(bucket, quota, 0, max(wait, 1), admitted=False)
        block.held -= 1
        return Standing(bucket, quota, block.held + block.remaining, max(wait, 0))

    def _block(self, tenant_id: int, bucket: Bucket, quota: int) -> _Block:
        key = (tenant_id, bucket)
        block = self._blocks.get(key)
        if block is None or block.quota != quota:
            if len(self._blocks) >= MOST_BLOCKS:
                self._blocks.clear()
            block = self._blocks[key] = _Block(quota)
        return block

    async def _take(self, tenant_id: int, bucket: Bucket, block: _Block) -> bool:
        """Take a block of requests from what is left, or none if nothing is; false if Valkey is away."""
        if time.monotonic() < self._away_until:
            return False
        item = RateLimitItemPerMinute(block.quota)
        try:
            stats = await self._limiter.get_window_stats(item, bucket, str(tenant_id))
            wanted = min(block.next_size(time.monotonic()), stats.remaining)
            taken = wanted > 0 and await self._limiter.hit(item, bucket, str(tenant_id), cost=wanted)
        except (StorageError, OSError, TimeoutError) as error:
            self._lost(error)
            return False
        self._found()
        now = time.monotonic()
        block.held = block.size = wanted if taken else 0
        block.taken_at = now
        block.remaining = stats.remaining - wanted if taken else 0
        seconds = WINDOW_SECONDS if stats.remaining == block.quota else max(stats.reset_time - time.time(), 0)
        # A window that was used up has to end, and then to fade until the first of its requests has.
        block.reset_at = now + seconds + (0 if taken else WINDOW_SECONDS / block.quota)
        block.known_until = min(block.reset_at, now + KNOWN_SECONDS)
        return True

    def _lost(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
        if not self._away:
            log.warning("rate_limits_not_held", error=str(error))
        self._away = True

    def _found(self) -> None:
        if self._away:
            log.info("rate_limits_held_again")
        self._away = False

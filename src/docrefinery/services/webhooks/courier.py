"""Takes deliveries that are due, and makes attempts: many at once, few for each endpoint."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import structlog
from msgspec import Struct

from docrefinery import tracing
from docrefinery.services.events import JobEvent
from docrefinery.services.webhooks.secrets import Secrets, SecretUnreadable
from docrefinery.services.webhooks.sending import ATTEMPT_SECONDS, Answered, Letter, Result, Sender, Unanswered
from docrefinery.store import deliveries, jobs
from docrefinery.store.database import UNREACHABLE, Database
from docrefinery.store.records import OutgoingRecord

log = structlog.get_logger(__name__)

AT_ONCE = 64
AT_ONCE_EACH = 4
PREPARATION_SECONDS = 5.0
LEASE = timedelta(seconds=ATTEMPT_SECONDS + 2 * PREPARATION_SECONDS)
"""After this an attempt that nobody ended is made again: its process is gone."""
AGAIN_SECONDS = 0.5
"""Between two tries to note what came of an attempt while the database is away."""
PARTING_SECONDS = 2.0
GONE = 410
JITTER = 0.1


Noting = Callable[[], Awaitable[None]]


class Verdict(Struct, frozen=True):
    """What an attempt came to: ``error`` is empty for a success; ``disable`` says why nothing more should be sent."""

    status: int | None
    error: str = ""
    disable: str | None = None


def judge(result: Result) -> Verdict:
    """Return what a result means: only an undisturbed 2xx counts."""
    match result:
        case Unanswered():
            return Verdict(None, result.reason)
        case Answered(status=status, flaw=str() as flaw):
            return Verdict(status, flaw)
        case Answered(status=status) if 200 <= status < 300:
            return Verdict(status)
        case Answered(status=status) if status == GONE:
            return Verdict(status, "The receiver answered 410.", "The receiver answered 410: it is gone for good.")
        case Answered(status=status) if 300 <= status < 400:
            return Verdict(status, f"The receiver answered {status}; redirects are not followed.")
        case Answered(status=status):
            return Verdict(status, f"The receiver answered {status}.")


def _told(outgoing: OutgoingRecord) -> dict[str, str | int]:
    """Return what a trace tells of an attempt: not where it goes, since an address may be a secret."""
    return {
        "http.request.method": "POST",
        "http.request.resend_count": outgoing.tries,
        "docrefinery.webhook.id": outgoing.endpoint_id,
        "docrefinery.webhook.event": outgoing.event,
        "docrefinery.delivery.uuid": str(outgoing.uuid),
    }


def _trace(verdict: Verdict | None) -> None:
    if verdict is None:
        return
    if verdict.status is not None:
        tracing.tell({"http.response.status_code": verdict.status})
    if verdict.error:
        tracing.fail("no_answer" if verdict.status is None else str(verdict.status))


class Courier:
    """The deliveries of one process. A nudge makes it look; attempts run in the background.

    :param delays: seconds before each attempt; when they are used up, the delivery has failed.
    """

    def __init__(self, db: Database, sender: Sender, secrets: Secrets, delays: Sequence[float]) -> None:
        self._db = db
        self._sender = sender
        self._secrets = secrets
        self._delays = delays
        self._tasks: dict[asyncio.Task[None], OutgoingRecord] = {}
        self._busy: Counter[int] = Counter()
        self._looking = asyncio.Lock()
        self._closed = False

    async def look(self) -> None:
        """Start an attempt at everything that is due, as far as it fits; return without waiting for receivers."""
        async with self._looking:
            free = AT_ONCE - self._busy.total()
            if self._closed or not free:
                return
            for outgoing in await deliveries.claim(
                self._db, free, busy=self._busy, per_endpoint=AT_ONCE_EACH, lease=LEASE
            ):
                self._busy[outgoing.endpoint_id] += 1
                task = asyncio.create_task(self._carry(outgoing))
                self._tasks[task] = outgoing
                task.add_done_callback(self._tasks.pop)

    async def idle(self) -> None:
        """Return when no attempt is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """Let attempts end, but not for long; those that are broken off are due again at once."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=PARTING_SECONDS)
        broken_off = dict(self._tasks)
        for task in broken_off:
            task.cancel()
        await asyncio.gather(*broken_off, return_exceptions=True)
        try:
            if broken_off:
                await deliveries.give_back(self._db, [outgoing.token for outgoing in broken_off.values()])
        except UNREACHABLE as error:
            log.warning("deliveries_not_given_back", error=str(error))
        finally:
            await self._sender.close()

    async def _carry(self, outgoing: OutgoingRecord) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(delivery=str(outgoing.uuid), endpoint_id=outgoing.endpoint_id)
        try:
            await self._settled(await self._attempted(outgoing))
        except Exception:
            log.exception("attempt_not_noted")
        finally:
            self._busy[outgoing.endpoint_id] -= 1
            if not self._busy[outgoing.endpoint_id]:
                del self._busy[outgoing.endpoint_id]
        await self._look_on()

    async def _attempted(self, outgoing: OutgoingRecord) -> Noting | None:
        """Make an attempt; return what there is to be noted of it, if anything."""
        try:
            with tracing.span("POST", kind="client", parent=outgoing.traceparent, attributes=_told(outgoing)):
                verdict = await self._attempt(outgoing)
                _trace(verdict)
        except UNREACHABLE as error:
            # The database is asked before anything is sent, and not after that.
            log.warning("attempt_not_made", error=str(error))
            return partial(deliveries.give_back, self._db, [outgoing.token])
        return None if verdict is None else partial(self._end, outgoing, verdict)

    async def _settled(self, noting: Noting | None) -> None:
        """Note what came of an attempt, when the database is there again if it is away; all of it is fenced."""
        loop = asyncio.get_running_loop()
        until = loop.time() + LEASE.total_seconds()
        while noting is not None:
            try:
                return await noting()
            except UNREACHABLE as error:
                if loop.time() > until:
                    log.warning("attempt_left_to_its_lease", error=str(error))
                    return None
                await asyncio.sleep(AGAIN_SECONDS)
        return None

    async def _look_on(self) -> None:
        """Take what this attempt's end has made room for, or made due."""
        try:
            await self.look()
        except UNREACHABLE as error:
            log.warning("deliveries_not_looked_for", error=str(error))

    async def _attempt(self, outgoing: OutgoingRecord) -> Verdict | None:
        """Make an attempt; ``None`` if the delivery is not this process's any more."""
        deadline = asyncio.get_running_loop().time() + PREPARATION_SECONDS
        try:
            body = await self._body(outgoing)
            # A process that was held up must not send what another has sent meanwhile, perhaps with later events.
            if body is None or asyncio.get_running_loop().time() > deadline:
                return None
            secret = None if outgoing.secret is None else self._secrets.decrypt(outgoing.secret)
            letter = Letter(url=outgoing.url, body=body, event=outgoing.event, delivery=outgoing.uuid, secret=secret)
            return judge(await self._sender.send(letter))
        except SecretUnreadable:
            log.warning("webhook_secret_unreadable", hint="a key is missing from DOCREFINERY_SECRET_KEYS")
            return Verdict(None, "The webhook's secret cannot be decrypted, so nothing was sent; set it again.")
        except UNREACHABLE:
            raise
        except Exception:
            # A defect that met this delivery each time would otherwise keep it, and those behind it, for ever.
            log.exception("attempt_failed_unexpectedly")
            return Verdict(None, "The service failed on this attempt; its log says why.")

    async def _body(self, outgoing: OutgoingRecord) -> bytes | None:
        """Return the bytes that all attempts send; ``None`` if the delivery was deleted or taken by somebody else."""
        if outgoing.body is not None:
            return outgoing.body
        assert outgoing.job_id is not None
        assert outgoing.sequence is not None
        job = await jobs.get(self._db, outgoing.tenant_id, outgoing.job_id)
        event = await jobs.event(self._db, outgoing.tenant_id, outgoing.job_id, outgoing.sequence)
        if job is None or event is None:
            return None
        return await deliveries.freeze(self._db, outgoing, JobEvent.of(job, event).encode())

    async def _end(self, outgoing: OutgoingRecord, verdict: Verdict) -> None:
        """Note what an attempt came to: the one place where attempts end."""
        if not verdict.error:
            assert verdict.status is not None
            status = verdict.status
            await deliveries.succeeded(self._db, outgoing, status)
            log.info("webhook_delivered", status=status)
            return
        disabled = await deliveries.failed(
            self._db,
            outgoing,
            response_status=verdict.status,
            error=verdict.error,
            retry_in=self._retry_in(outgoing.tries + 1),
            disable=verdict.disable,
        )
        log.info("webhook_attempt_failed", status=verdict.status, error=verdict.error)
        if disabled is not None:
            log.warning("webhook_disabled", reason=disabled)

    def _retry_in(self, tries: int) -> timedelta | None:
        """Return how long to wait after so many attempts; receivers that failed together are not asked together."""
        if tries >= len(self._delays):
            return None
        return timedelta(seconds=self._delays[tries] * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311

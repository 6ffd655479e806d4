"""Statements of the store that are not held to one tenant."""

LEASED = "of a worker: fenced by the token of a lease, or by a job that it holds"
SWEEP = "a sweep over every tenant"
SENDING = "of the deliveries, which go across tenants: fenced by a token, or by an endpoint that is held"
OPERATOR = "of the operator's commands"
COUNTED = "the installation's figures, of which no tenant is told"

ACROSS_TENANTS = {
    "audit.OWNERS": "asks whose an object is that its asker was told does not exist; for the audit log alone",
    "audit._ENTRIES": OPERATOR,
    "audit.after": OPERATOR,
    "audit.newest": OPERATOR,
    "audit.prune": OPERATOR,
    "audit.settled": OPERATOR,
    "claims.CLAIM": "the next job of any tenant, by turns",
    "claims._cancel_requested": LEASED,
    "claims._crash": LEASED,
    "claims._end": LEASED,
    "claims._hold": LEASED,
    "claims.beat": LEASED,
    "claims.enter_stage": LEASED,
    "claims.expire": SWEEP,
    "claims.give_back": LEASED,
    "claims.waiting": SWEEP,
    "deliveries.CLAIM": SENDING,
    "deliveries._failing": SENDING,
    "deliveries.any_due": SWEEP,
    "deliveries.fail_pending": SENDING,
    "deliveries.failed": SENDING,
    "deliveries.freeze": SENDING,
    "deliveries.give_back": SENDING,
    "deliveries.release": SENDING,
    "deliveries.remove_old": SWEEP,
    "deliveries.succeeded": SENDING,
    "counters.forget_minutes": SWEEP,
    "idempotency.remove_expired": SWEEP,
    "metrics.FIGURES": COUNTED,
    "stranded.MOVE": SWEEP,
    "stranded.TENANTS": SWEEP,
    "tenant_keys.after": "the change of keys, over every tenant",
    "tenants.KEYS": "whose a key is: nobody knows before",
    "tenants._key": OPERATOR,
    "tenants.create_tenant": OPERATOR,
    "tenants.first_encrypted": OPERATOR,
    "tenants.get_tenant": OPERATOR,
    "tenants.key_by_prefix": "whose a key is: nobody knows before",
    "tenants.list_keys": OPERATOR,
    "tenants.list_tenants": OPERATOR,
    "tenants.revoke_key": OPERATOR,
    "tenants.set_key": OPERATOR,
    "webhooks.replace_secret": "the change of keys, over every tenant",
    "webhooks.secrets_after": "the change of keys, over every tenant",
}
"""Places of statements that are not held to one tenant, and why."""

"""What Piccolo's own commands and the migration runner read; the services get their engine from ``Database``."""

import os

from piccolo.conf.apps import AppRegistry

from docrefinery.store.engine import QuietEngine

DB = QuietEngine(
    config={"dsn": os.environ.get("DOCREFINERY_MIGRATION_DATABASE_URL") or os.environ.get("DATABASE_URL", "")},
    extensions=(),
)
APP_REGISTRY = AppRegistry(apps=["docrefinery.store.piccolo_app"])

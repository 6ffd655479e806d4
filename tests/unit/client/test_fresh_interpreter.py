import subprocess
import sys


def test_the_client_is_loaded_without_the_service_and_its_libraries() -> None:
    code = """
import sys
import docrefinery.client
heavy = {"asyncpg", "docling", "docling_core", "dramatiq", "litestar", "numpy", "obstore", "piccolo", "structlog"}
ours = {name.split(".")[1] for name in sys.modules if name.startswith("docrefinery.")}
print(*sorted(ours), *sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["client", "webhooks"]

"""The docs are held to the code."""

import re
from pathlib import Path

import msgspec

from docrefinery.capabilities.checkpoints import CHECKPOINTS
from docrefinery.model import ConversionOptions
from docrefinery.plugin.registry import load
from tools import reference

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_tables_of_settings_and_errors_are_what_the_code_says() -> None:
    assert reference.stale() == []


def test_every_warning_that_a_job_can_carry_is_documented() -> None:
    page = (ROOT / "docs/errors.md").read_text()
    told = re.compile(r'(?:JobWarning|Lack)\(\s*(?:code=)?"([A-Z_]+)"')
    codes = {code for path in SOURCES for code in told.findall(path.read_text())}
    assert codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_decision_records_are_all_listed() -> None:
    folder = ROOT / "docs/decisions"
    listed = set(re.findall(r"\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text()))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_every_profile_and_every_option_is_explained() -> None:
    page = (ROOT / "docs/profiles.md").read_text()
    registry = load(())
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert rows.keys() == {*registry.profiles, *ConversionOptions.__struct_fields__}
    texts = "`text`, `markdown`, `doctags`"
    assert {name: rows[name].split(" | ")[-1] for name in registry.profiles} == {
        "fast_text": texts,
        "ocr_only": texts,
        "structured": "the same and `chunks_json`",
        "full_vlm": "the same, `chunks_json` and `figures_zip`",
    }
    assert registry.profiles["full_vlm"].exports == ("text", "markdown", "doctags", "chunks_json", "figures_zip")


def test_what_docling_is_asked_by_each_profile_is_told() -> None:
    page = (ROOT / "docs/models.md").read_text()
    [heads] = re.findall(r"^\| Docling's option \| no profile \| (.*) \|$", page, re.MULTILINE)
    cells = re.findall(r"^\| `(\w+)` \|((?:[^|`]*\|){5})$", page, re.MULTILINE)
    told: dict[str, dict[str, object]] = {name: {} for name in heads.replace("`", "").split(" | ")}
    for option, row in cells:
        for name, cell in zip(told, row.split("|")[1:], strict=False):
            if text := cell.strip():
                told[name][option] = msgspec.json.decode(text)
    asked = {name: dict(profile.options) for name, profile in load(()).profiles.items()}
    for options in asked.values():
        options.pop("ocr_options", None)
    assert told == asked


def test_models_that_are_downloaded_are_told() -> None:
    page = (ROOT / "docs/models.md").read_text()
    for checkpoint in CHECKPOINTS:
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{checkpoint.part}`")]
        assert checkpoint.repo in row
        assert f"{checkpoint.megabytes} MB" in row


def test_tests_that_hold_what_is_promised_are_there() -> None:
    named = set(re.findall(r"`(?:[\w/]+/)?(test_\w+\.py)`", (ROOT / "SECURITY.md").read_text()))
    assert len(named) > 20
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}

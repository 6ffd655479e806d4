"""What the kit finds in profiles and in whole plugins."""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import pytest
from docling_core.types.doc import DoclingDocument

from docrefinery.engine.base import EngineOptions
from docrefinery.model import ConversionOptions
from docrefinery.plugin import Exporter, Profile, hookimpl
from docrefinery.plugin.options import PipelineOptions
from docrefinery.plugin.registry import load
from docrefinery.plugin.testing import check_exporter, check_plugin, check_profile, documents, exported
from tests.support.exporters import exporter, fine

BUILT_IN = load(())


@pytest.mark.parametrize("name", sorted(BUILT_IN.profiles))
def test_built_in_profiles_keep_the_contract(name: str) -> None:
    check_profile(BUILT_IN.profiles[name])


def raising(document: DoclingDocument, stream: BinaryIO) -> None:
    stream.write(document.texts[0].text.encode())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"do_orc": True}, "'do_orc' is no option that anything reads; there are .*do_ocr"),
        ({"exports": ["text"]}, "'exports' is no option"),
        ({"do_ocr": "yes"}, "the value 'yes' of 'do_ocr' cannot be used: Expected `bool"),
        ({"images_scale": 9}, "the value 9 of 'images_scale' cannot be used"),
        ({"ocr_options": {"lang": {object}}}, "cannot be used"),
        ({"ocr_options": {"language": ["de"]}}, "of 'ocr_options' cannot be used"),
    ],
)
def test_options_that_the_core_does_not_understand(options: dict[str, object], words: str) -> None:
    with pytest.raises(AssertionError, match=f"profile 'made': in `options`, .*{words}"):
        check_profile(Profile(name="made", summary="A test.", exports=(), options=options))
    with pytest.raises(AssertionError, match=f"exporter 'made': in `needs`, .*{words}"):
        check_exporter(exporter(fine, needs=options))


def test_options_that_it_understands_are_those_of_the_engines_and_of_requests() -> None:
    known = set(PipelineOptions.__struct_fields__)
    assert set(EngineOptions.__struct_fields__) | set(ConversionOptions.__struct_fields__) <= known


def test_an_export_that_nobody_offers() -> None:
    profile = Profile(name="made", summary="A test.", exports=("text", "made"))
    with pytest.raises(AssertionError, match=r"nobody offers the export 'made'; .*name that plugin"):
        check_profile(profile)


def nothing() -> list[Exporter]:
    return []


def module(name: str, **members: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(members)
    return made


def test_a_plugin_made_in_a_test_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    made = module("a_fine_plugin", docrefinery_exporters=hookimpl(lambda: [exporter(fine)]))
    monkeypatch.setitem(sys.modules, made.__name__, made)
    assert set(check_plugin(made).exporters) == {*BUILT_IN.exporters, "made"}


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ({}, "a_plugin offers nothing: mark a function named docrefinery_exporters"),
        ({"docrefinery_exporters": hookimpl(nothing)}, "a_plugin offers nothing"),
        ({"docrefinery_exporters": list}, "without the mark @hookimpl"),
        ({"docrefinery_exporters": hookimpl(lambda: [exporter(fine, kind="text")])}, "both offer the exporter 'text'"),
        (
            {"docrefinery_exporters": hookimpl(lambda: [exporter(raising)])},
            "exporter 'made': with the document 'empty'",
        ),
        (
            {"docrefinery_profiles": hookimpl(lambda: [Profile(name="fine", summary="Not.", exports=("made",))])},
            "with the export 'made', which no loaded plugin offers",
        ),
        (
            {"docrefinery_profiles": hookimpl(lambda: [Profile(name="fine", summary="not", exports=())])},
            "profile 'fine': the summary 'not' is not one sentence",
        ),
    ],
)
def test_a_plugin_that_breaks_a_rule(monkeypatch: pytest.MonkeyPatch, hooks: dict[str, object], words: str) -> None:
    made = module("a_plugin", **hooks)
    monkeypatch.setitem(sys.modules, made.__name__, made)
    with pytest.raises(AssertionError, match=words):
        check_plugin(made)


def test_a_plugin_that_is_not_there() -> None:
    with pytest.raises(AssertionError, match="ModuleNotFoundError: No module named 'no_such_plugin'"):
        check_plugin("no_such_plugin")


PLUGIN = """
{first}
from docrefinery.plugin import Exporter, hookimpl

def write(document, stream):
    {body}

@hookimpl
def docrefinery_exporters():
    return [Exporter(kind="made", summary="A test.", content_type="text/plain", suffix=".made", write=write)]
"""


@pytest.mark.parametrize(
    ("first", "body", "words"),
    [
        ("import docling_core", "stream.write(b'x')", "imports docling_core, and the API process"),
        ("", "stream.write(str({'a', 'b', 'c', 'd', 'e', 'f'}).encode())", "sort what comes out of sets"),
        ("import sys", "stream.write(sys.modules['pytest'].__name__.encode())", "not in one of its own: .*KeyError"),
    ],
)
def test_what_shows_only_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, body: str, words: str
) -> None:
    name = f"plugin_{len(words)}"
    (tmp_path / f"{name}.py").write_text(PLUGIN.format(first=first, body=body))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AssertionError, match=f"(?s){words}"):
        check_plugin(name)


def test_what_a_converter_would_not_keep_is_not_kept_here_either() -> None:
    before = tempfile.gettempdir()
    exported(exporter(fine), documents()["empty"])
    assert tempfile.gettempdir() == before


def test_documents_are_made_anew_and_cover_what_exporters_meet() -> None:
    first, second = documents(), documents()
    assert all(first[name] == second[name] and first[name] is not second[name] for name in first)
    assert not list(first["empty"].iterate_items())
    assert any(cell.col_span > 1 for table in first["tables"].tables for cell in table.data.table_cells)
    assert [picture.image is None for picture in first["pictures"].pictures] == [False, True]
    assert len(first["long"].pages) == 200


def test_the_kit_needs_no_test_framework() -> None:
    code = "import sys; import docrefinery.plugin.testing; print('pytest' in sys.modules or '_pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]

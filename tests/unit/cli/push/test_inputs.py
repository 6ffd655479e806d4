"""Which files are meant, and where their results go."""

from pathlib import Path

from hypothesis import given, strategies as st

from docrefinery.cli.push.folders import Folders
from docrefinery.cli.push.inputs import Input, collect

names = st.sampled_from(["a", "b", "a.b", "é"])


def folders(inputs: list[Input], out: Path) -> list[Path]:
    chosen = Folders(inputs, out)
    return [chosen.at_last(each, "") for each in inputs]


paths = st.lists(st.tuples(st.lists(names, max_size=2), names), max_size=12)


@given(paths)
def test_no_two_files_share_a_folder_and_a_stem_that_is_alone_is_its_name(parts: list[tuple[list[str], str]]) -> None:
    inputs = [Input(Path("in", *above, f"{name}.pdf"), Path(*above, f"{name}.pdf")) for above, name in parts]
    places = folders(inputs, Path("out"))
    assert len(set(places)) == len(inputs)
    stems = [each.stem for each in inputs]
    for each, place in zip(inputs, places, strict=True):
        assert place.is_relative_to("out")
        if stems.count(each.stem) == 1:
            assert place == Path("out", each.stem)
    assert folders(inputs, Path("out")) == places


def test_equal_stems_keep_their_relative_paths_and_what_still_clashes_gets_a_number() -> None:
    inputs = [Input(Path(root, "x", "a.pdf"), Path("x/a.pdf")) for root in ("one", "two")]
    inputs.append(Input(Path("one/y/a.pdf"), Path("y/a.pdf")))
    assert [str(place) for place in folders(inputs, Path("out"))] == ["out/x/a", "out/x/a-2", "out/y/a"]


def test_a_file_that_is_named_twice_comes_once_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.PDF").touch()
    (tmp_path / "deep/up").symlink_to(tmp_path)
    (tmp_path / "deep/b.txt").touch()
    inputs, told = collect([str(tmp_path), str(tmp_path / "deep/a.PDF"), str(tmp_path)])
    assert [each.relative for each in inputs] == [Path("deep/a.PDF")]
    assert {outcome.error_code for outcome in told} == {"LINK_LOOP"}

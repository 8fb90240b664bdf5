from pathlib import Path

import pytest

from cgxas.errors import ConfigError, OutputError
from cgxas.writing import atomic_folder, atomic_path


def test_file_appears_only_at_the_end(tmp_path: Path):
    target = tmp_path / "a.csv"
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, ConfigError])
def test_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path, failure):
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(failure), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise failure
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_refusal_of_the_system_becomes_an_output_error(tmp_path: Path):
    with (
        pytest.raises(OutputError, match=r"a\.csv cannot be written: No such file"),
        atomic_path(tmp_path / "missing" / "a.csv") as temporary,
    ):
        temporary.write_text("x")


def test_block_that_writes_nothing_is_an_error(tmp_path: Path):
    with pytest.raises(OutputError), atomic_path(tmp_path / "a.csv"):
        pass


def test_folder_and_device_are_refused_before_the_block_runs(tmp_path: Path):
    for path in (tmp_path, "/dev/null"):
        with pytest.raises(OutputError, match="not a regular file"), atomic_path(path):
            pytest.fail("the block must not run")


def test_link_is_followed(tmp_path: Path):
    (tmp_path / "real.csv").write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    with atomic_path(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_longest_file_name_is_possible(tmp_path: Path):
    target = tmp_path / ("a" * 251 + ".csv")
    with atomic_path(target) as temporary:
        temporary.write_text("x")
    assert target.exists()


def test_folder_appears_whole(tmp_path):
    with atomic_folder(tmp_path / "above" / "new") as temporary:
        (temporary / "a").write_text("a")
        assert not (tmp_path / "above" / "new").exists()
    assert (tmp_path / "above" / "new" / "a").read_text() == "a"
    assert [path.name for path in (tmp_path / "above").iterdir()] == ["new"]


def test_folder_of_a_failed_block_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "new") as temporary:
        (temporary / "a").write_text("a")
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_folder_with_files_is_refused_and_an_empty_one_taken(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("mine")
    with pytest.raises(OutputError, match="exists already"), atomic_folder(tmp_path / "full"):
        pass
    assert (tmp_path / "full" / "a").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    with atomic_folder(tmp_path / "empty") as temporary:
        (temporary / "a").write_text("a")
    assert (tmp_path / "empty" / "a").exists()

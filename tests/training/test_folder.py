import json

import pytest
import torch

from cgxas.errors import CheckpointError, ConfigError, DatasetError, OutputError
from cgxas.training.folder import RunFolder, check_folder, environment, is_run, open_run


def test_a_run_folder_tells_what_was_saved(finished_run, oxides):
    path = finished_run("one", kind="element", element="Fe")
    found = open_run(path)
    assert isinstance(found, RunFolder)
    assert (found.name, found.kind, found.element, found.split_by) == (
        "one",
        "element",
        "Fe",
        "formula",
    )
    assert found.data == (oxides,)
    assert found.command == "cgxas train one.toml"
    assert found.environment["torch"] == "2.6"
    assert found.path == path
    assert "path" not in json.loads((path / "run.json").read_text())  # it may be moved
    moved = path.rename(path.with_name("moved"))
    assert open_run(moved).model == moved / "one.safetensors"


def test_results_of_a_finished_run(finished_run):
    found = open_run(finished_run("one"))
    log = found.log()
    assert log["epoch"].tolist() == [1, 2, 3]
    assert log["validation_rse"].tolist() == [0.2, 0.05, 0.04]
    assert len(found.tested()) == 18
    assert found.checkpoint().name == "one"


def test_results_of_a_run_that_has_only_begun(finished_run):
    found = open_run(finished_run("one"))
    for name in ("log.csv", "test.parquet", "one.safetensors"):
        (found.path / name).unlink()
    with pytest.raises(ConfigError, match=r"has no readable log\.csv: no epoch is done"):
        found.log()
    with pytest.raises(DatasetError):
        found.tested()
    with pytest.raises(CheckpointError):
        found.checkpoint()


@pytest.mark.parametrize("text", ["", "epoch,loss\n", "epoch,loss\n1\n", "epoch\nmany\n"])
def test_damaged_logs_are_refused(finished_run, text):
    found = open_run(finished_run("one"))
    (found.path / "log.csv").write_text(text)
    with pytest.raises(ConfigError, match="no readable"):
        found.log()


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", "{}", '{"data": ["a"], "colour": 3}', '{"data": 3}']
)
def test_other_folders_are_no_runs(tmp_path, text):
    with pytest.raises(ConfigError, match="is not a run folder"):
        open_run(tmp_path)
    assert not is_run(tmp_path)
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=r"run\.json is (not a readable run|empty)"):
        open_run(tmp_path)


def test_a_run_is_only_gone_on_with_if_that_is_wanted(finished_run, tmp_path):
    path = finished_run("one")
    with pytest.raises(OutputError, match="holds a run; go on with --resume"):
        check_folder(path, resume=False)
    check_folder(path, resume=True)
    check_folder(tmp_path / "new", resume=False)
    (tmp_path / "file").write_text("a text")
    for resume in (False, True):
        with pytest.raises(OutputError, match="is not a folder"):
            check_folder(tmp_path / "file", resume)


def test_environment_tells_versions_and_processes():
    told = environment(3, torch.device("cpu"))
    assert told["torch"] == torch.__version__
    assert (told["device"], told["processes"]) == ("CPU", "3")
    assert json.loads(json.dumps(told)) == told

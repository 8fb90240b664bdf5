import os

import pytest

from cgxas.cli import main
from cgxas.errors import ConfigError
from cgxas.serve.files import Upload, crystal_name, forget, lent_folder, spectrum_name
from cgxas.serve.settings import ServerSettings


def test_other_machines_need_a_token():
    with pytest.raises(ConfigError, match="give a token"):
        ServerSettings(host="0.0.0.0")
    ServerSettings(host="0.0.0.0", token="a-token-of-more-than-16")
    with pytest.raises(ConfigError, match="16 characters"):
        ServerSettings(token="short")


def test_the_command_refuses_in_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["serve", "--host", "0.0.0.0"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b\\c.cif", "\0.cif", "POSCAR", "x" * 3000, "", "..", "a\n.cif"]
)
def test_no_part_of_a_name_becomes_a_path(name):
    for own in (crystal_name(name), spectrum_name(name)):
        assert own.replace(".", "").isalnum() and not own.startswith(".") and len(own) < 40
    shown = Upload(name, b"").shown
    assert "/" not in shown and "\\" not in shown and shown.isprintable() and 0 < len(shown) <= 100


def test_formats_are_still_known_by_their_names():
    assert crystal_name("My.CIF.gz").endswith(".cif")
    assert "poscar" in crystal_name("POSCAR_Fe2O3")
    assert spectrum_name("scan.PRJ").endswith(".prj")


def test_nothing_is_left_behind():
    with lent_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_what_a_killed_process_leaves_is_deleted():
    with lent_folder() as folder:
        forget(os.getpid() + 1)
        assert folder.is_dir()
        forget(os.getpid())
        assert not folder.exists()

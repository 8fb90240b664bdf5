"""Wrong settings and words: one sentence, exit 2, nothing read or run, no folder left behind."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOOD = """
name = "tiny"
[model]
hidden = 8
n_modules = 1
n_head_layers = 1
wave_numbers = 0
[training]
epochs = 1
batch_crystals = 2
[split]
train = 0.6
validation = 0.2
"""

# name of the case: (content of the file, what the sentence says after the name of the file)
FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "name is missing; it must be a name for a file"),
    "only a comment": ("# name = 'a'", "name is missing"),
    "not TOML": ("name = [", "is not a readable TOML file: "),
    "JSON": ('{"name": "a"}', "is not a readable TOML file: "),
    "not UTF-8": ("name = 'Größe'".encode("latin-1"), "is not a readable TOML file: "),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "is not a readable TOML file: "),
    "a key twice": ("name = 'a'\nname = 'b'", "is not a readable TOML file: "),
    "nested too deep": ("name = " + "[" * 100_000, "is not a readable TOML file: "),
    "a huge number": (
        f"name = 'a'\n[training]\nepochs = {'9' * 5000}",
        "is not a readable TOML file: ",
    ),
    "a huge hexadecimal number": (
        f"name = 'a'\n[training]\nepochs = 0x{'f' * 5000}",
        "training.epochs = a number of thousands of digits; it must be a whole number from 1 to",
    ),
    "no name": ("[model]\nhidden = 8", "name is missing"),
    "name with a slash": ("name = 'a/b'", "name = 'a/b'; it must be a name for a file: printable"),
    "name of a folder": ("name = '..'", "name = '..'; it must be a name for a file"),
    "name of two lines": ('name = "a\\nb"', "it must be a name for a file"),
    "long name": (f"name = '{'a' * 300}'", "name = 'aaa"),
    "number as name": ("name = 3", "name = 3; it must be a name for a file"),
    "name in a table": ("[name]\nfirst = 'a'", "name = {'first': 'a'}; it must be a name for a"),
    "unknown table": (
        "name = 'a'\n[modle]\nhidden = 8",
        "there is no key or table 'modle'; did you mean model?",
    ),
    "unknown key": (
        "name = 'a'\n[training]\nepoch = 8",
        "there is no key 'epoch' in [training]; did you mean epochs?",
    ),
    "quite unknown key": (
        "name = 'a'\n[split]\ncolour = 'red'",
        "there is no key 'colour' in [split]; there are by, train, validation and seed",
    ),
    "key outside its table": (
        "name = 'a'\nhidden = 8",
        "there is no key or table 'hidden'; did you mean model.hidden?",
    ),
    "name inside a table": (
        "name = 'a'\n[model]\nname = 'b'",
        "there is no key 'name' in [model]; there are architecture, graph",
    ),
    "number as table": ("name = 'a'\nmodel = 3", "model = 3; it must be a table with keys such"),
    "list of tables": (
        "name = 'a'\n[[training]]\nepochs = 3",
        "training = [{'epochs': 3}]; it must be a table",
    ),
    "table as value": (
        "name = 'a'\n[training.epochs]\nfirst = 3",
        "training.epochs = {'first': 3}; it must be a whole number from 1 to 1000000",
    ),
    "text as number": (
        "name = 'a'\n[training]\nlearning_rate = 'fast'",
        "training.learning_rate = 'fast'; it must be a finite number above 0 and at most 1",
    ),
    "digits as number": (
        "name = 'a'\n[model]\nhidden = '8'",
        "model.hidden = '8'; it must be a whole number from 1 to 4096",
    ),
    "fraction as whole number": (
        "name = 'a'\n[model]\nn_modules = 2.5",
        "model.n_modules = 2.5; it must be a whole number from 1 to 32",
    ),
    "true as number": (
        "name = 'a'\n[training]\nepochs = true",
        "training.epochs = true; it must be a whole number",
    ),
    "true as fraction": (
        "name = 'a'\n[training]\nbalance = true",
        "training.balance = true; it must be a finite number from 0 to 1",
    ),
    "date as number": (
        "name = 'a'\n[training]\nepochs = 2026-01-02",
        "training.epochs = datetime.date(2026, 1, 2); it must be a whole number",
    ),
    "text as true or false": (
        "name = 'a'\n[training]\ncompile = 'no'",
        "training.compile = 'no'; it must be true or false",
    ),
    "number as true or false": (
        "name = 'a'\n[training]\ncompile = 1",
        "training.compile = 1; it must be true or false",
    ),
    "text as list": (
        "name = 'a'\n[model]\nfidelities = 'FEFF'",
        "model.fidelities = 'FEFF'; it must be a list of at most 256 different names, such as",
    ),
    "numbers in a list of texts": (
        "name = 'a'\n[model]\nfidelities = [9, 10]",
        "model.fidelities = [9, 10]; it must be a list",
    ),
    "a fidelity twice": (
        "name = 'a'\n[model]\nfidelities = ['FEFF9', 'FEFF9']",
        "model.fidelities = ['FEFF9', 'FEFF9']; it must be a list of at most 256 different",
    ),
    "a fidelity without a name": ("name = 'a'\n[model]\nfidelities = ['']", "it must be a list"),
    "300 fidelities": (
        f"name = 'a'\n[model]\nfidelities = {[str(n) for n in range(300)]}",
        "it must be a list of at most 256 different names",
    ),
    "list as choice": (
        "name = 'a'\n[training]\noptimiser = ['adam']",
        "training.optimiser = ['adam']; it must be adam or adamw",
    ),
    "unknown optimiser": (
        "name = 'a'\n[training]\noptimiser = 'sgd'",
        "training.optimiser = 'sgd'; it must be adam or adamw",
    ),
    "unknown schedule": (
        "name = 'a'\n[training]\nschedule = 'linear'",
        "training.schedule = 'linear'; it must be constant, step or cosine",
    ),
    "unknown activation": (
        "name = 'a'\n[model]\nhead_activation = 'relu'",
        "model.head_activation = 'relu'; it must be elu or silu",
    ),
    "unknown split": (
        "name = 'a'\n[split]\nby = 'colour'",
        "split.by = 'colour'; it must be formula, material or spectrum",
    ),
    "no epochs": ("name = 'a'\n[training]\nepochs = 0", "training.epochs = 0; it must be a whole"),
    "too many epochs": ("name = 'a'\n[training]\nepochs = 1_000_001", "training.epochs = 1000001"),
    "infinite rate": (
        "name = 'a'\n[training]\nlearning_rate = inf",
        "training.learning_rate = inf; it must be a finite number above 0 and at most 1",
    ),
    "rate that is no number": (
        "name = 'a'\n[training]\nlearning_rate = nan",
        "training.learning_rate = nan; it must be a finite number",
    ),
    "no rate": ("name = 'a'\n[training]\nlearning_rate = 0.0", "training.learning_rate = 0.0"),
    "huge rate": ("name = 'a'\n[training]\nlearning_rate = 1e300", "learning_rate = 1e+300"),
    "gradients of no length": ("name = 'a'\n[training]\nclip_norm = 0", "training.clip_norm = 0"),
    "negative weight": (
        "name = 'a'\n[training]\nuncertain_weight = -0.5",
        "training.uncertain_weight = -0.5; it must be a finite number from 0 to 1",
    ),
    "negative seed": (
        "name = 'a'\n[training]\nseed = -1",
        "training.seed = -1; it must be a whole number from 0 to 4294967295",
    ),
    "negative seed of the split": ("name = 'a'\n[split]\nseed = -1", "split.seed = -1"),
    "huge seed": ("name = 'a'\n[split]\nseed = 4294967296", "split.seed = 4294967296"),
    "huge network": ("name = 'a'\n[model]\nhidden = 1_000_000", "model.hidden = 1000000; it must"),
    "no network": ("name = 'a'\n[model]\nn_head_layers = 0", "model.n_head_layers = 0; it must be"),
    "one energy": (
        "name = 'a'\n[model]\nn_outputs = 1",
        "model.n_outputs = 1; it must be a whole number from 2 to 4096",
    ),
    "everything dropped": (
        "name = 'a'\n[model]\ndropout = 1.0",
        "model.dropout = 1.0; it must be a finite number of at least 0 and below 1",
    ),
    "too many waves": ("name = 'a'\n[model]\nwave_numbers = 17", "model.wave_numbers = 17; it"),
    "no test part": (
        "name = 'a'\n[split]\ntrain = 0.8\nvalidation = 0.2",
        "split.train = 0.8 and split.validation = 0.2 leave no test part; together they must be",
    ),
    "no validation part": ("name = 'a'\n[split]\nvalidation = 0.0", "split.validation = 0.0; it"),
    "more than everything": ("name = 'a'\n[split]\ntrain = 1.5", "split.train = 1.5; it must be"),
}

# name of the case: (words after the file, what the sentence says)
WORDS: dict[str, tuple[list[str], str]] = {
    "no value": (["training.epochs"], "'training.epochs' is not KEY=VALUE, such as training.ep"),
    "no folder of data": (["/data/two"], "every folder of data has a --data of its own"),
    "empty value": (["training.epochs="], "training.epochs = ''; it must be a whole number from"),
    "no key": (
        ["=5"],
        "there is no key or table ''; there are name, model, training, split and kernel",
    ),
    "no table": (["epochs=5"], "there is no key or table 'epochs'; did you mean training.epochs?"),
    "unknown table": (["trainig.epochs=5"], "no key or table 'trainig'; did you mean training?"),
    "unknown key": (["training.epoch=5"], "no key 'epoch' in [training]; did you mean epochs?"),
    "key of a value": (["name.first=a"], "there is no key 'name.first': name is not a table"),
    "key of a value of a table": (
        ["training.epochs.first=5"],
        "there is no key 'training.epochs.first': epochs is not a table",
    ),
    "dot at the end": (["training.=5"], "there is no key '' in [training]; there are epochs"),
    "number as table": (["training=5"], "training = 5; it must be a table with keys such as epo"),
    "out of range": (["training.epochs=0"], "training.epochs = 0; it must be a whole number"),
    "text": (["training.epochs=many"], "training.epochs = 'many'; it must be a whole number"),
    "not finite": (["training.learning_rate=inf"], "training.learning_rate = inf; it must be"),
    "true of Python": (["training.compile=True"], "training.compile = 'True'; it must be true or"),
    "list of bare texts": (["model.fidelities=[a,b]"], "model.fidelities = '[a,b]'; it must be a"),
    "bare text as list": (["model.fidelities=FEFF9"], "model.fidelities = 'FEFF9'; it must be a"),
    "name with a slash": (["name=a/b"], "name = 'a/b'; it must be a name for a file"),
    "number as name": (["name=3"], "name = 3; it must be a name for a file"),
    "two that do not fit": (
        ["split.train=0.9", "split.validation=0.2"],
        "split.train = 0.9 and split.validation = 0.2 leave no test part",
    ),
    "one that does not fit the file": (["split.train=0.9"], "split.validation = 0.2 leave no t"),
    "the last one is wrong": (["training.epochs=2", "training.epochs=-2"], "training.epochs = -2"),
    "two lines": (["name=a\n[model]\nhidden=8"], "it must be a name for a file"),
}


@pytest.fixture
def refused_settings(refused, tmp_path, monkeypatch) -> Callable[..., str]:
    """Train with a file and words; return the line it is refused with before data are read."""

    def read(*_: object, **__: object) -> None:
        raise AssertionError("the data were read")

    monkeypatch.setattr("cgxas.verbs.read_data", read)

    def run(content: str | bytes, *words: str, prepare: bool = False) -> str:
        path = tmp_path / "bad.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        more = ["--prepare"] if prepare else []
        line = refused("train", path, *words, "--data", tmp_path, "-o", "new/run", *more)
        assert "pydantic" not in line
        return line.removeprefix(f"cgxas: {path}")

    return run


@pytest.mark.parametrize("case", FILES)
def test_a_wrong_file_is_refused_in_one_line(refused_settings, case):
    content, says = FILES[case]
    assert says in refused_settings(content)


@pytest.mark.parametrize("case", WORDS)
def test_wrong_words_are_refused_in_one_line(refused_settings, case):
    words, says = WORDS[case]
    line = refused_settings(GOOD, *words)
    assert says in line
    assert " with " in line


def test_preparing_a_run_refuses_them_as_well(refused_settings):
    assert "training.epochs = 0" in refused_settings(GOOD, "training.epochs=0", prepare=True)


def test_a_missing_file_and_a_folder_are_refused(refused, tmp_path):
    for path, reason in ((tmp_path / "none.toml", "no such file"), (tmp_path, "is a folder")):
        line = refused("train", path, "--data", tmp_path, "-o", "run")
        assert str(path) in line
        assert reason in line


@pytest.mark.parametrize("words", [["training.epoch=5"], ["--config", "bad.toml"]])
def test_tuning_refuses_them_as_well(refused, random_model, tmp_path, words):
    bad = tmp_path / "bad.toml"
    bad.write_text("name = 'a'\n[training]\nepoch = 5")
    words = [str(bad) if word == "bad.toml" else word for word in words]
    order = ("finetune", random_model, "--data", tmp_path, "-o", "run", "--element", "Fe")
    line = refused(*order, *words)
    assert "there is no key 'epoch' in [training]; did you mean epochs?" in line


@pytest.mark.parametrize(
    "word", ["model.hidden=8", "split.by=spectrum", "model.fidelities=['FEFF9']"]
)
def test_tuning_keeps_network_and_split(refused, random_model, tmp_path, word):
    order = ("finetune", random_model, "--data", tmp_path, "-o", "run", "--element", "Fe")
    line = refused(*order, word)
    assert "keeps the network and the split of random" in line


def test_the_file_beside_these_is_good(cgxas, oxides, tmp_path):
    path: Path = tmp_path / "good.toml"
    path.write_text(GOOD)
    words = ("split.by=spectrum", "--data", oxides, "-o", tmp_path / "run")
    assert cgxas("train", path, *words).code == 0
    assert (tmp_path / "run" / "tiny.safetensors").exists()

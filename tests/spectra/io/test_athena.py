import dataclasses
import gzip
import json

import numpy as np
import pytest

from cgxas.errors import OutputError, SpectrumError, UnclearSpectrum, UnreadableSpectrum
from cgxas.spectra.io.read import read_scan
from cgxas.spectra.io.scan import Scan
from cgxas.spectra.io.write import write_spectra
from cgxas.spectra.normalise import normalise

pytest.importorskip("larch")


@pytest.fixture
def project(tmp_path, scanned):
    """A project of two groups, the second shifted in Athena by 1.5 eV."""
    measured = [
        normalise(Scan(*scanned(e0), "mu", "columns", "a.dat", name, "Fe", "K", shift))
        for name, e0, shift in (("hematite, 10 K", 7120.0, 0.0), ("it's FeO", 7118.0, 1.5))
    ]
    write_spectra(measured, tmp_path / "two.prj")
    return tmp_path / "two.prj"


def test_a_group_is_read_by_name_and_its_shift_kept_beside(project, scanned):
    scan = read_scan(project, "it_s FeO")
    energy, mu = scanned(7118.0)
    np.testing.assert_allclose(scan.energy, energy, atol=1e-6)
    np.testing.assert_allclose(scan.mu, mu, atol=1e-6)
    assert (scan.element, scan.edge, scan.energy_shift) == ("Fe", "K", 1.5)


def test_several_groups_and_none_chosen_is_refused_with_their_names(project):
    with pytest.raises(UnclearSpectrum, match="holds 2 groups: hematite, 10 K, it_s FeO; choose"):
        read_scan(project)
    with pytest.raises(UnclearSpectrum, match="no group 'FeO'"):
        read_scan(project, "FeO")


def test_names_that_larch_cannot_tell_apart_are_made_different(tmp_path, scanned):
    scans = [Scan(*scanned(e0), "mu", "columns", "a", "Fe-1", "Fe", "K") for e0 in (7120.0, 7122.0)]
    write_spectra([normalise(scan) for scan in scans], tmp_path / "a.prj")
    with pytest.raises(UnclearSpectrum, match=r"holds 2 groups: Fe-1, Fe-1 \(2\);"):
        read_scan(tmp_path / "a.prj")
    np.testing.assert_allclose(
        read_scan(tmp_path / "a.prj", "Fe-1 (2)").energy, scanned(7122.0)[0], atol=1e-6
    )


def test_groups_of_one_name_are_told_apart_and_chosen_by_number_too(project, scanned):
    text = gzip.decompress(project.read_bytes()).decode().replace("it_s FeO", "hematite, 10 K")
    project.write_text(text)
    with pytest.raises(UnclearSpectrum, match=r"2 groups: hematite, 10 K, hematite, 10 K \(2\);"):
        read_scan(project)
    for name, e0 in (("hematite, 10 K", 7120.0), ("1", 7120.0), ("2", 7118.0)):
        assert read_scan(project, name).energy[0] == pytest.approx(scanned(e0)[0][0])
    assert read_scan(project, "hematite, 10 K (2)").energy_shift == 1.5
    with pytest.raises(UnclearSpectrum, match="no group '3'"):
        read_scan(project, "3")


def test_a_single_group_needs_no_choice(tmp_path, scanned, spectrum):
    write_spectra([spectrum], tmp_path / "one.prj")
    scan = read_scan(tmp_path / "one.prj")
    np.testing.assert_allclose(scan.mu, spectrum.norm, atol=1e-6)
    assert scan.label == "Fe2O3, Fe K edge"


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(OutputError, match="at least one"):
        write_spectra([], tmp_path / "none.prj")
    assert not (tmp_path / "none.prj").exists()


def test_larch_reads_and_normalises_our_project_alike(measurement, spectrum, tmp_path):
    from larch.io import read_athena

    write_spectra([measurement, spectrum], tmp_path / "a.prj")
    project = read_athena(str(tmp_path / "a.prj"))
    measured, predicted = project.groups.values()
    np.testing.assert_allclose(measured.mu, measurement.mu, rtol=0, atol=1e-6)
    np.testing.assert_allclose(measured.norm, measurement.norm, rtol=0, atol=0.02)
    assert measured.e0 == pytest.approx(measurement.e0)
    np.testing.assert_allclose(predicted.mu, spectrum.norm, rtol=0, atol=1e-6)


def test_a_project_is_the_same_every_time_but_for_its_date(measurement, tmp_path):
    texts = []
    for name in ("a.prj", "b.prj"):
        measurement.save(tmp_path / name)
        lines = gzip.decompress((tmp_path / name).read_bytes()).decode().splitlines()
        texts.append([line for line in lines if "created at" not in line])
    assert texts[0] == texts[1]


def test_the_kind_comes_back(measurement, spectrum, tmp_path):
    given = dataclasses.replace(measurement, kind="normalised", mu=measurement.norm, label="given")
    write_spectra([measurement, spectrum, given], tmp_path / "a.prj")
    kinds = [
        read_scan(tmp_path / "a.prj", group).kind for group in ("hematite", spectrum.label, "given")
    ]
    assert kinds == ["transmission", "simulated", "normalised"]


@pytest.mark.parametrize(
    ("flags", "kind"), [("is_nor", "normalised"), ("is_xmudat", "simulated"), ("is_ref", "mu")]
)
def test_a_group_that_cgxas_did_not_write_tells_its_kind_by_its_flags(
    measurement, tmp_path, flags, kind
):
    measurement.save(tmp_path / "a.prj")
    text = gzip.decompress((tmp_path / "a.prj").read_bytes()).decode()
    text = text.replace("cgxas: kind", "somebody").replace(f"'{flags}', '0'", f"'{flags}', '1'")
    (tmp_path / "a.prj").write_text(text)
    assert read_scan(tmp_path / "a.prj").kind == kind


def test_larch_reads_the_band_and_what_we_tell(banded, tmp_path, half_step):
    from larch.io import read_athena

    banded.save(tmp_path / "a.prj")
    (group,) = read_athena(str(tmp_path / "a.prj"), do_preedge=False).groups.values()
    np.testing.assert_allclose(group.stddev, banded.sigma, rtol=1e-9)
    told = f"cgxas: kind simulated, model m1, half_step {half_step:.6f} eV"
    assert group.athena_params.annotation == told
    assert group.athena_params.bkg.e0 == pytest.approx(banded.e0)


def test_sites_are_groups_of_their_own_when_wanted(spectrum, tmp_path):
    spectrum.save(tmp_path / "a.prj", sites=True)
    with pytest.raises(UnclearSpectrum, match=r"holds 3 groups: .*, site 4, .*, site 9;"):
        read_scan(tmp_path / "a.prj")
    site = read_scan(tmp_path / "a.prj", f"{spectrum.label}, site 9")
    np.testing.assert_allclose(site.mu, spectrum.sites[1].norm, rtol=1e-12)


def test_a_curve_without_an_edge_is_refused(flat, tmp_path):
    with pytest.raises(SpectrumError, match="no edge"):
        flat.save(tmp_path / "a.prj")
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_name_says_athena_must_be_of_athena(tmp_path):
    for name, data in (("words", b"\x1f\x8b\x08\x00broken"), ("columns", b"1 2\n3 4\n")):
        (tmp_path / f"{name}.prj").write_bytes(data)
        with pytest.raises(UnreadableSpectrum, match=r"damaged|cut short"):
            read_scan(tmp_path / f"{name}.prj")


def test_a_project_is_recognised_by_what_it_holds(project):
    packed = project.read_bytes()
    for data in (packed, gzip.decompress(packed)):
        project.with_name("a.txt").write_bytes(data)
        assert read_scan(project.with_name("a.txt"), "hematite, 10 K").format == "Athena project"
    project.with_name("a.txt").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(UnreadableSpectrum, match=r"no spectrum that Larch reads|no columns"):
        read_scan(project.with_name("a.txt"))


HEAD = "# Athena project file -- Demeter version 0.9.26\n# Using Demeter 0.9.26 with perl\n\n"
POINTS = 7000 + np.arange(60.0)


def a_project(args: str, head: str = HEAD, x: str | None = None, rest: str = "") -> str:
    """Return the text of a project of one group as Athena writes it."""
    values = "(" + ",".join(f"'{each:.4f}'" for each in POINTS) + ")"
    return (
        f"{head}$old_group = 'abcde';\n@args = ({args});\n@x = {x or values};\n@y = {values};\n"
        f"@i0 = (1..3);\n[record]   # create object\n\n@journal = ('a\nb', 'it\\'s');\n{rest}\n1;\n"
    )


@pytest.fixture
def read(tmp_path):
    """Reads the text of a project."""

    def from_text(text: str, group: str | None = None) -> Scan:
        (tmp_path / "a.prj").write_text(text)
        return read_scan(tmp_path / "a.prj", group)

    return from_text


@pytest.mark.parametrize(
    ("args", "absorber"),
    [
        ("'bkg_z','La','fft_edge','l3'", ("La", "L3")),
        ("'bkg_z'=>'fe','fft_edge'=>'K'", ("Fe", "K")),
        ("'bkg_z','Pt', 'fft_edge', 'L3', 'atsym', 'Au', 'edge', 'L2'", ("Au", "L2")),
        ("'bkg_z','H','fft_edge','k'", ("", "")),
        ("'fft_edge','k'", ("", "")),
        ("", ("", "")),
    ],
)
def test_element_and_edge_are_those_the_project_states(read, args, absorber):
    scan = read(a_project(args))
    assert (scan.element, scan.edge) == absorber
    np.testing.assert_array_equal(scan.energy, POINTS)


def test_what_larch_guesses_is_no_statement(read):
    head = HEAD.replace("Using Demeter", "Using Larch version 2026.3.1, Python")
    assert read(a_project("'bkg_z','La','fft_edge','k'", head)).element == ""
    assert read(a_project("'bkg_z','La','fft_edge','l3'", head)).edge == "L3"


@pytest.mark.parametrize(
    ("args", "label"),
    [
        (r"'label','it\'s \\ 5%'", r"it's \ 5%"),
        (r"""'label',"\x{b5}m \$a \@b \"c\" \x41" """, 'µm $a @b "c" A'),
        ("'label',q{a 'b' (c)}, 'titles', ['x', [1, {'a' => 'b'}]]", "a 'b' (c)"),
        ("'label',17", "17"),
        ("'label', undef", "abcde"),
        ("'titles', ['label', 'x'], 'label', ' a\n b '", "a b"),
    ],
)
def test_texts_are_read_as_perl_quotes_them(read, args, label):
    assert read(a_project(args)).label == label


def test_an_old_project_is_read(read):
    head = "# Athena project file -- Athena version 0.8.056\n# using linux, perl 5.008\n\n\n"
    args = "'bkg_eshift','1.25','bkg_z','Fe','detectors',[],'fft_edge','K','is_chi',0,'is_nor',1"
    scan = read(
        a_project(args, head, rest="%plot_features = ('a' => undef);").replace("\n", "\r\n")
    )
    assert (scan.element, scan.energy_shift, scan.kind) == ("Fe", 1.25, "normalised")


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ("'is_chi',1", r"chi\(k\)"),
        ("'datatype','chi'", r"chi\(k\)"),
        ("'datatype','detector'", "of a detector"),
        ("'is_diff','1'", "a difference of spectra"),
    ],
)
def test_a_group_without_mu_is_named(read, args, what):
    with pytest.raises(UnreadableSpectrum, match=f"group 'abcde' holds no mu.E., it is {what}"):
        read(a_project(args))


def test_a_project_in_json_is_read(read):
    row = [f"{each}" for each in POINTS]
    groups = {
        name: {"args": {"label": "one", "bkg_z": "Fe", "is_nor": flag}, "x": row, "y": [*POINTS]}
        for name, flag in (("aaaaa", "0"), ("bbbbb", 1))
    }
    data = {"_____header1": HEAD.splitlines()[0], **groups}
    assert [read(json.dumps(data), n).kind for n in "12"] == ["mu", "normalised"]
    data["_____order"] = ["bbbbb", "aaaaa"]
    assert [read(json.dumps(data), n).kind for n in "12"] == ["normalised", "mu"]
    np.testing.assert_array_equal(read(json.dumps(data), "one").energy, POINTS)


@pytest.mark.parametrize("bad", [[None], ["x"], [[1]], "1", [True], [1e999], {}])
@pytest.mark.parametrize("name", ["x", "args", "_____order"])
def test_a_project_in_json_that_holds_other_things_is_refused(read, name, bad):
    group = {"args": {}, "x": [*POINTS], "y": [*POINTS]}
    data = {"_____header1": HEAD.splitlines()[0], "_____order": ["a"], "a": group}
    (data if name.startswith("_") else group)[name] = bad
    if name != "args":
        with pytest.raises(SpectrumError, match=r"a\.prj"):
            normalise(read(json.dumps(data)))
    else:
        assert read(json.dumps(data)).label == "a"


CODE = (
    "(1..1e9)",
    "(9**9**9)",
    "('a' x 1e10)",
    "('a'*10**10)",
    "('1' . '2')",
    "(`touch MARK`)",
    "(system('touch MARK'))",
    "(open('MARK', 'w'))",
    "(__import__('os').system('touch MARK'))",
    "[open('MARK', 'w').write('x') for i in range(9)]",
    "qx{touch MARK}",
    "(<STDIN>)",
    "(@ARGV)",
    "('1'); system('touch MARK')",
    "('1'); while (1) {}",
    "do 'MARK'",
    "eval('1')",
    "read_ascii('/etc/passwd')",
    "(numpy.ones(10**10))",
    "('1' '2')",
    "('1'",
    "",
)


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("where", ["$old_group", "@args", "@x", "@y"])
def test_code_in_a_project_is_refused_with_its_line(read, tmp_path, monkeypatch, code, where):
    monkeypatch.chdir(tmp_path)
    lines = a_project("'label','a'").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(where))
    lines[at] = f"{where} = {code};"
    with pytest.raises(
        UnreadableSpectrum, match=rf"line ({at + 1}|{at + 2}) of a\.prj.*not obeyed"
    ):
        read("\n".join(lines))
    assert [each.name for each in tmp_path.iterdir()] == ["a.prj"]


@pytest.mark.parametrize("code", CODE)
def test_code_that_no_curve_needs_is_passed_over(read, tmp_path, monkeypatch, code):
    monkeypatch.chdir(tmp_path)
    text = a_project("'label','a'", rest=f"@i0 = {code};\n@journal = {code};\n{code};")
    np.testing.assert_array_equal(read(text).energy, POINTS)
    assert [each.name for each in tmp_path.iterdir()] == ["a.prj"]


def test_numbers_of_a_project_are_bounded(read, monkeypatch):
    text = a_project("'label','a'")
    monkeypatch.setenv("CGXAS_MAX_POINTS", "59")
    with pytest.raises(UnreadableSpectrum, match=r"60 points.*CGXAS_MAX_POINTS"):
        read(text)
    monkeypatch.setenv("CGXAS_MAX_PARAMETERS", "1")
    with pytest.raises(UnreadableSpectrum, match="CGXAS_MAX_PARAMETERS"):
        read(text)
    monkeypatch.setenv("CGXAS_MAX_GROUPS", "2")
    with pytest.raises(UnreadableSpectrum, match=r"3 groups.*CGXAS_MAX_GROUPS"):
        read(HEAD + "[record]\n" * 3)


def test_energies_and_mu_must_be_as_many_numbers(read):
    with pytest.raises(UnreadableSpectrum, match="2 energies, but 60 values"):
        read(a_project("", x="(1, 2)"))
    for word in ("'one'", "'1_0'", "''", "'" + "1" * 100 + "'"):
        with pytest.raises(UnreadableSpectrum, match="else than a number"):
            read(a_project("", x=f"({word})"))


@pytest.mark.parametrize(
    "text", [HEAD + "@x = ('1');\n@x = ('1');\n[record]\n", HEAD + "@x = (1);\n@y = (1);\n"]
)
def test_a_project_with_a_repeated_field_or_a_missing_end_is_refused(read, text):
    with pytest.raises(UnreadableSpectrum, match="damaged"):
        read(text)

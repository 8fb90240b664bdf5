"""What FEFF10 prints is understood: excerpts of true logs, and what is told of them."""

from pathlib import Path

import pytest

from cgxas.simulation.log import FeffLog

STARTED = "@cgxas rdinp\nLaunching FEFF version FEFF 10.0.0\n\n@cgxas atomic\nCalculating ...\n"
FAILED = """@cgxas stage 'atomic' failed (exit code: {code}): worker exited with exit status: {code}
.feff.error:  Starting FEFF9 module atomic.  If this message is still here after the module f
 inishes running, it must have crashed. The content of this file is wiped on suc
 cessful termination.
"""
LONE = """ FRNRM Could not integrate enough charge to reach required z.
 Atom type Z=           26  charge found=    25.9999994363733       r=   40.4473041792538
Cannot determine Norman radius -- quitting.
FRNRM-1
1
"""
CLOSE = """ :WARNING  TWO ATOMS VERY CLOSE TOGETHER. CHECK INPUT.
 atoms        1       2 distance   0.60000E+00 Angstrom
    1  0.00000E+00  0.00000E+00  0.00000E+00 Z=   8
    2  0.00000E+00  0.00000E+00  6.00000E-01 Z=   1
"""
FULL = """forrtl: {reason}
forrtl: severe (38): error during write, unit 5, file /tmp/x/apot.bin
Image              PC                Routine            Line        Source
libc.so.6          00007F735E5278EC  Unknown               Unknown  Unknown
"""


@pytest.fixture
def log(tmp_path):
    """Write a log, read it, and return what became of it, with the stages it told of."""

    def read(text: str) -> tuple[FeffLog, list[str]]:
        path, stages = tmp_path / "log", []
        path.unlink(missing_ok=True)
        found = FeffLog(path, stages.append)
        found.read_on()  # it is not there yet
        for end in range(7, len(text) + 7, 7):  # as it grows, lines and all
            path.write_text(text[:end])
            found.read_on()
        return found, stages

    return read


def test_stages_are_told_once_each_as_they_start(log):
    found, stages = log(STARTED)
    assert stages == ["rdinp", "atomic"]
    assert found.where == "atomic"
    assert not FeffLog(Path("nowhere")).is_converged


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (LONE, "an atom has no sphere that holds its electrons, as where it stands too far"),
        (":WARNING   Fatal error in subroutine corval.\nCORVAL-1\n1\n", "too close together"),
        (FULL.format(reason="No space left on device"), "set TMPDIR to one with room"),
        (FULL.format(reason="File too large"), "lift 'ulimit -f'"),
        (FULL.format(reason="Something else"), "error during write, unit 5, file /tmp/x/apot.bin"),
        (
            "Unique potentials must be between 0 and  31\n 32 not allowed\n",
            "31 beside the absorber",
        ),
        (" Bad mesh in phmesh\nPHMESH-1\n1\n", "Bad mesh in phmesh"),
        ("", "stage 'atomic' failed (exit code: 1)"),
    ],
)
def test_why_a_run_failed_is_told_in_a_line(log, printed, told):
    found, _ = log(STARTED.replace("Calculating ...\n", "") + printed + FAILED.format(code=1))
    assert found.failure(1).startswith("fails in atomic: ")
    assert told in found.failure(1)
    assert "\n" not in found.failure(1)


def test_what_the_system_ends_is_not_said_of_the_crystal(log):
    ended = "@cgxas stage 'atomic' failed (signal: 9): worker terminated by signal: 9 (SIGKILL)\n"
    assert "by SIGKILL, as the system does where memory runs out" in log(STARTED + ended)[
        0
    ].failure(1)
    assert "was ended in atomic by SIGKILL" in log(STARTED)[0].failure(-9)


def test_a_search_without_end_is_known(log):
    assert log("     point # ***  energy = *******\n")[0].is_lost
    assert not log("     point # 220  energy =  -6.510\n")[0].is_lost


def test_doubts_of_feff_are_passed_on(log):
    found, _ = log(CLOSE * 3 + " WARNING:interstitial level found above Fermi level.\n")
    assert found.doubts == (
        "atoms of O and H are 0.60 A apart",
        "the interstitial level lies above the Fermi level",
    )
    assert log(STARTED)[0].doubts == ()

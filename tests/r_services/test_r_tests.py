"""The services' own tests, written in R, run here; each failure of theirs is a failure here."""

import subprocess
from pathlib import Path

import pytest

from r_services.programs import HERE, rscript
from tests.support.r_services import require_r
from tests.support.testthat import RTest, read_junit

TIMEOUT_SECONDS = 120


def run_tests(folder: Path, report: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [rscript(), "--vanilla", "run_tests.R", str(report)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


@pytest.mark.parametrize("service", ["plumber_weight", "rpy2_svm"])
def test_the_tests_in_r_pass(service: str, tmp_path: Path) -> None:
    require_r("plumber", "testthat", "xml2", "kernlab", "jsonlite")

    done = run_tests(HERE / service, tmp_path / "junit.xml")

    tests = read_junit(tmp_path / "junit.xml")
    assert [test for test in tests if test.complaints] == []
    assert len(tests) > 5
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_test_in_r_that_fails_is_seen(tmp_path: Path) -> None:
    require_r("testthat", "xml2")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test-sum.R").write_text(
        'test_that("one is two", { expect_equal(1, 1)\nexpect_equal(1, 2) })\n'
        'test_that("one is one", expect_equal(1, 1))\n'
        'test_that("nothing holds", stop("broken"))\n'
    )
    runner = (HERE / "plumber_weight" / "run_tests.R").read_text("utf-8")
    (tmp_path / "run_tests.R").write_text(runner)

    done = run_tests(tmp_path, tmp_path / "junit.xml")

    failed = [test.name for test in read_junit(tmp_path / "junit.xml") if test.complaints]
    assert (done.returncode, failed) == (1, ["one is two", "nothing holds"])


def test_a_case_per_expectation_is_one_test(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(
        '<testsuites><testsuite><testcase classname="api" name="a_b"/>'
        '<testcase classname="api" name="a_b"><failure>no</failure></testcase>'
        "</testsuite></testsuites>"
    )

    assert read_junit(tmp_path / "junit.xml") == [RTest(file="api", name="a b", complaints=("no",))]

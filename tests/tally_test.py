"""The last line of tests/run is only as good as the counting behind it."""

import contextlib
import io
import pathlib
import tempfile
import unittest
import xml.sax.saxutils

import tally

PYTHON_OUTPUT = """\
test_a (x.T.test_a) ... ok
test_b (x.T.test_b) ... {b}
{rest}----------------------------------------------------------------------
Ran {ran} tests in 0.001s

{verdict}
"""


def case(name, status="run", output="", skipped=None):
    """One test as ctest writes it."""
    inner = f'<skipped message="{skipped}"/>' if skipped else ""
    inner += f"<system-out>{xml.sax.saxutils.escape(output)}</system-out>"
    return f'<testcase name="{name}" status="{status}">{inner}</testcase>'


def python_case(status="run", b="ok", rest="", ran=2, verdict="OK"):
    """A Python test file as ctest writes it."""
    return case("file", status, PYTHON_OUTPUT.format(b=b, rest=rest, ran=ran, verdict=verdict))


class TallyTest(unittest.TestCase):
    """Runs the summing up on results made here."""

    def check(self, expected_last_line, *cases, strict=False, expected_exit=0, failed_steps=()):
        """Sums up `cases`, compares the last line and the exit code, and returns all that was printed."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "release.xml"
            path.write_text(f'<?xml version="1.0"?><testsuite>{"".join(cases)}</testsuite>', encoding="utf-8")
            return self.check_files(expected_last_line, [path], strict, expected_exit, failed_steps)

    def check_files(self, expected_last_line, paths, strict=False, expected_exit=0, failed_steps=()):
        """As check(), on files."""
        result = tally.Tally()
        result.failed += failed_steps
        for path in paths:
            result.add_file(path)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = result.show(strict)
        self.assertEqual(printed.getvalue().splitlines()[-1], expected_last_line, printed.getvalue())
        self.assertEqual(code, expected_exit, printed.getvalue())
        return printed.getvalue()

    def test_counts_passes_and_failures(self):
        printed = self.check("2 passed, 1 failed, 0 skipped", case("a"), case("b", "fail"), case("c"), expected_exit=1)
        self.assertIn("failed: release: b\n", printed)

    def test_a_step_that_failed_counts_as_a_failure(self):
        printed = self.check("1 passed, 1 failed, 0 skipped", case("a"), expected_exit=1, failed_steps=["compiling"])
        self.assertIn("failed: compiling\n", printed)

    def test_nothing_passed_is_a_failure(self):
        self.check("0 passed, 0 failed, 0 skipped", expected_exit=1)

    def test_missing_and_broken_results_are_failures(self):
        with tempfile.NamedTemporaryFile(suffix=".xml") as broken:
            broken.write(b"<testsuite><testcase")
            broken.flush()
            self.check_files("0 passed, 2 failed, 0 skipped", ["/nowhere/x.xml", broken.name], expected_exit=1)

    def test_a_program_that_was_not_built_is_a_failure(self):
        printed = self.check("1 passed, 1 failed, 0 skipped", case("a"),
                             case("b_NOT_BUILT", "notrun", skipped="Unable to find executable"), expected_exit=1)
        self.assertIn("b_NOT_BUILT: not run: Unable to find executable", printed)

    def test_a_skip_of_googletest_shows_its_reason(self):
        output = "[ RUN      ] A.B\n/x/y.cc:4: Skipped\ncannot: no IPv6 here\n[  SKIPPED ] A.B (0 ms)\n"
        printed = self.check("1 passed, 0 failed, 1 skipped", case("a"),
                             case("A.B", "notrun", output, "SKIP_REGULAR_EXPRESSION_MATCHED"), strict=True)
        self.assertIn("skipped: release: A.B: cannot: no IPv6 here\n", printed)

    def test_strict_fails_for_a_skip_that_the_machine_could_have_run(self):
        skip = case("A.B", "notrun", "/x/y.cc:4: Skipped\nslow\n[  SKIPPED ] A.B\n", "SKIP_REGULAR_EXPRESSION_MATCHED")
        self.check("1 passed, 0 failed, 1 skipped", case("a"), skip)
        self.check("1 passed, 0 failed, 1 skipped", case("a"), skip, strict=True, expected_exit=1)

    def test_a_disabled_test_is_a_skip_that_strict_does_not_excuse(self):
        self.check("1 passed, 0 failed, 1 skipped", case("a"), case("b", "disabled", "Disabled"), strict=True,
                   expected_exit=1)

    def test_a_python_file_counts_by_its_tests(self):
        self.check("2 passed, 0 failed, 0 skipped", python_case())

    def test_a_python_skip_shows_its_reason(self):
        printed = self.check("1 passed, 0 failed, 1 skipped",
                             python_case(b='skipped "cannot: it\'s no Linux"', verdict="OK (skipped=1)"), strict=True)
        self.assertIn("skipped: release: file: test_b (x.T.test_b): cannot: it's no Linux\n", printed)

    def test_a_python_failure_is_named(self):
        rest = "=" * 70 + "\nFAIL: test_b (x.T.test_b)\n"
        printed = self.check("1 passed, 1 failed, 0 skipped",
                             python_case("fail", b="FAIL", rest=rest, verdict="FAILED (failures=1)"), expected_exit=1)
        self.assertIn("failed: release: file: test_b (x.T.test_b)\n", printed)

    def test_a_python_class_that_could_not_be_set_up_takes_no_pass_away(self):
        rest = "=" * 70 + "\nERROR: setUpClass (x.U)\n"
        self.check("2 passed, 1 failed, 0 skipped",
                   python_case("fail", rest=rest, verdict="FAILED (errors=1)"), expected_exit=1)

    def test_a_python_file_that_failed_without_saying_so_is_a_failure(self):
        self.check("2 passed, 1 failed, 0 skipped", python_case("fail"), expected_exit=1)

    def test_output_that_is_no_xml_is_survived(self):
        with tempfile.NamedTemporaryFile(suffix=".xml") as results:
            results.write(b'<testsuite><testcase name="a" status="run"><system-out>\x1b[1m\xff\x00</system-out>'
                          b"</testcase></testsuite>")
            results.flush()
            self.check_files("1 passed, 0 failed, 0 skipped", [results.name])


if __name__ == "__main__":
    unittest.main()

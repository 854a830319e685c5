#!/usr/bin/env python3
"""Sums up the JUnit files that ctest wrote, and tells which tests failed or were skipped, and why.

  tests/tally.py [--strict] [--failed WHAT]... RESULTS.xml...

The last line is exactly `N passed, N failed, N skipped`. A Python test file counts by its test methods. A file that is
missing or unreadable counts as one failure, and so does each WHAT, a step that failed before its tests could run.
Exits 0 only if nothing failed, and something passed if there are files. With --strict also a skip that this machine
could have run fails the whole: every skip but those whose reason starts with "cannot:", by which a test says what the
machine lacks.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree

# What XML 1.0 does not allow; ctest copies a test's output as it comes.
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNITTEST_SUMMARY = re.compile(r"^Ran (\d+) tests? in [\d.]+s\n\n(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$",
                              re.MULTILINE)
UNITTEST_SKIP = re.compile(r"^(.*\S)?\s*\.\.\. skipped (['\"])(.*)\2$", re.MULTILINE)
UNITTEST_FAILURE = re.compile(r"^={70}\n(?:FAIL|ERROR): (.*)$", re.MULTILINE)
FIXTURES = ("setUpClass", "tearDownClass", "setUpModule", "tearDownModule")
GTEST_SKIP = re.compile(r"^.*:\d+: Skipped\n(.*)$", re.MULTILINE)


class Tally:
    """Counts, and the lines to show for what did not pass."""

    def __init__(self):
        self.files = 0
        self.passed = 0
        self.failed = []
        self.skipped = []  # (test, reason)

    def add_file(self, path):
        """Adds one JUnit file of ctest's."""
        self.files += 1
        run = pathlib.Path(path).stem
        try:
            text = ILLEGAL.sub("\ufffd", pathlib.Path(path).read_bytes().decode(errors="replace"))
            suite = xml.etree.ElementTree.fromstring(text)
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            self.failed.append(f"{run}: ctest left no readable results: {error}")
            return
        for case in suite.iter("testcase"):
            self.add_case(run, case)

    def add_case(self, run, case):
        """Adds one of ctest's tests."""
        name = f"{run}: {case.get('name')}"
        status = case.get("status")
        output = case.findtext("system-out") or ""
        message = case.find("skipped").get("message", "") if case.find("skipped") is not None else ""
        if status == "disabled":
            self.skipped.append((name, "disabled in its source"))
        elif status == "notrun" and message.startswith("SKIP_"):
            self.skipped.append((name, skip_reason(output)))
        elif status == "notrun":
            self.failed.append(f"{name}: not run: {message or 'ctest does not say why'}")
        elif UNITTEST_SUMMARY.search(output):
            self.add_unittest(name, output, status != "run")
        elif status == "run":
            self.passed += 1
        else:
            self.failed.append(name)

    def add_unittest(self, name, output, must_fail):
        """Adds a Python test file by its test methods."""
        # The last summary is the file's own; a test may itself print another's.
        ran, counts = list(UNITTEST_SUMMARY.finditer(output))[-1].groups()
        number = dict(re.findall(r"([a-z ]+)=(\d+)", counts or ""))
        number = {key.strip(): int(value) for key, value in number.items()}
        failures = UNITTEST_FAILURE.findall(output)
        skips = [(test.strip() or "a test", reason) for test, _, reason in UNITTEST_SKIP.findall(output)]
        while len(skips) < number.get("skipped", 0):
            skips.append(("a test", "its output does not say why"))
        unexpected = number.get("unexpected successes", 0)
        failures += ["a test that was expected to fail"] * unexpected
        # What befalls a whole class or module is no test that "ran".
        not_passed = [test for test in failures + [test for test, _ in skips] if not test.startswith(FIXTURES)]
        self.passed += max(0, int(ran) - len(not_passed))
        if must_fail and not failures:
            failures.append("ended badly after its last test")
        self.failed += [f"{name}: {test}" for test in failures]
        self.skipped += [(f"{name}: {test}", reason) for test, reason in skips]

    def show(self, strict):
        """Prints the summary, and returns the exit code."""
        for failure in self.failed:
            print(f"failed: {failure}")
        for test, reason in self.skipped:
            print(f"skipped: {test}: {reason}")
        avoidable = [test for test, reason in self.skipped if not reason.startswith("cannot:")]
        if strict and avoidable:
            print(f"error: {len(avoidable)} of the skips above are not excused by a reason that starts with 'cannot:'")
        print(f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped")
        nothing_passed = self.files > 0 and self.passed == 0
        return 1 if self.failed or nothing_passed or (strict and avoidable) else 0


def skip_reason(output):
    """What a skipped test printed about it: GoogleTest's message, or else its last line."""
    gtest = GTEST_SKIP.findall(output)
    lines = [line.strip() for line in (gtest or output.splitlines()) if line.strip()]
    return lines[-1] if lines and not lines[-1].startswith("[") else "it gives no reason"


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--failed", action="append", default=[], metavar="WHAT")
    parser.add_argument("results", nargs="*", metavar="RESULTS.xml")
    arguments = parser.parse_args()
    tally = Tally()
    tally.failed += arguments.failed
    for path in arguments.results:
        tally.add_file(path)
    return tally.show(arguments.strict)


if __name__ == "__main__":
    sys.exit(main())

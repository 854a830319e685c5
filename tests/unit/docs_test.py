"""Holds the documentation against the tree: links, paths, names and commands that stand in *.md.

Usage: docs_test.py SOURCE_ROOT
"""
import functools
import pathlib
import re
import stat
import sys
import unittest
import urllib.parse

ROOT = pathlib.Path(sys.argv.pop(1) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
NOT_OURS = {".git", "build", ".cache", "node_modules"}
FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# Folders at the top of the tree; a path that begins with one of them is meant to exist.
PATH = re.compile(r"(?:\.ci|charts|cmake|crds|deploy|docs|operator|tests)/[\w./-]*")
MACHINE_PATH = re.compile(r"(?<![\w.~$}*-])/(?:root|home|work|tmp|mnt|Users)(?:/|\b)")
HOST = re.compile(r"https?://([^/\s)>\"'`:?]+)")
# Sites that define what we follow, names reserved for examples, and one's own machine.
HOSTS = re.compile(
    r"^(?:(?:[\w-]+\.)*(?:kubernetes\.io|apache\.org|prometheus\.io|keepachangelog\.com|semver\.org|"
    r"example|example\.(?:com|org|net)|svc|localhost)|127\.0\.0\.1|[\w-]+)$"
)


@functools.cache
def documents():
    """{path below the root: text} of all Markdown files."""
    return {
        path.relative_to(ROOT): path.read_text()
        for path in sorted(ROOT.rglob("*.md"))
        if not NOT_OURS & set(path.relative_to(ROOT).parts)
    }


def without_code(text):
    return CODE.sub("", FENCE.sub("", text))


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*$", FENCE.sub("", text), re.M):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        number = next(n for n in range(1000) if (f"{slug}-{n}" if n else slug) not in found)
        found.add(f"{slug}-{number}" if number else slug)
    return found


def program_text():
    """All of operator/, with adjacent string literals joined, as the compiler joins them."""
    sources = [path.read_text() for path in sorted((ROOT / "operator").rglob("*.[hc]*"))]
    return re.sub(r'"\s*\n\s*"', "", "\n".join(sources))


def first_cells(text, header):
    """The words in code of the first column of each table whose header row begins with `header`."""
    words, inside = [], False
    for line in text.splitlines():
        if line.startswith(header):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside:
            words += CODE.findall(line.strip("|").split("|")[0])
    return words


class Docs(unittest.TestCase):
    def complain(self, wrong):
        if wrong:
            self.fail("\n" + "\n".join(wrong))

    def test_links_resolve(self):
        wrong = []
        for name, text in documents().items():
            for target in LINK.findall(without_code(text)):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = urllib.parse.unquote(target).partition("#")
                aim = (ROOT / name.parent / path).resolve() if path else ROOT / name
                if not aim.is_relative_to(ROOT) or not aim.exists():
                    wrong.append(f"{name}: {target} does not exist")
                elif anchor and aim.suffix == ".md" and anchor not in anchors(aim.read_text()):
                    wrong.append(f"{name}: {target}: there is no such heading")
        self.complain(wrong)

    def test_paths_in_code_exist(self):
        wrong = [
            f"{name}: `{code}`: {path} does not exist"
            for name, text in documents().items()
            for code in CODE.findall(FENCE.sub("", text))
            for path in PATH.findall(code)
            # A word in capitals stands for something: tests/unit/ROOM.
            if code.startswith(path) and not re.search(r"[A-Z]{3,}$", path) and not (ROOT / path).exists()
        ]
        self.complain(wrong)

    def test_the_readme_names_both_commands_and_they_can_be_run(self):
        for command in ("deploy/quickstart", "tests/run"):
            self.assertIn(command, documents()[pathlib.Path("README.md")])
            path = ROOT / command
            self.assertTrue(path.is_file(), f"{command} does not exist")
            self.assertTrue(path.stat().st_mode & stat.S_IXUSR, f"{command} is not executable")
            self.assertTrue(path.read_text().startswith("#!"), f"{command} does not say what runs it")

    def test_the_readme_shows_real_output(self):
        text = documents()[pathlib.Path("README.md")]
        shown = re.search(r"<!-- output:quickstart -->\n```\w*\n(.*?)```", text, re.S)
        self.assertTrue(shown, "README.md has no block after <!-- output:quickstart -->")
        names = [
            re.search(r"^metadata:\s*(?:\{name: |\n  name: )([\w-]+)", path.read_text(), re.M).group(1)
            for path in sorted((ROOT / "deploy" / "samples").glob("*.yaml"))
        ]
        self.assertTrue(names)
        missing = [name for name in names if not re.search(rf"\b{name}\b", shown.group(1))]
        self.assertEqual(missing, [], "Agents of deploy/samples that the output in README.md does not show")

    def test_every_reason_is_explained(self):
        names = (ROOT / "operator" / "api" / "names.h").read_text()
        block = re.search(r"namespace reason \{(.*?)\}\s*// namespace reason", names, re.S)
        self.assertTrue(block, "operator/api/names.h has no namespace reason")
        reasons = re.findall(r'= "(\w+)";', block.group(1))
        # Reasons that are made where the trouble is seen, from words of Kubernetes.
        facts = (ROOT / "operator" / "agents" / "facts.cc").read_text()
        reasons += re.findall(r'\{\s*"([A-Z]\w+)",', facts)
        reasons += re.findall(r'"([A-Z]\w+)"', re.search(r"kFailingReasons\{(.*?)\};", facts, re.S).group(1))
        self.assertGreater(len(reasons), 30)
        explained = set(CODE.findall(documents()[pathlib.Path("docs/troubleshooting.md")]))
        missing = sorted(set(reasons) - explained)
        self.assertEqual(missing, [], "reasons that docs/troubleshooting.md does not explain")

    def test_log_messages_and_metrics_that_are_explained_exist(self):
        text = documents()[pathlib.Path("docs/troubleshooting.md")]
        messages = first_cells(text, "| message |") + first_cells(text, "| log message ")
        metrics = set(re.findall(r"`((?:roster|workqueue|rest_client|controller_runtime|process)_\w+)`", text))
        self.assertTrue(messages and metrics)
        program = program_text()
        described = documents()[pathlib.Path("docs/metrics.md")]
        wrong = [f"no part of operator/ logs: {message}" for message in messages if f'"{message}"' not in program]
        wrong += [
            f"docs/metrics.md does not have: {metric}"
            for metric in sorted(metrics)
            if f"`{re.sub('_(count|sum|bucket)$', '', metric)}`" not in described
        ]
        self.complain(wrong)

    def test_every_decision_stands_in_the_list(self):
        listed = set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", documents()[pathlib.Path("docs/adr/README.md")]))
        there = {path.name for path in documents() if path.parent.name == "adr"} - {"README.md"}
        self.assertEqual(listed, there)
        numbers = sorted(int(name[:4]) for name in there)
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "numbers of decisions")

    def test_nothing_of_one_machine_or_one_network_stands_in_the_docs(self):
        wrong = []
        for name, text in documents().items():
            for number, line in enumerate(text.splitlines(), 1):
                wrong += [f"{name}:{number}: a path of one machine: {line}" for _ in MACHINE_PATH.findall(line)]
                wrong += [f"{name}:{number}: host {host}" for host in HOST.findall(line) if not HOSTS.match(host)]
        self.complain(wrong)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])

"""Holds the #include lines of operator/ against the table of rooms in docs/ARCHITECTURE.md.

Usage: layering_test.py SOURCE_ROOT
The table is the one whose header row starts with "| room |"; its last column lists the rooms that a room may include
besides itself and base. A room without a row, a row without a room, and an include outside the table are failures.
"""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/[^"]+"', re.M)


def allowed_includes():
    """{room: rooms it may include} from the table in docs/ARCHITECTURE.md."""
    rows, inside = {}, False
    for line in (ROOT / "docs" / "ARCHITECTURE.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| room |"):
            inside = True
        elif inside and not line.startswith("|"):
            break
        elif inside and not set(line) <= set("|-: "):
            rows[cells[0].strip("`/")] = set(re.findall(r"`([a-z]+)`", cells[-1]))
    return rows


def actual_includes(room):
    """{file: rooms it includes} for one room."""
    return {
        path.relative_to(ROOT): set(INCLUDE.findall(path.read_text()))
        for path in sorted((ROOT / "operator" / room).rglob("*"))
        if path.suffix in (".h", ".cc")
    }


class Layering(unittest.TestCase):
    def setUp(self):
        self.allowed = allowed_includes()
        self.rooms = {path.name for path in (ROOT / "operator").iterdir() if path.is_dir()}

    def test_every_room_stands_in_the_table_and_every_row_is_a_room(self):
        self.assertTrue(self.allowed, "no table of rooms found in docs/ARCHITECTURE.md")
        self.assertEqual(set(self.allowed), self.rooms)

    def test_rooms_include_only_what_the_table_allows(self):
        wrong = [
            f"{path} includes {other}/, which the table does not allow for {room}/"
            for room in sorted(self.rooms & set(self.allowed))
            for path, others in actual_includes(room).items()
            for other in sorted(others & self.rooms - self.allowed[room] - {room, "base"})
        ]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_the_table_has_no_cycle(self):
        done = set()
        while len(done) < len(self.allowed):
            free = [room for room, uses in self.allowed.items() if room not in done and uses - {"base", room} <= done]
            self.assertTrue(free, f"a cycle among {sorted(set(self.allowed) - done)}")
            done.update(free)

    def test_outside_libraries_stay_in_their_rooms(self):
        owners = {"cpprest/": {"http"}, "curl/": {"http"}, "boost/": {"http"}, "prometheus/": {"metrics"},
                  "yaml-cpp/": {"kube", "app"}, "CLI/": {"app"}, "spdlog/": {"base"}, "openssl/": {"http"}}
        wrong = [
            f"{path}: <{library}…> belongs to {', '.join(sorted(rooms))}"
            for room in sorted(self.rooms)
            for path in sorted((ROOT / "operator" / room).rglob("*.[hc]*"))
            for library, rooms in owners.items()
            if room not in rooms and f"#include <{library}" in path.read_text()
        ]
        self.assertEqual(wrong, [], "\n".join(wrong))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])

"""tests/cluster/control-plane starts what it says, heals what a killed run left, and leaves nothing behind.

All other integration tests stand on it, and break parts of a control plane on purpose.
"""

import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import support

CONTROL_PLANE = support.ROOT / "tests" / "cluster" / "control-plane"
PORT_BASE = 25600  # Of this test alone.


class ControlPlaneTest(unittest.TestCase):
    """Runs control planes in folders of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="roster-control-plane-test-")
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name) / "a"
        self.addCleanup(self.control_plane, "down", folder=self.dir)

    def control_plane(self, *arguments, folder=None):
        """Runs the script, and returns the CompletedProcess with its messages in stderr."""
        return subprocess.run([CONTROL_PLANE, *arguments, "--dir", folder or self.dir], text=True, capture_output=True,
                              timeout=180, check=False)

    def up(self, *options, folder=None, port_base=PORT_BASE):
        """Starts one; small, unless the options say otherwise."""
        done = self.control_plane("up", "--port-base", str(port_base), *options, folder=folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def kubectl(self, *arguments, folder=None):
        """Runs kubectl on the control plane in the folder, and returns what it prints."""
        command = [support.kubectl_path(), f"--kubeconfig={folder or self.dir}/kubeconfig", *arguments]
        done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def pids(self, folder=None):
        """The living processes that work in the folder, as {program: pid}."""
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:  # It has ended.
                continue
            if any(f"={folder or self.dir}/".encode() in argument for argument in command[1:]):
                found[pathlib.Path(os.fsdecode(command[0])).name] = int(process.name)
        return found

    def test_all_of_it_is_ready_when_up_returns_and_gone_when_down_returns(self):
        self.up("--nodes", "2", "--audit")
        self.assertEqual(sorted(self.pids()),
                         ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"])
        self.assertEqual(self.control_plane("status").returncode, 0)
        ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}'
        self.assertEqual(self.kubectl("get", "nodes", f"--output=jsonpath={ready}"), "True True")
        self.kubectl("get", "serviceaccount", "default")
        self.kubectl("create", "deployment", "a", "--image=registry.example/a:1")
        available = ("get", "deployment", "a", "--output=jsonpath={.status.availableReplicas}")
        support.wait_for(lambda: self.kubectl(*available) == "1", timeout=30, what="the deployment's pod")
        self.assertIn('"verb":"create"', (self.dir / "audit.log").read_text(encoding="utf-8"))

        self.assertEqual(self.control_plane("down").returncode, 0)
        self.assertEqual(self.pids(), {})
        self.assertFalse(self.dir.exists())
        self.assertEqual(self.control_plane("status").returncode, 3)
        self.assertEqual(self.control_plane("down").returncode, 0, "down on nothing is fine")

    def test_a_killed_component_starts_again_on_the_same_data(self):
        self.up("--no-controllers")
        self.kubectl("create", "namespace", "kept")
        for component in ("etcd", "kube-apiserver"):
            before = self.pids()[component]
            done = self.control_plane("stop-component", component, "--signal", "KILL")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn(component, self.pids())
            self.assertEqual(self.control_plane("status").returncode, 3)
            done = self.control_plane("start-component", component)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotEqual(self.pids()[component], before)
        support.wait_for(lambda: self.control_plane("status").returncode == 0)
        self.kubectl("get", "namespace", "kept")

    def test_what_a_killed_run_left_makes_way_for_a_fresh_start(self):
        self.up("--no-controllers")
        self.kubectl("create", "namespace", "old")
        os.kill(self.pids()["kube-apiserver"], signal.SIGKILL)
        support.wait_for(lambda: "kube-apiserver" not in self.pids(), what="the end of the API server")
        self.up("--no-controllers")
        self.assertNotIn("namespace/old", self.kubectl("get", "namespaces", "--output=name"))

    def test_up_on_a_running_one_changes_nothing_and_other_options_are_refused(self):
        self.up("--no-controllers")
        before = self.pids()
        self.up("--no-controllers")
        self.assertEqual(self.pids(), before)
        done = self.control_plane("up", "--port-base", str(PORT_BASE), "--no-controllers", "--audit")
        self.assertEqual(done.returncode, 1)
        self.assertIn("runs in", done.stderr)
        self.assertIn(f"control-plane down --dir {self.dir}", done.stderr)
        self.assertEqual(self.pids(), before)

    def test_two_run_side_by_side_and_a_taken_port_is_refused_with_its_holder(self):
        other = self.dir.parent / "b"
        self.addCleanup(self.control_plane, "down", folder=other)
        self.up("--no-controllers")
        done = self.control_plane("up", "--port-base", str(PORT_BASE), "--no-controllers", folder=other)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {PORT_BASE}, wanted for kube-apiserver, is taken by kube-apiserver, pid "
                      f"{self.pids()['kube-apiserver']}", done.stderr)
        self.assertIn("--port-base", done.stderr)
        self.assertFalse(other.exists())

        self.up("--no-controllers", folder=other, port_base=PORT_BASE + 10)
        self.kubectl("create", "namespace", "only-in-b", folder=other)
        self.assertNotIn("only-in-b", self.kubectl("get", "namespaces", "--output=name"))
        self.assertEqual(self.control_plane("down", folder=other).returncode, 0)
        self.assertEqual(self.pids(other), {})
        self.kubectl("get", "namespaces")

    def test_a_start_that_fails_leaves_no_process_but_the_logs(self):
        done = self.control_plane("up", "--port-base", str(PORT_BASE), "--apiserver-arg=--no-such-flag")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown flag: --no-such-flag", done.stderr)
        self.assertEqual(self.pids(), {})
        self.assertTrue((self.dir / "logs" / "kube-apiserver.log").exists())

    def test_a_folder_with_somebody_elses_files_is_refused_untouched(self):
        self.dir.mkdir()
        (self.dir / "logs").write_text("mine", encoding="utf-8")
        done = self.control_plane("up", "--port-base", str(PORT_BASE))
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a control plane's", done.stderr)
        self.assertEqual(self.control_plane("down").returncode, 0)
        self.assertEqual((self.dir / "logs").read_text(encoding="utf-8"), "mine")


if __name__ == "__main__":
    unittest.main()

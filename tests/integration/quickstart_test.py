"""deploy/quickstart does what it says: shows the samples' true state, starts again fast, and leaves nothing behind."""

import atexit
import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import time
import unittest

import support

QUICKSTART = support.ROOT / "deploy" / "quickstart"
PORT_BASE = 24600  # Other than the defaults, so that a quickstart somebody is using stays undisturbed.

# What the samples come to. The endpoint agent's heartbeats are required, and nobody sends any.
EXPECTED = {
    "researcher": ("Running", "Healthy", "True"),
    "orchestrator": ("Running", "Healthy", "True"),
    "batch-summarizer": ("Stopped", "Unknown", "True"),
    "broken-image": ("Failed", "Unhealthy", "False"),
    "edge-reporter": ("Starting", "Unknown", "True"),
}


def mounts():
    """Everything mounted, as the kernel lists it, without the ids that it gives anew."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return sorted(line.split(" ", 3)[3] for line in lines)


def network_namespaces():
    """The network namespaces that have a name."""
    folder = pathlib.Path("/run/netns")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


class QuickstartTest(unittest.TestCase):
    """Runs the quickstart with a state folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="roster-quickstart-test-")
        self.addCleanup(folder.cleanup)
        self.state_home = pathlib.Path(folder.name)
        # Every process the quickstart starts, however far removed, inherits this variable and is known by it.
        self.environment = {**os.environ, "XDG_STATE_HOME": folder.name}
        self.environment.pop("KUBECONFIG", None)
        self.mounts = mounts()
        self.namespaces = network_namespaces()
        # A broken-off run, too, stops what it started.
        atexit.register(self.stop)
        self.addCleanup(atexit.unregister, self.stop)
        self.addCleanup(self.stop)

    def run_quickstart(self, *arguments, timeout=600):
        """Runs it to its end, and returns the CompletedProcess."""
        return subprocess.run([QUICKSTART, *arguments], env=self.environment, timeout=timeout, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def start(self):
        """Starts it detached, and returns what it printed for the user."""
        done = self.run_quickstart("--detach", "--port-base", str(PORT_BASE))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def stop(self):
        """Stops it; also when nothing runs, that succeeds."""
        done = self.run_quickstart("--stop")
        self.assertEqual(done.returncode, 0, done.stderr)

    def processes(self):
        """The processes that the quickstart started and that live, as {pid: command line}."""
        mark = f"XDG_STATE_HOME={self.state_home}".encode()
        found = {}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # It ended, or is another user's.
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found

    def assert_nothing_left(self):
        """No process, file, mount or network namespace is there that was not before."""
        self.assertEqual(self.processes(), {})
        self.assertEqual([str(path) for path in self.state_home.rglob("*")], [])
        self.assertEqual(mounts(), self.mounts)
        self.assertEqual(network_namespaces(), self.namespaces)

    def in_its_shell(self, printed, command):
        """Runs a command as a user would who first pasted the export lines that were printed."""
        exports = re.findall(r"^  (export .*)$", printed, re.MULTILINE)
        return subprocess.run(["bash", "-ec", "\n".join([*exports, command])], env=self.environment, text=True,
                              timeout=60, capture_output=True, check=False)

    def agents_shown(self, printed):
        """What `kubectl get` shows: {name: (STATE, HEALTH, READY)}."""
        done = self.in_its_shell(printed, "kubectl get agents.agentroster.dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        header, *rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(header, ["NAME", "TYPE", "STATE", "HEALTH", "READY", "AGE"])
        return {row[0]: tuple(row[2:5]) for row in rows}

    def test_detached_it_shows_the_samples_as_they_truly_are_and_stop_leaves_nothing(self):
        printed = self.start()
        for name, (state, health, ready) in EXPECTED.items():
            self.assertRegex(printed, rf"(?m)^default +{name} +\S+ +{state} +{health} +{ready} ")
        self.assertEqual(self.agents_shown(printed), EXPECTED)
        self.assertIn(f"KUBECONFIG={self.state_home}/roster/quickstart/cluster/kubeconfig\n", printed)
        self.assertIn(f"METRICS=http://127.0.0.1:{PORT_BASE + 10}/metrics\n", printed)
        names = " ".join(self.processes().values())
        for program in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "bin/roster"):
            self.assertIn(program, names)

        self.stop()
        self.assert_nothing_left()

    def test_the_five_commands_it_suggests_work(self):
        printed = self.start()
        commands = printed.split("\nTry:\n")[1].strip().splitlines()
        self.assertEqual(len(commands), 5, commands)
        for command in commands:
            done = self.in_its_shell(printed, f"set -o pipefail; {command.strip()}")
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
            self.assertNotEqual(done.stdout.strip(), "", command)
        self.assertTrue(any("kubectl scale" in command for command in commands))

    def test_a_second_start_takes_under_30_seconds(self):
        self.start()
        self.stop()
        began = time.monotonic()
        self.start()
        self.assertLess(time.monotonic() - began, 30)

    def test_started_while_it_runs_it_shows_what_runs(self):
        self.start()
        before = self.processes()
        printed = self.start()
        self.assertEqual(self.processes(), before)
        self.assertEqual(self.agents_shown(printed), EXPECTED)

    def test_a_killed_operator_is_healed_by_the_next_start(self):
        self.start()
        operator = [pid for pid, command in self.processes().items() if shlex.split(command)[0].endswith("/bin/roster")]
        self.assertEqual(len(operator), 1)
        os.kill(operator[0], signal.SIGKILL)
        self.assertEqual(self.agents_shown(self.start()), EXPECTED)

    def test_ctrl_c_leaves_nothing(self):
        with tempfile.TemporaryFile(mode="w+") as output:
            with subprocess.Popen([QUICKSTART, "--port-base", str(PORT_BASE)], env=self.environment, stderr=output,
                                  stdout=subprocess.DEVNULL, start_new_session=True) as foreground:

                def says_that_it_runs():
                    output.seek(0)
                    told = output.read()
                    self.assertIsNone(foreground.poll(), told)
                    return "running until Ctrl-C" in told

                support.wait_for(says_that_it_runs, timeout=600, interval=0.2, what="the quickstart in the foreground")
                self.assertNotEqual(self.processes(), {})
                os.killpg(foreground.pid, signal.SIGINT)  # What a terminal does: the whole foreground group gets it.
                self.assertEqual(foreground.wait(timeout=60), 0)
        self.assert_nothing_left()

    def test_ctrl_c_during_the_start_leaves_nothing(self):
        with tempfile.TemporaryFile(mode="w+") as output:
            with subprocess.Popen([QUICKSTART, "--port-base", str(PORT_BASE)], env=self.environment, stderr=output,
                                  stdout=subprocess.DEVNULL, start_new_session=True) as foreground:

                def starts_the_cluster():
                    output.seek(0)
                    return "starting etcd" in output.read()

                support.wait_for(starts_the_cluster, timeout=600, interval=0.05, what="the start of the cluster")
                os.killpg(foreground.pid, signal.SIGINT)
                self.assertEqual(foreground.wait(timeout=60), 130)
        support.wait_for(lambda: not self.processes(), timeout=10, what="the end of what Ctrl-C reached directly")
        self.assert_nothing_left()

    def test_without_a_cluster_to_use_it_says_so(self):
        self.environment["KUBECONFIG"] = str(self.state_home / "nowhere")
        done = self.run_quickstart("--use-current-cluster", "--detach", "--port-base", str(PORT_BASE))
        self.assertEqual(done.returncode, 1)
        self.assertIn("no cluster is configured", done.stderr)
        self.assertIn("leave out --use-current-cluster", done.stderr)
        self.assert_nothing_left()

    def test_on_the_configured_cluster_it_removes_what_it_made(self):
        self.environment["KUBECONFIG"] = os.environ["KUBECONFIG"]
        support.kubectl("delete", "crd", "agents.agentroster.dev", "--ignore-not-found", "--timeout=120s", timeout=130)
        arguments = ("--use-current-cluster", "--detach", "--port-base", str(PORT_BASE))
        done = self.run_quickstart(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^roster-quickstart +researcher +research +Running +Healthy +True ")
        self.assertIn(f"KUBECONFIG={os.environ['KUBECONFIG']}\n", done.stdout)

        self.stop()
        self.assert_nothing_left()
        left = support.kubectl("get", "namespaces,customresourcedefinitions", "--output=name").stdout
        self.assertNotIn("roster-quickstart", left)
        self.assertNotIn("agentroster.dev", left)


if __name__ == "__main__":
    unittest.main()

"""The operator under test, as a process: the real binary against the cluster of $KUBECONFIG.

  ROSTER_BIN   the binary; default build/release/bin/roster

Only one operator may run on a cluster at a time, so a test class starts it in setUpClass and stops it at the end:

  class DriftTest(OperatorTestCase):
      def test_...(self): ...
"""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import support

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def operator_binary():
    return os.environ.get("ROSTER_BIN", str(support.ROOT / "build" / "release" / "bin" / "roster"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Operator:
    """One operator process and its log. Use as a context manager, or start() and stop() it."""

    def __init__(self, *arguments, environment=None):
        self.port = free_port()
        self._arguments = arguments
        self._environment = {**os.environ, **(environment or {})}
        self._process = None
        descriptor, path = tempfile.mkstemp(prefix="roster-", suffix=".log")
        os.close(descriptor)
        self.log_path = pathlib.Path(path)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def pid(self):
        return self._process.pid

    def start(self, ready=True):
        """Starts the process; with `ready`, returns once /readyz says 200."""
        command = [operator_binary(), f"--metrics-address=127.0.0.1:{self.port}", *self._arguments]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             env=self._environment)
        if ready:
            support.wait_for(self.is_ready, timeout=30, what="/readyz of the operator")

    def is_ready(self):
        assert self._process.poll() is None, f"the operator exited with {self._process.returncode}:\n{self.log()}"
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def get(self, path):
        """(status, text) of a GET on the metrics address."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        """{(name, frozenset of labels): value} of everything on /metrics."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics answered {status}"
        samples = {}
        for line in text.splitlines():
            if line.startswith("#") or not line:
                continue
            name, labels, value = SAMPLE.match(line).groups()
            samples[name, frozenset(LABEL.findall(labels or ""))] = float(value)
        return samples

    def metric(self, name, **labels):
        """The sum of all series of that name that have these labels."""
        wanted = set(labels.items())
        return sum(value for (n, l), value in self.metrics().items() if n == name and wanted <= l)

    def kill(self):
        """kill -9, and wait until it is gone."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=10)

    def stop(self):
        """SIGTERM; returns the exit code. The log goes when all went well."""
        if not self._process:
            return None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"the operator did not stop within 15 s of SIGTERM:\n{self.log()}") from None
        code = self._process.returncode
        self._process = None
        return code

    def log(self, last=60):
        """The last lines of its log."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-last:])


class OperatorTestCase(support.ClusterTestCase):
    """A ClusterTestCase with the operator `roster` running on the whole cluster."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roster = Operator()
        cls.addClassCleanup(cls.roster.log_path.unlink, missing_ok=True)
        cls.addClassCleanup(cls.roster.stop)
        cls.roster.start()

    def status(self, name):
        return self.get(name).get("status", {})

    def condition(self, name, condition_type):
        """The condition of that type, or {} if there is none."""
        found = [c for c in self.status(name).get("conditions", []) if c["type"] == condition_type]
        return found[0] if found else {}

    def wait_for_state(self, name, state, timeout=20.0):
        """Waits until the Agent is in `state` and its status speaks of its current generation."""

        def there():
            found = self.get(name)
            status = found.get("status", {})
            fresh = status.get("observedGeneration") == found["metadata"]["generation"]
            assert fresh and status.get("state") == state, f"status of {name} is {status}\n{self.roster.log(15)}"
            return found

        return self.wait_for(there, timeout, f"state {state} of {name}")

    def wait_for_condition(self, name, condition_type, status, reason=None, timeout=20.0):
        def there():
            found = self.condition(name, condition_type)
            assert found.get("status") == status and reason in (None, found.get("reason")), (
                f"condition {condition_type} of {name} is {found}; status {self.status(name)}")
            return found

        return self.wait_for(there, timeout, f"{condition_type}={status} of {name}")

    def child(self, plural, name):
        """The Deployment ("deployments") or Service of that name, or None."""
        group = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
        answer = self.api.request("GET", f"{group}/namespaces/{self.namespace}/{plural}/{name}")
        return answer.body if answer.status == 200 else None

    def patch_child(self, plural, name, patch):
        group = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
        answer = self.api.request("PATCH", f"{group}/namespaces/{self.namespace}/{plural}/{name}", patch,
                                  content_type=support.MERGE_PATCH, fieldManager="somebody")
        self.assertEqual(answer.status, 200, answer)
        return answer.body

    def pods(self, name):
        """The pods of an Agent, those that are going away included."""
        uid = self.get(name)["metadata"]["uid"]
        answer = self.api.request("GET", f"/api/v1/namespaces/{self.namespace}/pods",
                                  labelSelector=f"agentroster.dev/agent-uid={uid}")
        return answer.body["items"]

    def events(self, name):
        """Reasons of the Events about an Agent, oldest first."""
        answer = self.api.request("GET", f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events")
        about = [e for e in answer.body["items"] if e["regarding"].get("name") == name
                 and e["regarding"].get("kind") == "Agent"]
        return sorted(about, key=lambda e: e["eventTime"])

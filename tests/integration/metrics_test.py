"""A real Prometheus scrapes the operator and answers questions about Agents."""

import http.client
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.parse

import support
from operator_process import OperatorTestCase, free_port
from support import agent

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")


class MetricsTest(OperatorTestCase):
    def test_the_exposition_is_clean_for_promtool(self):
        self.assertIsNotNone(PROMTOOL, "promtool is not installed; tests/cluster/install-packages installs it")
        self.apply(agent("lint", type="t", workload={"image": "registry.example/agent:1.0"}))
        self.wait_for_state("lint", "Running")
        status, text = self.roster.get("/metrics")
        self.assertEqual(status, 200)
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_probes_answer_with_their_checks(self):
        self.assertEqual(self.roster.get("/healthz")[0], 200)
        status, text = self.roster.get("/readyz?verbose")
        self.assertEqual(status, 200)
        for resource in ("agents", "deployments", "services", "pods"):
            self.assertRegex(text, rf"(?m)^\[\+\].*{resource}.* ok$")
        self.assertEqual(self.roster.get("/nothing")[0], 404)


class PrometheusTest(OperatorTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not PROMETHEUS:
            raise AssertionError("prometheus is not installed; tests/cluster/install-packages installs it")
        folder = tempfile.TemporaryDirectory(prefix="roster-prometheus-")
        cls.addClassCleanup(folder.cleanup)
        config = pathlib.Path(folder.name) / "prometheus.yml"
        config.write_text(json.dumps({
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [{"job_name": "roster",
                                "static_configs": [{"targets": [f"127.0.0.1:{cls.roster.port}"]}]}]}))
        cls.port = free_port()
        process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={folder.name}/data",
             f"--web.listen-address=127.0.0.1:{cls.port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def stop():
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)

        cls.addClassCleanup(stop)

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
            answer = json.loads(connection.getresponse().read())
            self.assertEqual(answer["status"], "success", answer)
            return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]
        except OSError as error:
            raise AssertionError(f"Prometheus does not answer yet: {error}") from error
        finally:
            connection.close()

    def test_it_answers_how_many_agents_are_in_which_state(self):
        for name in ("one", "two"):
            self.apply(agent(name, type="research", workload={"image": "registry.example/agent:1.0"}))
        self.apply(agent("still", type="research", desiredState="Stopped",
                         workload={"image": "registry.example/agent:1.0"}))
        for name, state in (("one", "Running"), ("two", "Running"), ("still", "Stopped")):
            self.wait_for_state(name, state)
        mine = f'namespace="{self.namespace}"'

        def by_state():
            found = {m["state"]: v for m, v in self.query(f"sum by (state) (roster_agents{{{mine}}}) > 0")}
            self.assertEqual(found, {"Running": 2, "Stopped": 1})
            return True

        support.wait_for(by_state, timeout=30, what="the counts by state in Prometheus")
        self.assertEqual([value for _, value in self.query('up{job="roster"}')], [1])
        running = self.query(f'roster_agent_state{{{mine},state="Running"}} == 1')
        self.assertEqual({metric["name"] for metric, _ in running}, {"one", "two"})
        self.assertGreater(self.query('sum(controller_runtime_reconcile_total{controller="agent"})')[0][1], 0)
        self.assertGreater(self.query("sum(rest_client_requests_total)")[0][1], 0)
        self.assertGreater(self.query("sum(roster_time_to_ready_seconds_count)")[0][1], 0)

        # A deleted Agent leaves no series behind.
        support.kubectl("delete", "agents.agentroster.dev/two", namespace=self.namespace)
        support.wait_for(lambda: {m["name"] for m, _ in self.query(f"roster_agent_info{{{mine}}}")} == {"one", "still"},
                         timeout=30, what="the deleted Agent's series to end")


if __name__ == "__main__":
    unittest.main(verbosity=2)

"""kill -9 at any moment: what is left must become what an undisturbed run makes, with one create per child.

The points of the kills are drawn from a seed, which is printed; ROSTER_TEST_SEED repeats a run.
"""

import json
import os
import pathlib
import random
import time
import unittest

import support
from operator_process import Operator
from support import agent

AGENTS = int(os.environ.get("ROSTER_TEST_CRASH_AGENTS", "500"))
KILLS = 5

# What differs between any two runs and says nothing about whether they are alike.
VOLATILE = {"uid", "resourceVersion", "creationTimestamp", "lastTransitionTime", "registeredTime", "startedTime", "time",
            "managedFields", "agentroster.dev/agent-uid", "agentroster.dev/intent-hash", "hash", "selector", "clusterIP",
            "clusterIPs", "namespace", "history", "endpoint", "lastUpdateTime", "workload", "matchLabels"}


def normalised(value):
    if isinstance(value, dict):
        return {key: normalised(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [normalised(item) for item in value]
    return value


def manifests():
    for number in range(AGENTS):
        spec = {"type": f"type-{number % 7}", "replicas": 1 + number % 2,
                "workload": {"image": f"registry.example/a:{number}", "env": [{"name": "N", "value": str(number)}]}}
        if number % 10 == 0:
            spec["workload"]["port"] = 8000
        if number % 11 == 0:
            spec["desiredState"] = "Stopped"
        yield agent(f"a{number:04}", **spec)


class CrashTest(support.ClusterTestCase):
    def apply_all(self):
        for manifest in manifests():
            answer = self.create(manifest)
            self.assertEqual(answer.status, 201, answer)

    def list(self, path):
        return self.api.request("GET", path.format(namespace=self.namespace)).body["items"]

    def settled(self):
        agents = self.list(support.AGENTS)

        def done(found):
            status = found.get("status", {})
            wanted = "Stopped" if found["spec"]["desiredState"] == "Stopped" else "Running"
            ready = [c["status"] for c in status.get("conditions", []) if c["type"] == "Ready"]
            return status.get("state") == wanted and ready == ["True"]

        waiting = [(a["metadata"]["name"], a.get("status", {}).get("state")) for a in agents if not done(a)]
        assert not waiting and len(agents) == AGENTS, f"{len(waiting)} of {len(agents)} not settled: {waiting[:5]}"
        return True

    def dump(self):
        """Agents, Deployments and Services without what differs between any two runs."""
        return {
            path.rsplit("/", 1)[-1]: {o["metadata"]["name"]: normalised(
                {key: o.get(key) for key in ("spec", "status", "metadata")} if path == support.AGENTS
                else {"spec": o["spec"], "metadata": o["metadata"]}) for o in self.list(path)}
            for path in (support.AGENTS, "/apis/apps/v1/namespaces/{namespace}/deployments",
                         "/api/v1/namespaces/{namespace}/services")
        }

    def use_namespace(self, suffix):
        namespace = f"{type(self).namespace}-{suffix}"
        answer = self.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
        self.assertEqual(answer.status, 201, answer)
        self.addCleanup(self.api.request, "DELETE", f"/api/v1/namespaces/{namespace}")
        self.namespace = namespace

    def audited_children(self):
        """What the audit log says of this namespace's Deployments and Services: {(resource, name): [(verb, code), …]}."""
        log = pathlib.Path(os.environ["ROSTER_CLUSTER_DIR"]) / "audit.log"
        found = {}
        with log.open() as lines:
            for line in lines:
                if self.namespace not in line:
                    continue
                event = json.loads(line)
                reference = event.get("objectRef", {})
                if (event["verb"] in ("create", "delete") and reference.get("namespace") == self.namespace
                        and reference.get("resource") in ("deployments", "services")
                        and not reference.get("subresource")):
                    if "name" not in reference:
                        # The operator died before its request was read whole: nothing can have come of it.
                        self.assertNotEqual(event.get("responseStatus", {}).get("code"), 201, event)
                        continue
                    child = (reference["resource"], reference["name"])
                    found.setdefault(child, []).append((event["verb"], event.get("responseStatus", {}).get("code")))
        return found

    def assert_one_create_per_child(self, seed):
        children = self.audited_children()
        self.assertEqual(len(children), AGENTS + AGENTS // 10)
        for child, calls in children.items():
            # 504: the operator died while it waited, so the server could not tell anybody whether it had created it.
            self.assertNotIn("delete", {verb for verb, _ in calls}, f"{child}, seed {seed}")
            codes = [code for _, code in calls]
            self.assertLessEqual(codes.count(201), 1, f"{child} was created more than once, seed {seed}")
            self.assertTrue(201 in codes or 504 in codes, f"{child} was never created: {codes}, seed {seed}")

    @unittest.skipUnless(os.environ.get("ROSTER_CLUSTER_DIR"),
                         "cannot: ROSTER_CLUSTER_DIR does not name a control plane with an audit log")
    def test_killed_at_seeded_points_it_ends_like_an_undisturbed_run_with_one_create_per_child(self):
        seed = int(os.environ.get("ROSTER_TEST_SEED", random.randrange(1 << 32)))
        print(f"ROSTER_TEST_SEED={seed}", flush=True)
        chance = random.Random(seed)

        self.use_namespace("calm")
        with Operator() as operator:
            self.apply_all()
            self.wait_for(self.settled, timeout=180, what="the undisturbed run")
            calm = self.dump()
            operator.log_path.unlink()

        self.use_namespace("killed")
        operator = Operator()
        self.addCleanup(operator.log_path.unlink, missing_ok=True)
        self.addCleanup(operator.stop)
        operator.start()
        # The kills fall while Agents are applied and reconciled: each after a drawn number of writes.
        kill_after = sorted(chance.sample(range(AGENTS // 20, AGENTS), KILLS))
        for number, manifest in enumerate(manifests()):
            self.assertEqual(self.create(manifest).status, 201)
            if number in kill_after:
                time.sleep(chance.uniform(0, 0.2))
                operator.kill()
                operator.start()
        self.wait_for(self.settled, timeout=180, what=f"the run with {KILLS} kills, seed {seed}")
        self.assertEqual(self.dump(), calm, f"seed {seed}")
        self.assert_one_create_per_child(seed)


if __name__ == "__main__":
    unittest.main(verbosity=2)

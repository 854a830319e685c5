"""What the Agent API accepts and offers: limits exactly met, defaults, subresources, selectors, columns, a manual."""

import json
import unittest

import bad_manifests
import support
from support import agent

IMAGE = {"image": "registry.example/agent:1.0"}
TIME = "2026-01-31T12:00:00Z"

# Every field of a workload agent's spec, at its limit where it has one.
FULL_WORKLOAD = agent(
    "w" * 52,
    type="T" + "-" * 61 + "t",
    agentID="i" * 253,
    displayName="Ü" * 128,
    description="d" * 4095 + "\n",
    metadata={"k" * 128: "v" * 1024, **{f"key {i}": "" for i in range(63)}},
    skills=[
        {"id": "s" * 128, "name": "n" * 128, "description": "d" * 1024,
         "tags": ["t" * 63] + [f"t{i}" for i in range(15)]},
        *({"id": f"skill/{i}"} for i in range(63)),
    ],
    desiredState="Paused",
    restartedAt="2026-01-31T12:00:00.123456789+02:00",
    resident=False,
    replicas=1000,
    heartbeat={"policy": "Disabled", "interval": "168h", "timeout": "168h0m0s0ms0ms0s"},
    workload={
        "image": "i" * 512,
        "command": ["c" * 32768] + ["c"] * 63,
        "args": ["a" * 32768] + [""] * 255,
        "env": [
            {"name": "_" + "A" * 252, "value": "v" * 32768},
            {"name": "FIELD", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['a.b/c']"}}},
            {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"containerName": "agent", "resource": "limits.memory",
                                                                 "divisor": "1Mi"}}},
            {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "c" * 253, "key": "k" * 253, "optional": True}}},
            {"name": "SECRET", "value": "", "valueFrom": {"secretKeyRef": {"name": "s" * 253, "key": "k" * 253,
                                                                           "optional": False}}},
            *({"name": f"N{i}"} for i in range(251)),
        ],
        "envFrom": [
            {"prefix": "P_", "configMapRef": {"name": "c", "optional": True}},
            *({"secretRef": {"name": "s", "optional": False}} for _ in range(63)),
        ],
        "port": 65535,
        "resources": {
            "limits": {"cpu": 2, "memory": "1.5Gi", **{f"example.com/r{i}": 1 for i in range(14)}},
            "requests": {"cpu": "2000m", "memory": "1536Mi", **{f"example.com/r{i}": "1" for i in range(14)}},
        },
        "serviceAccountName": "robot",
        "imagePullSecrets": [{"name": f"pull-{i}"} for i in range(16)],
        "podTemplate": {
            "metadata": {"labels": {"team": "a"}, "annotations": {"a": "b"}},
            "spec": {"nodeSelector": {"disk": "ssd"}, "volumes": [{"name": "v", "emptyDir": {}}],
                     "containers": [{"name": "agent", "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                                    {"name": "sidecar", "image": "registry.example/sidecar:1", "ports": [1, "two"]}]},
        },
    },
)

FULL_STATUS = {
    "observedGeneration": 7,
    "conditions": [{"type": "Ready", "status": "False", "observedGeneration": 7, "lastTransitionTime": TIME,
                    "reason": "ImagePullFailed", "message": "m" * 32768}],
    "state": "Failed",
    "health": "Unhealthy",
    "agentID": "a",
    "endpoint": "http://a.ns.svc:8000",
    "replicas": 3,
    "readyReplicas": 1,
    "selector": "app.kubernetes.io/name=a",
    "restarts": 12,
    "workload": {"name": "a", "uid": "0e0f", "generation": 2, "hash": "1234"},
    "registeredTime": TIME,
    "startedTime": TIME,
    "lastHeartbeatTime": TIME,
    "history": [{"time": TIME, "from": "Starting", "to": "Failed", "reason": "ImagePullFailed", "by": "someone"}] * 10,
}


class SpecTest(support.ClusterTestCase):

    def test_keeps_every_field_of_a_workload_agent_at_its_limit(self):
        made = self.create(FULL_WORKLOAD)
        self.assertEqual(made.status, 201, made)
        self.assertEqual(self.get(FULL_WORKLOAD["metadata"]["name"])["spec"], FULL_WORKLOAD["spec"])

    def test_the_full_workload_agent_has_every_field_but_endpoint(self):
        def given(value, path):
            if isinstance(value, dict):
                for name, child in value.items():
                    yield f"{path}.{name}"
                    yield from given(child, f"{path}.{name}")
            elif isinstance(value, list):
                for child in value:
                    yield from given(child, f"{path}[]")

        schema = self.api.request("GET", support.CRD_PATH)
        spec = schema.body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
        wanted = {path for path, _ in support.fields_of(spec, "spec") if not path.startswith("spec.endpoint")}
        self.assertEqual(wanted - set(given(FULL_WORKLOAD["spec"], "spec")), set())

    def test_fills_in_the_defaults_of_a_short_workload_agent(self):
        self.assertEqual(self.create(agent("short", type="research", workload=IMAGE)).status, 201)
        self.assertEqual(self.get("short")["spec"], {
            "type": "research",
            "workload": IMAGE,
            "desiredState": "Running",
            "resident": False,
            "replicas": 1,
            "heartbeat": {"interval": "15s", "timeout": "30s"},
        })

    def test_fills_in_the_defaults_of_an_endpoint_agent_without_an_address(self):
        self.assertEqual(self.create(agent("pulls", type="reporter", endpoint={})).status, 201)
        spec = self.get("pulls")["spec"]
        self.assertEqual(spec["endpoint"], {"scheme": "http"})
        self.assertNotIn("workload", spec)

    def test_fills_in_the_interval_when_only_the_timeout_is_given(self):
        self.assertEqual(self.create(agent("beats", type="t", endpoint={}, heartbeat={"timeout": "15s"})).status, 201)
        self.assertEqual(self.get("beats")["spec"]["heartbeat"], {"interval": "15s", "timeout": "15s"})

    def test_fills_in_the_timeout_when_only_the_interval_is_given(self):
        made = self.create(agent("beats-too", type="t", endpoint={}, heartbeat={"interval": "30s"}))
        self.assertEqual(made.status, 201, made)
        self.assertEqual(self.get("beats-too")["spec"]["heartbeat"], {"interval": "30s", "timeout": "30s"})

    def test_accepts_each_form_of_an_endpoint(self):
        forms = [
            {"host": "a"},
            {"host": "Agent_1.example"},
            {"host": "192.0.2.7", "port": 1},
            {"host": "2001:db8::7", "port": 65535, "scheme": "https"},
            {"host": "::1", "scheme": "http"},
            {"host": "h" * 253},
        ]
        for number, form in enumerate(forms):
            made = self.create(agent(f"endpoint-{number}", type="reporter", endpoint=form))
            self.assertEqual(made.status, 201, (form, made))
            self.assertEqual(made.body["spec"]["endpoint"], {"scheme": "http", **form})

    def test_an_endpoint_agent_may_have_any_kubernetes_name(self):
        for name in ("unit.7.edge", "7", "e" * 253):
            made = self.create(agent(name, type="reporter", endpoint={}))
            self.assertEqual(made.status, 201, (name, made))

    def test_a_reserved_name_is_fine_with_an_agent_id_of_its_own(self):
        made = self.create(agent("tasks", type="reporter", endpoint={}, agentID="task-keeper"))
        self.assertEqual(made.status, 201, made)

    def test_the_agent_id_may_be_set_later_once(self):
        self.create(agent("named-later", type="t", endpoint={}))
        self.assertEqual(self.patch("named-later", {"spec": {"agentID": "a"}}).status, 200)
        self.assertEqual(self.patch("named-later", {"spec": {"agentID": "b"}}).status, 422)

    def test_desired_state_may_be_written_in_any_order(self):
        self.create(agent("moves", type="t", workload=IMAGE))
        for state in ("Stopped", "Paused", "Running", "Paused", "Stopped", "Running"):
            changed = self.patch("moves", {"spec": {"desiredState": state}})
            self.assertEqual((changed.status, changed.body["spec"]["desiredState"]), (200, state))

    def test_residency_may_be_given_and_taken(self):
        self.create(agent("stays", type="t", workload=IMAGE))
        for resident in (True, False):
            changed = self.patch("stays", {"spec": {"resident": resident}})
            self.assertEqual((changed.status, changed.body["spec"]["resident"]), (200, resident))

    def test_zero_replicas_are_fine_for_a_workload_agent(self):
        made = self.create(agent("idle", type="t", workload=IMAGE, replicas=0))
        self.assertEqual(made.status, 201, made)

    def test_two_managers_apply_their_own_env_entries_and_skills(self):
        def part(name):
            return agent("shared", type="t", skills=[{"id": name}],
                         workload={**IMAGE, "env": [{"name": name.upper(), "value": "1"}],
                                   "imagePullSecrets": [{"name": name}]})

        for manager in ("one", "two"):
            self.apply(part(manager), manager=manager)
        spec = self.get("shared")["spec"]
        self.assertEqual([skill["id"] for skill in spec["skills"]], ["one", "two"])
        self.assertEqual([entry["name"] for entry in spec["workload"]["env"]], ["ONE", "TWO"])
        self.assertEqual([secret["name"] for secret in spec["workload"]["imagePullSecrets"]], ["one", "two"])

    def test_the_samples_are_accepted(self):
        files = sorted(support.SAMPLES.glob("*.yaml"))
        self.assertTrue(files, f"no samples in {support.SAMPLES}")
        done = support.kubectl("create", "--dry-run=server", "--validate=strict", "--output=name",
                               *(f"--filename={path}" for path in files), namespace=self.namespace)
        names = {line.rpartition("/")[2] for line in done.stdout.split()}
        self.assertEqual(names, {"researcher", "edge-reporter", "orchestrator", "batch-summarizer", "broken-image"})


class StatusTest(support.ClusterTestCase):

    def test_a_new_agent_has_a_status_that_no_tool_takes_for_finished(self):
        manifest = agent("fresh", type="t", endpoint={})
        made = self.create({**manifest, "status": {"state": "Running", "observedGeneration": 1}})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(made.body["status"], {"observedGeneration": -1})

    def test_keeps_every_field_of_the_status(self):
        self.create(agent("observed", type="t", workload=IMAGE))
        answer = self.patch("observed", {"status": FULL_STATUS}, subresource="status")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.get("observed")["status"], FULL_STATUS)

    def test_a_write_of_the_status_changes_neither_spec_nor_generation(self):
        made = self.create(agent("split", type="t", workload=IMAGE)).body
        answer = self.patch("split", {"spec": {"replicas": 5}, "status": {"state": "Running"}}, subresource="status")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.body["spec"], made["spec"])
        self.assertEqual(answer.body["metadata"]["generation"], 1)

    def test_a_write_of_the_spec_does_not_change_the_status(self):
        self.create(agent("split-too", type="t", workload=IMAGE))
        answer = self.patch("split-too", {"spec": {"replicas": 5}, "status": {"state": "Running"}})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.body["status"], {"observedGeneration": -1})
        self.assertEqual(answer.body["metadata"]["generation"], 2)

    def test_accepts_every_state_and_health(self):
        self.create(agent("states", type="t", endpoint={}))
        for state in ("Created", "Starting", "Running", "Paused", "Stopping", "Stopped", "Failed", "Lost",
                      "Terminating"):
            status = {"state": state, "history": [{"time": TIME, "from": state, "to": state}]}
            self.assertEqual(self.patch("states", {"status": status}, "status").status, 200)
        for health in ("Healthy", "Degraded", "Unhealthy", "Unknown"):
            self.assertEqual(self.patch("states", {"status": {"health": health}}, "status").status, 200)


class ScaleTest(support.ClusterTestCase):

    def test_the_scale_subresource_shows_and_sets_the_replicas(self):
        self.create(agent("scaled", type="t", workload=IMAGE, replicas=2))
        self.patch("scaled", {"status": {"replicas": 1, "selector": "app=scaled"}}, "status")
        path = self.agents_path("scaled", "scale")
        scale = self.api.request("GET", path).body
        self.assertEqual(scale["spec"], {"replicas": 2})
        self.assertEqual(scale["status"], {"replicas": 1, "selector": "app=scaled"})

        scale["spec"]["replicas"] = 4
        self.assertEqual(self.api.request("PUT", path, scale).status, 200)
        self.assertEqual(self.get("scaled")["spec"]["replicas"], 4)

    def test_kubectl_scale(self):
        self.create(agent("by-kubectl", type="t", workload=IMAGE))
        support.kubectl("scale", "agents.agentroster.dev/by-kubectl", "--replicas=3", namespace=self.namespace)
        self.assertEqual(self.get("by-kubectl")["spec"]["replicas"], 3)


class DiscoveryTest(support.ClusterTestCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        crd = cls.api.request("GET", support.CRD_PATH).body
        cls.schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    def test_names_short_name_and_category(self):
        resources = self.api.request("GET", "/apis/agentroster.dev/v1alpha1").body["resources"]
        agents = next(resource for resource in resources if resource["name"] == "agents")
        self.assertEqual((agents["kind"], agents["singularName"], agents["shortNames"], agents["categories"],
                          agents["namespaced"]), ("Agent", "agent", ["agt"], ["roster"], True))
        self.assertEqual({resource["name"] for resource in resources}, {"agents", "agents/status", "agents/scale"})

    def test_kubectl_takes_short_name_and_category(self):
        self.create(agent("found", type="t", endpoint={}))
        for word in ("agt", "roster", "agents.agentroster.dev"):
            done = support.kubectl("get", word, "--output=name", namespace=self.namespace)
            self.assertIn("agent.agentroster.dev/found", done.stdout)

    def test_field_selectors_choose_by_type_desired_state_residency_state_and_health(self):
        self.create(agent("one", type="research", workload=IMAGE, resident=True, desiredState="Paused"))
        self.create(agent("two", type="writer", workload=IMAGE))
        self.patch("one", {"status": {"state": "Paused", "health": "Degraded"}}, "status")
        self.patch("two", {"status": {"state": "Running", "health": "Healthy"}}, "status")
        for selector in ("spec.type=research", "spec.desiredState=Paused", "spec.resident=true", "status.state=Paused",
                         "status.health=Degraded", "spec.type=research,status.state!=Running"):
            listed = self.api.request("GET", self.agents_path(), fieldSelector=selector)
            self.assertEqual(listed.status, 200, listed)
            self.assertEqual([item["metadata"]["name"] for item in listed.body["items"]], ["one"], selector)
        refused = self.api.request("GET", self.agents_path(), fieldSelector="spec.agentID=one")
        self.assertEqual(refused.status, 400, refused)

    def test_columns_and_their_cells(self):
        self.create(agent("shown", type="painter", workload=IMAGE))
        self.patch("shown", {"status": {**FULL_STATUS, "replicas": 3}}, "status")
        table = self.api.request("GET", self.agents_path("shown"),
                                 accept="application/json;as=Table;v=v1;g=meta.k8s.io").body
        columns = [(column["name"], column["priority"]) for column in table["columnDefinitions"]]
        self.assertEqual(columns, [("Name", 0), ("Type", 0), ("State", 0), ("Health", 0), ("Ready", 0), ("Age", 0),
                                   ("Replicas", 1), ("Resident", 1), ("Endpoint", 1), ("Reason", 1)])
        cells = table["rows"][0]["cells"]
        self.assertEqual(cells[:5] + cells[6:], ["shown", "painter", "Failed", "Unhealthy", "False", 3, False,
                                                 "http://a.ns.svc:8000", "ImagePullFailed"])

    def test_kubectl_explain_is_a_manual(self):
        shown = support.kubectl("explain", "agents.agentroster.dev.spec.heartbeat").stdout
        for text in ("policy", "Required, Optional, Disabled", "interval", "15s", "at most timeout"):
            self.assertIn(text, shown)
        shown = support.kubectl("explain", "agents.agentroster.dev.spec.workload.env.valueFrom.secretKeyRef").stdout
        self.assertIn("The Secret's name.", shown)

    def test_every_field_is_described_with_its_default_and_what_is_allowed(self):
        for path, schema in support.fields_of(self.schema):
            if path in ("metadata", "metadata.name"):  # Described by Kubernetes itself.
                continue
            description = schema.get("description", "")
            self.assertGreater(len(description), 20, f"{path} has no description")
            self.assertTrue(description.endswith("."), f"{path}: {description}")
            if not path.startswith("spec.") or schema.get("type") == "object" and "additionalProperties" not in schema:
                continue
            self.assertRegex(description, r"Default: |Required[.;]", f"{path} does not tell its default")
            self.assertIn("Allowed: ", description, f"{path} does not tell what is allowed")
            default = schema.get("default")
            if default is not None:
                default = json.dumps(default) if isinstance(default, bool) else default
                self.assertIn(f"Default: {default}.", description, path)
            for value in schema.get("enum", []):
                self.assertIn(value, description, path)

    def test_every_string_map_and_list_of_the_spec_is_bounded(self):
        # A string is bounded by its pattern, or by a rule, which bad_manifests then breaks.
        ruled = {case.field for case in bad_manifests.CASES if "characters" in str(case.given)}
        for path, schema in support.fields_of(self.schema["properties"]["spec"], "spec"):
            kind = schema.get("type")
            if kind == "array":
                self.assertIn("maxItems", schema, path)
            if "additionalProperties" in schema or "x-kubernetes-preserve-unknown-fields" in schema:
                self.assertIn("maxProperties", schema, path)
            if kind == "string" and not any(key in schema for key in ("pattern", "enum", "format")):
                self.assertIn(path.replace("[]", "[0]"), ruled, f"nothing bounds {path}")


if __name__ == "__main__":
    unittest.main()

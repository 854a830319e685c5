"""One Agent's life on a real API server, with real controllers and simulated nodes: what its owner does and sees."""

import json
import unittest

import support
from operator_process import OperatorTestCase
from support import agent

IMAGE = "registry.example/agent:1.0"


def workload(**fields):
    return {"image": IMAGE, **fields}


class LifecycleTest(OperatorTestCase):
    def test_a_workload_agent_becomes_running_with_all_its_status_true(self):
        self.apply(agent("whole", type="research", workload=workload(port=8000)))
        found = self.wait_for_state("whole", "Running")
        self.wait_for_condition("whole", "Available", "True")
        status = self.status("whole")
        self.assertEqual(status["health"], "Healthy")
        self.assertEqual(status["agentID"], "whole")
        self.assertEqual(status["endpoint"], f"http://whole.{self.namespace}.svc:8000")
        self.assertEqual((status["replicas"], status["readyReplicas"]), (1, 1))
        self.assertEqual(status["selector"], f"agentroster.dev/agent-uid={found['metadata']['uid']}")
        self.assertEqual({c["type"]: c["status"] for c in status["conditions"]},
                         {"Ready": "True", "Accepted": "True", "WorkloadAvailable": "True", "Healthy": "True",
                          "Available": "True"})
        self.assertTrue(all(c["observedGeneration"] == 1 for c in status["conditions"]))
        self.assertEqual(status["registeredTime"], found["metadata"]["creationTimestamp"])
        self.assertIn("startedTime", status)
        self.assertEqual([entry["to"] for entry in status["history"]], ["Starting", "Running"])
        deployment = self.child("deployments", "whole")
        self.assertEqual(status["workload"]["uid"], deployment["metadata"]["uid"])
        self.assertEqual(status["workload"]["generation"], deployment["metadata"]["generation"])
        owner = deployment["metadata"]["ownerReferences"][0]
        self.assertEqual((owner["uid"], owner["controller"]), (found["metadata"]["uid"], True))
        self.assertNotIn("blockOwnerDeletion", owner)

    def test_kubectl_wait_get_scale_and_field_selectors_work_as_its_user_expects(self):
        self.apply(agent("scaled", type="scaling", workload=workload()))
        namespace = self.namespace
        support.kubectl("wait", "--for=condition=Ready", "agents.agentroster.dev/scaled", "--timeout=20s",
                        namespace=namespace)
        support.kubectl("wait", "--for=jsonpath={.status.state}=Running", "agents.agentroster.dev/scaled",
                        "--timeout=20s", namespace=namespace)
        support.kubectl("scale", "agents.agentroster.dev/scaled", "--replicas=3", namespace=namespace)
        self.wait_for(lambda: self.status("scaled").get("readyReplicas") == 3, what="three ready replicas")
        self.wait_for_condition("scaled", "Ready", "True", "PodsReady")
        listed = support.kubectl("get", "agents.agentroster.dev", "--no-headers",
                                 "--field-selector=status.state=Running,spec.type=scaling", namespace=namespace).stdout
        self.assertRegex(listed.strip(), r"^scaled +scaling +Running +Healthy +True +\w+$")
        wide = support.kubectl("get", "agt", "scaled", "-o", "wide", namespace=namespace).stdout.splitlines()
        self.assertEqual(wide[0].split(), ["NAME", "TYPE", "STATE", "HEALTH", "READY", "AGE", "REPLICAS", "RESIDENT",
                                           "ENDPOINT", "REASON"])
        support.kubectl("scale", "agents.agentroster.dev/scaled", "--replicas=0", namespace=namespace)
        self.wait_for_state("scaled", "Stopped")
        self.wait_for_condition("scaled", "Ready", "True", "ScaledToZero")

    def test_stop_takes_the_agent_out_of_its_service_then_removes_its_pods_and_start_brings_them_back(self):
        self.apply(agent("stopper", type="t", replicas=2, workload=workload(port=80)))
        self.wait_for_state("stopper", "Running")
        self.patch("stopper", {"spec": {"desiredState": "Stopped"}})
        self.wait_for_state("stopper", "Stopped")
        self.assertEqual(self.pods("stopper"), [])
        self.assertEqual(self.child("services", "stopper")["spec"]["selector"].get("agentroster.dev/paused"), "true")
        self.wait_for_condition("stopper", "Ready", "True", "Stopped")
        self.assertNotIn("startedTime", self.status("stopper"))
        self.patch("stopper", {"spec": {"desiredState": "Running"}})
        self.wait_for_state("stopper", "Running")
        self.wait_for(lambda: len(self.pods("stopper")) == 2)
        self.assertNotIn("agentroster.dev/paused", self.child("services", "stopper")["spec"]["selector"])

    def test_pause_keeps_the_pods_and_empties_the_service(self):
        self.apply(agent("pauser", type="t", workload=workload(port=80)))
        self.wait_for_state("pauser", "Running")
        self.wait_for_condition("pauser", "Available", "True")
        before = [pod["metadata"]["uid"] for pod in self.pods("pauser")]

        def addresses():
            slices = self.api.request("GET", f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices",
                                      labelSelector="kubernetes.io/service-name=pauser").body["items"]
            return [e for s in slices for e in s.get("endpoints") or []]

        self.wait_for(addresses, what="an address behind the Service")
        self.patch("pauser", {"spec": {"desiredState": "Paused"}})
        self.wait_for_state("pauser", "Paused")
        self.wait_for_condition("pauser", "Ready", "True", "Paused")
        self.wait_for_condition("pauser", "Available", "False", "Paused")
        self.wait_for(lambda: not addresses(), what="no address behind the Service")
        self.assertEqual([pod["metadata"]["uid"] for pod in self.pods("pauser")], before)
        self.patch("pauser", {"spec": {"desiredState": "Running"}})
        self.wait_for_state("pauser", "Running")
        self.wait_for(addresses, what="an address behind the Service")

    def test_restarted_at_rolls_the_pods(self):
        self.apply(agent("roller", type="t", workload=workload()))
        self.wait_for_state("roller", "Running")
        before = {pod["metadata"]["uid"] for pod in self.pods("roller")}
        self.patch("roller", {"spec": {"restartedAt": "2026-02-03T04:05:06Z"}})

        def replaced():
            pods = self.pods("roller")
            return pods and not before & {pod["metadata"]["uid"] for pod in pods}

        self.wait_for(replaced, what="new pods in place of the old ones")
        self.wait_for_condition("roller", "Ready", "True", "PodsReady")
        self.assertEqual(self.pods("roller")[0]["metadata"]["annotations"]["agentroster.dev/restarted-at"],
                         "2026-02-03T04:05:06Z")

    def test_a_resident_agent_is_recreated_not_rolled_and_may_become_resident_later(self):
        self.apply(agent("resident", type="t", resident=True, workload=workload()))
        self.wait_for_state("resident", "Running")
        self.assertEqual(self.child("deployments", "resident")["spec"]["strategy"], {"type": "Recreate"})
        self.apply(agent("later", type="t", workload=workload()))
        self.wait_for_state("later", "Running")
        for resident, strategy in ((True, "Recreate"), (False, "RollingUpdate")):
            self.patch("later", {"spec": {"resident": resident}})
            self.wait_for(lambda: self.child("deployments", "later")["spec"]["strategy"]["type"] == strategy,
                          what=f"strategy {strategy}")
            self.wait_for_state("later", "Running")
            self.wait_for_condition("later", "Ready", "True")

    def test_an_endpoint_agent_is_registered_and_has_no_children(self):
        self.apply(agent("remote", type="t", endpoint={"host": "unit-7.edge.example", "port": 8443, "scheme": "https"}))
        self.wait_for_state("remote", "Starting")
        self.wait_for_condition("remote", "Ready", "True", "Registered")
        self.wait_for_condition("remote", "HeartbeatFresh", "Unknown", "AwaitingHeartbeat")
        self.assertEqual(self.status("remote")["endpoint"], "https://unit-7.edge.example:8443")
        self.assertEqual(self.status("remote")["health"], "Unknown")
        self.patch("remote", {"spec": {"desiredState": "Stopped"}})
        self.wait_for_state("remote", "Stopped")
        self.assertIsNone(self.child("deployments", "remote"))

    def test_an_env_entry_an_argument_and_a_port_removed_from_the_agent_leave_its_children(self):
        self.apply(agent("trimmed", type="t", workload=workload(
            port=80, args=["one", "two"], env=[{"name": "KEEP", "value": "1"}, {"name": "DROP", "value": "2"}],
            podTemplate={"metadata": {"labels": {"team": "a", "tier": "b"}}})))
        self.wait_for_state("trimmed", "Running")
        self.apply(agent("trimmed", type="t", workload=workload(
            args=["one"], env=[{"name": "KEEP", "value": "1"}],
            podTemplate={"metadata": {"labels": {"team": "a"}}})))

        def trimmed():
            template = self.child("deployments", "trimmed")["spec"]["template"]
            container = template["spec"]["containers"][0]
            self.assertEqual(container["env"], [{"name": "KEEP", "value": "1"}])
            self.assertEqual(container["args"], ["one"])
            self.assertNotIn("ports", container)
            self.assertEqual(template["metadata"]["labels"].get("team"), "a")
            self.assertNotIn("tier", template["metadata"]["labels"])
            return True

        self.wait_for(trimmed, what="the removed fields to leave the Deployment")
        self.wait_for(lambda: self.child("services", "trimmed") is None, what="the Service to go with the port")
        self.wait_for_condition("trimmed", "Ready", "True")
        self.assertEqual(self.status("trimmed").get("endpoint", ""), "")

    def test_deleting_the_agent_removes_its_children_and_the_name_can_be_used_again_at_once(self):
        self.apply(agent("phoenix", type="t", workload=workload(port=80)))
        first = self.wait_for_state("phoenix", "Running")["metadata"]["uid"]
        support.kubectl("delete", "agents.agentroster.dev/phoenix", namespace=self.namespace)
        second = self.apply(agent("phoenix", type="t", workload=workload(port=80)))["metadata"]["uid"]
        self.assertNotEqual(first, second)
        self.wait_for_state("phoenix", "Running", timeout=40)

        def owned_by_second():
            children = [self.child("deployments", "phoenix"), self.child("services", "phoenix")]
            return all(c and c["metadata"]["ownerReferences"][0]["uid"] == second for c in children)

        self.wait_for(owned_by_second, what="children of the second Agent alone")
        support.kubectl("delete", "agents.agentroster.dev/phoenix", namespace=self.namespace)
        self.wait_for(lambda: not self.child("deployments", "phoenix") and not self.child("services", "phoenix"),
                      what="the children to go with their Agent")


class DriftTest(OperatorTestCase):
    def test_a_deployment_edited_or_deleted_by_hand_is_put_right(self):
        self.apply(agent("edited", type="t", workload=workload(env=[{"name": "A", "value": "1"}])))
        self.wait_for_state("edited", "Running")
        self.patch_child("deployments", "edited", {"spec": {"replicas": 5}})
        self.wait_for(lambda: self.child("deployments", "edited")["spec"]["replicas"] == 1, what="one replica again")
        self.patch_child("deployments", "edited", {"metadata": {"labels": {"agentroster.dev/type": "other"}}})
        self.wait_for(lambda: self.child("deployments", "edited")["metadata"]["labels"]["agentroster.dev/type"] == "t",
                      what="the label again")
        self.patch_child("deployments", "edited", {"metadata": {"ownerReferences": None}})
        self.wait_for(lambda: self.child("deployments", "edited")["metadata"].get("ownerReferences"),
                      what="the owner again")
        self.patch_child("deployments", "edited", {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}})
        self.wait_for(lambda: self.child("deployments", "edited")["metadata"]["labels"]
                      .get("app.kubernetes.io/managed-by") == "roster", what="the label that Roster watches by")
        uid = self.child("deployments", "edited")["metadata"]["uid"]
        self.api.request("DELETE", f"/apis/apps/v1/namespaces/{self.namespace}/deployments/edited")
        self.wait_for(lambda: (self.child("deployments", "edited") or {"metadata": {"uid": uid}})["metadata"]["uid"]
                      != uid, what="a new Deployment")
        self.wait_for_state("edited", "Running")
        self.assertIn("DriftCorrected", {event["reason"] for event in self.events("edited")})

    def test_a_service_edited_or_deleted_by_hand_is_put_right(self):
        self.apply(agent("served", type="t", workload=workload(port=8000)))
        self.wait_for_state("served", "Running")
        self.patch_child("services", "served", {"spec": {"selector": {"agentroster.dev/paused": "true"}}})
        self.wait_for(lambda: "agentroster.dev/paused" not in self.child("services", "served")["spec"]["selector"],
                      what="the selector again")
        self.api.request("DELETE", f"/api/v1/namespaces/{self.namespace}/services/served")
        self.wait_for(lambda: self.child("services", "served"), what="a new Service")

    def test_what_others_add_to_the_deployment_stays(self):
        self.apply(agent("shared", type="t", workload=workload()))
        self.wait_for_state("shared", "Running")
        self.patch_child("deployments", "shared", {"metadata": {"annotations": {"example.com/cost-centre": "7"}}})
        self.patch("shared", {"spec": {"replicas": 2}})
        self.wait_for(lambda: self.child("deployments", "shared")["spec"]["replicas"] == 2)
        self.assertEqual(self.child("deployments", "shared")["metadata"]["annotations"]["example.com/cost-centre"], "7")

    def test_a_foreign_deployment_of_the_same_name_is_left_untouched_and_named_until_it_goes(self):
        foreign = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "taken"},
                   "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "x"}},
                            "template": {"metadata": {"labels": {"app": "x"}},
                                         "spec": {"containers": [{"name": "x", "image": IMAGE}]}}}}
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        made = self.api.request("POST", path, foreign, fieldManager="somebody")
        self.assertEqual(made.status, 201, made)
        self.apply(agent("taken", type="t", workload=workload()))
        ready = self.wait_for_condition("taken", "Ready", "False", "NameConflict")
        self.assertIn("Deployment taken already exists", ready["message"])
        self.wait_for_condition("taken", "Stalled", "True", "NameConflict")
        found = self.child("deployments", "taken")
        self.assertEqual(found["spec"], made.body["spec"])
        self.assertEqual({entry["manager"] for entry in found["metadata"]["managedFields"]}
                         - {"kube-controller-manager"}, {"somebody"})
        self.api.request("DELETE", f"{path}/taken")
        self.wait_for_state("taken", "Running", timeout=30)


class FailureTest(OperatorTestCase):
    """Failures as a kubelet and the control plane report them, in words on the Agent alone, and gone when mended."""

    def failing(self, name, behaviour):
        self.apply(agent(name, type="t", workload=workload(
            podTemplate={"metadata": {"annotations": {"simulate.agentroster.dev/behaviour": behaviour}}})))

    def test_an_image_that_cannot_be_pulled_fails_and_heals_when_corrected(self):
        self.apply(agent("image", type="t", workload={"image": "registry.example/does-not-exist:1"}))
        self.wait_for_state("image", "Failed")
        ready = self.wait_for_condition("image", "Ready", "False", "ImagePullBackOff")
        self.assertIn("does-not-exist", ready["message"])
        self.wait_for_condition("image", "Reconciling", "True")
        self.assertEqual(self.condition("image", "Stalled"), {})
        self.assertEqual(self.status("image")["health"], "Unhealthy")
        self.wait_for(lambda: "ImagePullBackOff" in {e["reason"] for e in self.events("image")}, what="an Event")
        self.patch("image", {"spec": {"workload": {"image": IMAGE}}})
        self.wait_for_state("image", "Running")
        self.wait_for_condition("image", "Ready", "True")
        self.assertEqual(self.condition("image", "Reconciling"), {})

    def test_a_crash_loop_fails_with_the_exit_code(self):
        self.failing("crash", "crash-loop")
        self.wait_for_condition("crash", "Ready", "False", "CrashLoopBackOff", timeout=60)
        self.wait_for_state("crash", "Failed", timeout=60)
        self.assertIn("exit code 1", self.wait_for_condition("crash", "Ready", "False", "CrashLoopBackOff")["message"])
        self.wait_for(lambda: self.status("crash").get("restarts", 0) >= 2, 60, "restarts to be counted")

    def test_a_container_out_of_memory_is_named(self):
        self.failing("oom", "oom")
        self.wait_for_state("oom", "Failed", timeout=60)
        self.wait_for(lambda: "OOMKilled" in self.condition("oom", "Ready").get("message", ""), 30, "OOMKilled in words")

    def test_a_missing_secret_is_named(self):
        self.failing("secret", "missing-secret")
        ready = self.wait_for_condition("secret", "Ready", "False", "CreateContainerConfigError")
        self.assertIn("not found", ready["message"])

    def test_an_invalid_image_name_stalls(self):
        self.failing("badname", "invalid-image-name")
        self.wait_for_condition("badname", "Stalled", "True", "InvalidImageName")

    def test_a_pod_that_never_gets_ready_is_starting_not_running(self):
        self.failing("never", "never-ready")
        self.wait_for(lambda: self.pods("never") and self.pods("never")[0].get("status", {}).get("phase") == "Running")
        self.wait_for_condition("never", "Ready", "False", "PodsNotReady")
        self.assertEqual(self.status("never")["state"], "Starting")

    def test_an_exceeded_quota_stalls_with_the_servers_words_and_heals_when_raised(self):
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight"},
                 "spec": {"hard": {"requests.cpu": "1"}}}
        path = f"/api/v1/namespaces/{self.namespace}/resourcequotas"
        self.assertEqual(self.api.request("POST", path, quota).status, 201)
        self.addCleanup(self.api.request, "DELETE", f"{path}/tight")
        self.wait_for(lambda: self.api.request("GET", f"{path}/tight").body.get("status", {}).get("hard"))
        self.apply(agent("hungry", type="t", workload=workload(resources={"requests": {"cpu": "2"}})))
        ready = self.wait_for_condition("hungry", "Ready", "False", "QuotaExceeded")
        self.assertIn("exceeded quota: tight", ready["message"])
        self.wait_for_condition("hungry", "Stalled", "True", "QuotaExceeded")
        self.assertEqual(self.status("hungry")["state"], "Failed")
        self.api.request("DELETE", f"{path}/tight")
        self.wait_for_state("hungry", "Running", timeout=60)
        self.assertEqual(self.condition("hungry", "Stalled"), {})

    def test_pod_security_refusal_stalls_with_the_servers_words(self):
        labels = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
        namespace = f"/api/v1/namespaces/{self.namespace}"
        self.api.request("PATCH", namespace, labels, content_type=support.MERGE_PATCH)
        self.addCleanup(self.api.request, "PATCH", namespace,
                        {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}},
                        content_type=support.MERGE_PATCH)
        self.apply(agent("loose", type="t", workload=workload()))
        ready = self.wait_for_condition("loose", "Ready", "False", "PodSecurityViolation")
        self.assertIn("allowPrivilegeEscalation", ready["message"])
        self.wait_for_condition("loose", "Stalled", "True")

    def test_a_template_the_server_refuses_stalls_with_the_servers_words_and_heals_with_a_new_spec(self):
        self.apply(agent("refused", type="t", workload=workload(
            podTemplate={"spec": {"restartPolicy": "Sometimes"}})))
        ready = self.wait_for_condition("refused", "Ready", "False", "WriteRefused")
        self.assertIn("restartPolicy", ready["message"])
        self.assertIn("Sometimes", ready["message"])
        self.wait_for_condition("refused", "Stalled", "True", "WriteRefused")
        self.patch("refused", {"spec": {"workload": {"podTemplate": {"spec": {"restartPolicy": "Always"}}}}})
        self.wait_for_state("refused", "Running")

    def test_a_pod_template_over_its_limit_is_not_accepted(self):
        self.apply(agent("large", type="t", workload=workload(
            podTemplate={"metadata": {"annotations": {"note": "x" * 33000}}})))
        accepted = self.wait_for_condition("large", "Accepted", "False", "InvalidPodTemplate")
        self.assertIn("32768", accepted["message"])
        self.assertIsNone(self.child("deployments", "large"))

    def test_of_two_agents_with_one_id_the_older_keeps_it_and_the_other_gets_it_when_that_goes(self):
        self.apply(agent("first", type="t", agentID="shared-id", workload=workload()))
        self.wait_for_state("first", "Running")
        self.apply(agent("second", type="t", agentID="shared-id", workload=workload()))
        accepted = self.wait_for_condition("second", "Accepted", "False", "DuplicateID")
        self.assertIn('"first"', accepted["message"])
        self.assertIsNone(self.child("deployments", "second"))
        support.kubectl("delete", "agents.agentroster.dev/first", namespace=self.namespace)
        self.wait_for_state("second", "Running")
        self.wait_for_condition("second", "Accepted", "True")

    def test_describe_tells_the_story(self):
        self.apply(agent("story", type="t", workload=workload(port=80)))
        self.wait_for_state("story", "Running")
        self.patch("story", {"spec": {"desiredState": "Stopped"}})
        self.wait_for_state("story", "Stopped")

        def told():
            text = support.kubectl("describe", "agents.agentroster.dev/story", namespace=self.namespace).stdout
            events = text[text.rindex("Events:"):]
            for words in ("Created Deployment story", "Created Service story", "Starting -> Running",
                          "Running -> Stopping", "Stopping -> Stopped"):
                self.assertIn(words, events, json.dumps(self.events("story"), indent=1)[-3000:])
            return True

        self.wait_for(told, what="Events that tell the story")


if __name__ == "__main__":
    unittest.main(verbosity=2)

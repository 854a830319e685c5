"""The API server refuses bad manifests by the CRD alone, and says field, value given and what is allowed."""

import unittest

import bad_manifests
import support


class BadManifestsTest(support.ClusterTestCase):
    """One test for each Case of bad_manifests; they are added below."""

    def check(self, case):
        name = case.before["metadata"]["name"] if case.before else None
        if case.before:
            made = self.create(case.before)
            self.assertEqual(made.status, 201, made)
            answer = self.patch(name, case.manifest, case.subresource)
        else:
            answer = self.create(case.manifest)

        self.assertEqual(answer.status, case.status, answer)
        # Each of a refusal's findings has to tell the whole story. Strict decoding gives one text and no findings.
        findings = answer.causes() if case.status == 422 else [(case.field, answer.message())]
        told = [text for field, text in findings if field == case.field]
        self.assertTrue(any(case.given_text() in text and case.allowed in text for text in told),
                        f"no finding on {case.field} has both {case.given!r} and {case.allowed!r}: {findings}")
        self.assertIn(case.field, answer.message())

        if case.before:
            self.assertEqual(self.get(name), made.body)
        else:
            listed = self.api.request("GET", self.agents_path()).body["items"]
            made_here = [item["metadata"]["name"] for item in listed]
            self.assertEqual([n for n in made_here if n not in NAMES_OF_BEFORE], [], "a refused Agent was stored")

    def test_the_table_is_as_large_as_promised_and_names_no_test_twice(self):
        self.assertGreaterEqual(len(bad_manifests.CASES), 60)
        names = [case.test_name() for case in bad_manifests.CASES]
        self.assertEqual(sorted(names), sorted(set(names)))

    def test_kubectl_shows_the_refusal_to_the_user(self):
        bad = bad_manifests.workload(agentID="tasks")
        for command in (["create"], ["apply", "--server-side"]):
            done = support.kubectl(*command, "--validate=strict", "--filename=-", namespace=self.namespace, stdin=bad,
                                   check=False)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn('spec.agentID: Invalid value: "tasks": is a reserved word; allowed: any id but', done.stderr)

    def test_kubectl_refuses_unknown_fields_before_anything_is_stored(self):
        bad = bad_manifests.workload(replica=3)
        for command in (["create"], ["apply", "--server-side"]):
            done = support.kubectl(*command, "--validate=strict", "--filename=-", namespace=self.namespace, stdin=bad,
                                   check=False)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("spec.replica", done.stderr)

    def test_kubectl_scale_of_a_resident_agent_says_what_to_do_instead(self):
        self.apply(bad_manifests.workload("resident-by-kubectl", resident=True))
        done = support.kubectl("scale", "agents.agentroster.dev/resident-by-kubectl", "--replicas=3",
                               namespace=self.namespace, check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("spec.replicas is 3, but spec.resident is true", done.stderr)
        self.assertIn("set spec.desiredState to Stopped", done.stderr)


NAMES_OF_BEFORE = {case.before["metadata"]["name"] for case in bad_manifests.CASES if case.before}
NAMES_OF_BEFORE.add("resident-by-kubectl")

for _case in bad_manifests.CASES:
    setattr(BadManifestsTest, _case.test_name(), lambda self, case=_case: self.check(case))

if __name__ == "__main__":
    unittest.main()

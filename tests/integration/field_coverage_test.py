"""No field of the Agent API without a test, and no row in field_coverage.TESTS that speaks of nothing."""

import importlib
import unittest

import field_coverage
import support

OF_EVERY_RESOURCE = {"apiVersion", "kind", "metadata"}


class FieldCoverageTest(support.ClusterTestCase):

    def test_every_field_of_the_crd_has_a_row_and_every_row_a_field(self):
        crd = self.api.request("GET", support.CRD_PATH).body
        for version in crd["spec"]["versions"]:
            fields = {path for path, _ in support.fields_of(version["schema"]["openAPIV3Schema"])} - OF_EVERY_RESOURCE
            rows = set(field_coverage.TESTS)
            self.assertEqual(fields - rows, set(), "fields without a row in field_coverage.TESTS")
            self.assertEqual(rows - fields, set(), "rows of field_coverage.TESTS without a field")

    def test_every_row_names_tests_that_exist(self):
        for field, names in field_coverage.TESTS.items():
            self.assertTrue(names, f"{field} has no test")
            for name in names:
                module, test_class, test = name.split(".")
                found = getattr(importlib.import_module(module), test_class, None)
                self.assertTrue(callable(getattr(found, test, None)), f"{field} names {name}, which does not exist")


if __name__ == "__main__":
    unittest.main()

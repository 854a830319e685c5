"""What the black-box tests share: the cluster they run on, and how to talk to it.

The tests run on a real control plane, named by the environment:

  KUBECONFIG     the cluster; its current context must be an administrator's
  ROSTER_TOOLS   folder that holds kubectl; without it, kubectl is looked for in PATH

A test class derives from ClusterTestCase and gets a namespace of its own:

  class ScalingTest(support.ClusterTestCase):
      def test_scale_subresource_sets_the_replicas(self):
          self.apply(support.agent("a", type="t", workload={"image": "registry.example/a:1"}))
          support.kubectl("scale", "agents.agentroster.dev/a", "--replicas=3", namespace=self.namespace)
          self.wait_for(lambda: self.get("a")["spec"]["replicas"] == 3)

Two ways to reach the API server: kubectl(), which shows what a user sees and costs a process of 0.1 s, and
ApiServer, which sends one HTTPS request in a few milliseconds and can say what kubectl never would. `self.api` is one.
"""

import base64
import copy
import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
CRD_FILE = ROOT / "crds" / "agents.agentroster.dev.yaml"
SAMPLES = ROOT / "deploy" / "samples"

GROUP = "agentroster.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/agents.{GROUP}"
AGENTS = f"/apis/{GROUP}/{VERSION}/namespaces/{{namespace}}/agents"

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def agent(name, **spec):
    """An Agent manifest with the given spec fields."""
    return {"apiVersion": API_VERSION, "kind": "Agent", "metadata": {"name": name}, "spec": spec}


def kubectl_path():
    """The kubectl to use. Fails the test when there is none."""
    folder = os.environ.get("ROSTER_TOOLS")
    found = shutil.which("kubectl", path=folder) if folder else shutil.which("kubectl")
    if not found:
        raise AssertionError(f"kubectl is not in {folder or 'PATH'}; ROSTER_TOOLS names the folder that holds it")
    return found


def kubectl(*args, namespace=None, stdin=None, check=True, timeout=60):
    """Runs kubectl on the cluster of $KUBECONFIG and returns the CompletedProcess, with text output.

    `stdin` is text, or an object that is sent as JSON. With `check`, an exit code other than 0 fails the test and shows
    what kubectl said.
    """
    if not os.environ.get("KUBECONFIG"):
        raise AssertionError("KUBECONFIG is not set; the integration tests need a cluster of their own")
    if stdin is not None and not isinstance(stdin, str):
        stdin = json.dumps(stdin)
    command = [kubectl_path(), *args]
    if namespace:
        command.append(f"--namespace={namespace}")
    done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=timeout, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command[1:])} exited with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done


def wait_for(predicate, timeout=20.0, interval=0.05, what=None):
    """Calls `predicate` until it returns something true, and returns that.

    Fails the test after `timeout` seconds and tells `what` was waited for, and the predicate's last AssertionError: a
    predicate may assert, which is how a failure explains itself.
    """
    deadline = time.monotonic() + timeout
    while True:
        complaint = None
        try:
            result = predicate()
            if result:
                return result
        except AssertionError as error:
            complaint = error
        if time.monotonic() >= deadline:
            message = f"{what or 'the condition'} did not come true within {timeout:g} s"
            raise AssertionError(f"{message}: {complaint}" if complaint else message)
        time.sleep(interval)


def fields_of(schema, path=""):
    """Every field below a schema as (path, schema); a list's items are written `field[]`, a map's values `field.*`."""
    for name, child in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, child
        items = child.get("items")
        if items:
            yield from fields_of(items, f"{here}[]")
        yield from fields_of(child, here)


class Answer:
    """One answer of the API server: `status` is the HTTP status code, `body` the decoded JSON, or text."""

    def __init__(self, status, body):
        self.status = status
        self.body = body

    def __repr__(self):
        return f"HTTP {self.status}: {self.message()}"

    def message(self):
        """What a refusal says in words; the whole body of anything else."""
        if isinstance(self.body, dict) and self.body.get("kind") == "Status":
            return self.body.get("message", "")
        return json.dumps(self.body)

    def causes(self):
        """The refusal's findings as (field, text) pairs; text has the value given and what is allowed."""
        details = self.body.get("details") or {}
        return [(cause.get("field", ""), cause.get("message", "")) for cause in details.get("causes") or []]


class ApiServer:
    """The API server of $KUBECONFIG's current context, over one kept HTTPS connection. Confined to one thread."""

    def __init__(self):
        config = json.loads(kubectl("config", "view", "--raw", "--minify", "--output=json").stdout)
        cluster = config["clusters"][0]["cluster"]
        user = config["users"][0]["user"]
        self._address = urllib.parse.urlsplit(cluster["server"]).netloc
        self._headers = {"Accept": "application/json"}
        if user.get("token"):
            self._headers["Authorization"] = f"Bearer {user['token']}"
        self._tls = ssl.create_default_context(cadata=_material(cluster, "certificate-authority").decode())
        if user.get("client-certificate") or user.get("client-certificate-data"):
            with tempfile.TemporaryDirectory() as folder:  # The ssl module reads a client's certificate from files.
                pair = [pathlib.Path(folder) / name for name in ("client-certificate", "client-key")]
                for path in pair:
                    path.touch(mode=0o600)
                    path.write_bytes(_material(user, path.name))
                self._tls.load_cert_chain(*pair)
        self._connection = None

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def request(self, method, path, body=None, content_type="application/json", accept=None, **query):
        """Sends one request and returns its Answer. `body` is an object, or text that is sent as it is."""
        if query:
            path = f"{path}?{urllib.parse.urlencode(query)}"
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = content_type
        if accept:
            headers["Accept"] = accept
        for attempt in range(2):
            if not self._connection:
                self._connection = http.client.HTTPSConnection(self._address, context=self._tls, timeout=30)
            try:
                self._connection.request(method, path, body=data, headers=headers)
                response = self._connection.getresponse()
                text = response.read().decode()
                break
            except (http.client.RemoteDisconnected, ConnectionError):  # The server had closed the idle connection.
                self.close()
                if attempt:
                    raise
        try:
            return Answer(response.status, json.loads(text))
        except ValueError:
            return Answer(response.status, text)


def _material(section, key):
    """A certificate or key of a kubeconfig section, given inline or as a file."""
    inline = section.get(f"{key}-data")
    return base64.b64decode(inline) if inline else pathlib.Path(section[key]).read_bytes()


_installed_crd = False


def install_crd():
    """Puts crds/ onto the cluster, once a process, and returns when Agents can be listed and watched."""
    global _installed_crd  # pylint: disable=global-statement
    if _installed_crd:
        return
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRD_FILE))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/agents.agentroster.dev")
    api = ApiServer()
    try:
        wait_for(lambda: api.request("GET", AGENTS.format(namespace="default")).status == 200, what="listing Agents")
    finally:
        api.close()
    _installed_crd = True


class ClusterTestCase(unittest.TestCase):
    """Has the CRD installed, an API connection `api`, and a `namespace` of its own that is deleted at the end."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        install_crd()
        cls.api = ApiServer()
        cls.addClassCleanup(cls.api.close)
        cls.namespace = f"test-{uuid.uuid4().hex[:10]}"
        made = cls.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": cls.namespace}})
        if made.status != 201:
            raise AssertionError(f"creating namespace {cls.namespace}: {made}")
        cls.addClassCleanup(cls.api.request, "DELETE", f"/api/v1/namespaces/{cls.namespace}")

    def agents_path(self, name=None, subresource=None):
        """The path of this namespace's Agents, of one of them, or of its subresource."""
        return "/".join(part for part in (AGENTS.format(namespace=self.namespace), name, subresource) if part)

    def create(self, manifest):
        """Creates an Agent as given, with strict field validation, and returns the Answer, a refusal too."""
        return self.api.request("POST", self.agents_path(), manifest, fieldValidation="Strict")

    def patch(self, name, patch, subresource=None):
        """Sends a JSON merge patch to an Agent, and returns the Answer, a refusal too."""
        path = self.agents_path(name, subresource)
        return self.api.request("PATCH", path, patch, content_type=MERGE_PATCH, fieldValidation="Strict")

    def apply(self, manifest, manager="test"):
        """Server-side applies an Agent and returns it as stored. A refusal fails the test."""
        manifest = copy.deepcopy(manifest)
        path = self.agents_path(manifest["metadata"]["name"])
        answer = self.api.request("PATCH", path, manifest, content_type=APPLY_PATCH, fieldManager=manager,
                                  force="true", fieldValidation="Strict")
        self.assertIn(answer.status, (200, 201), answer)
        return answer.body

    def get(self, name):
        """The Agent as stored. Fails the test when there is none."""
        answer = self.api.request("GET", self.agents_path(name))
        self.assertEqual(answer.status, 200, answer)
        return answer.body

    def wait_for(self, predicate, timeout=20.0, what=None):
        """See wait_for() of this module."""
        return wait_for(predicate, timeout=timeout, what=what)

"""Manifests the API server must refuse, and what each refusal must say: the field, the value given, what is allowed.

`given` and `allowed` are parts of the finding's own text; a number stands there between colons. Where a value is too
long to be repeated, or may be a secret, `given` is its length. Two kinds of refusal are worded by the API server alone
and leave something out: a missing field has no value to show, and a value of the wrong type is shown as the type that
it has.
"""

import dataclasses
import typing

from support import API_VERSION, agent

IMAGE = {"image": "registry.example/agent:1.0"}

NAME_OF_A_TYPE = "should match '^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'"
OBJECT_NAME = "should match '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$'"
DATA_KEY = "should match '^[-._A-Za-z0-9]{1,253}$'"
VARIABLE = "should match '^[-._A-Za-z][-._A-Za-z0-9]{0,252}$'"
ONE_LINE_128 = "should match '^[^[:cntrl:]]{1,128}$'"
DURATION = "should match '^([0-9]{1,6}(ms|s|m|h))+$'"
DURATION_BOUNDS = "allowed: more than 0s and at most 168h, in at most 16 characters"
QUANTITY = "should match '^\\+?([0-9]{1,20}(\\.[0-9]{0,9})?|"
WORKLOAD_NAME = ("allowed: 1 to 52 lower-case letters, digits and '-', beginning with a letter and ending with a "
                 "letter or digit")
ONE_SOURCE = "allowed: exactly one of fieldRef, resourceFieldRef, configMapKeyRef and secretKeyRef"


@dataclasses.dataclass(frozen=True)
class Case:
    """One refusal. With `before`, that Agent is created first and `manifest` is merged into it as a patch."""

    title: str
    manifest: typing.Any  # An Agent; the text of a request's body; or, with `before`, a merge patch.
    field: str
    given: typing.Union[str, int]
    allowed: str
    before: typing.Optional[dict] = None
    subresource: typing.Optional[str] = None
    status: int = 422

    def given_text(self):
        return f": {self.given}: " if isinstance(self.given, int) else self.given

    def test_name(self):
        return "test_refuses_" + "".join(c if c.isalnum() else "_" for c in self.title.lower())


def workload(name="bad", **spec):
    """A workload agent that is fine but for the given spec fields."""
    return agent(name, **{"type": "research", "workload": IMAGE, **spec})


def running(**fields):
    """A workload agent that is fine but for the given fields of spec.workload."""
    return workload(workload={**IMAGE, **fields})


def endpoint(name="bad", endpoint=None, **spec):  # pylint: disable=redefined-outer-name
    """An endpoint agent that is fine but for the given spec fields."""
    return agent(name, **{"type": "reporter", "endpoint": {} if endpoint is None else endpoint, **spec})


def variable(**source):
    """A workload agent with one variable that takes its value from `source`."""
    return running(env=[{"name": "A", "valueFrom": source}])


def without(manifest, field):
    """The manifest without one spec field."""
    return {**manifest, "spec": {key: value for key, value in manifest["spec"].items() if key != field}}


METADATA = [
    Case("workload name with a dot", workload("re.searcher"), "metadata.name", "'re.searcher'", WORKLOAD_NAME),
    Case("workload name beginning with a digit", workload("1st"), "metadata.name", "'1st'", WORKLOAD_NAME),
    Case("workload name of 53 characters", workload("n" * 53), "metadata.name", f"'{'n' * 53}'", WORKLOAD_NAME),
    Case("reserved name without an agentID", endpoint("hotpath"), "metadata.name", "'hotpath'",
         "allowed: another name, or another id in spec.agentID"),
    Case("reserved name of a workload agent", workload("tasks"), "metadata.name", "'tasks'",
         "allowed: another name, or another id in spec.agentID"),
    Case("missing spec", {"apiVersion": API_VERSION, "kind": "Agent", "metadata": {"name": "bad"}}, "spec",
         "Required value", "Required"),
]

CATALOGUE = [
    Case("missing type", without(workload(), "type"), "spec.type", "Required value", "Required"),
    Case("empty type", workload(type=""), "spec.type", '""', NAME_OF_A_TYPE),
    Case("type with a space", workload(type="deep research"), "spec.type", '"deep research"', NAME_OF_A_TYPE),
    Case("type ending with a dash", workload(type="research-"), "spec.type", '"research-"', NAME_OF_A_TYPE),
    Case("type of 64 characters", workload(type="t" * 64), "spec.type", f'"{"t" * 64}"', NAME_OF_A_TYPE),
    Case("type that is a number", workload(type=7), "spec.type", '"integer"', "must be of type string"),
    Case("agentID with a slash", workload(agentID="edge/7"), "spec.agentID", '"edge/7"', "should match '^[^/"),
    Case("agentID with a space", workload(agentID="unit 7"), "spec.agentID", '"unit 7"', "should match '^[^/"),
    Case("empty agentID", workload(agentID=""), "spec.agentID", '""', "{1,253}"),
    Case("agentID of 254 characters", workload(agentID="i" * 254), "spec.agentID", f'"{"i" * 254}"', "{1,253}"),
    Case("agentID hotpath", workload(agentID="hotpath"), "spec.agentID", '"hotpath"',
         "allowed: any id but '.', '..', hotpath, register and tasks"),
    Case("agentID register", endpoint(agentID="register"), "spec.agentID", '"register"',
         "allowed: any id but '.', '..', hotpath, register and tasks"),
    Case("agentID that a URL would swallow", workload(agentID=".."), "spec.agentID", '".."',
         "allowed: any id but '.', '..', hotpath, register and tasks"),
    Case("displayName of two lines", workload(displayName="a\nb"), "spec.displayName", '"a\\nb"', ONE_LINE_128),
    Case("displayName of 129 characters", workload(displayName="d" * 129), "spec.displayName", f'"{"d" * 129}"',
         ONE_LINE_128),
    Case("description of 4097 characters", workload(description="d" * 4097), "spec.description", "4097 characters",
         "allowed: at most 4096"),
    Case("metadata of 65 keys", workload(metadata={f"k{i}": "" for i in range(65)}), "spec.metadata", 65,
         "must have at most 64 items"),
    Case("metadata with a key of 129 characters", workload(metadata={"k" * 129: "v"}), "spec.metadata",
         "a key of 129 characters", "allowed: 1 to 128"),
    Case("metadata with an empty key", workload(metadata={"": "v"}), "spec.metadata", "a key of 0 characters",
         "allowed: 1 to 128"),
    Case("metadata with a value of 1025 characters", workload(metadata={"model": "v" * 1025}), "spec.metadata",
         "spec.metadata['model'] has 1025 characters", "allowed: at most 1024"),
    Case("metadata with a number", workload(metadata={"cost": 3}), "spec.metadata.cost", '"integer"',
         "must be of type string"),
    Case("65 skills", workload(skills=[{"id": f"s{i}"} for i in range(65)]), "spec.skills", 65,
         "must have at most 64 items"),
    Case("skill without an id", workload(skills=[{"name": "Summarize"}]), "spec.skills[0].id", "Required value",
         "Required"),
    Case("skill id with a space", workload(skills=[{"id": "sum up"}]), "spec.skills[0].id", '"sum up"',
         "should match '^[A-Za-z0-9]([-A-Za-z0-9_.:/]{0,126}[A-Za-z0-9])?$'"),
    Case("two skills of one id", workload(skills=[{"id": "sum"}, {"id": "sum"}]), "spec.skills[1]", '{"id":"sum"}',
         "Duplicate value"),
    Case("skill name of 129 characters", workload(skills=[{"id": "a", "name": "n" * 129}]), "spec.skills[0].name",
         f'"{"n" * 129}"', ONE_LINE_128),
    Case("skill description of 1025 characters", workload(skills=[{"id": "a", "description": "d" * 1025}]),
         "spec.skills[0].description", "1025 characters", "allowed: at most 1024"),
    Case("skill with 17 tags", workload(skills=[{"id": "a", "tags": [f"t{i}" for i in range(17)]}]),
         "spec.skills[0].tags", 17, "must have at most 16 items"),
    Case("skill with a tag twice", workload(skills=[{"id": "a", "tags": ["x", "x"]}]), "spec.skills[0].tags[1]",
         '"x"', "Duplicate value"),
    Case("skill with an empty tag", workload(skills=[{"id": "a", "tags": [""]}]), "spec.skills[0].tags[0]", '""',
         "should match '^[^[:cntrl:]]{1,63}$'"),
    Case("skill with a tag of 64 characters", workload(skills=[{"id": "a", "tags": ["t" * 64]}]),
         "spec.skills[0].tags[0]", f'"{"t" * 64}"', "{1,63}"),
]

RUNNING = [
    Case("desiredState of another word", workload(desiredState="Off"), "spec.desiredState", '"Off"',
         'supported values: "Running", "Paused", "Stopped"'),
    Case("desiredState in lower case", workload(desiredState="running"), "spec.desiredState", '"running"',
         'supported values: "Running", "Paused", "Stopped"'),
    Case("restartedAt in words", workload(restartedAt="now"), "spec.restartedAt", '"now"',
         "must be of type date-time"),
    Case("restartedAt without a time", workload(restartedAt="2026-01-31"), "spec.restartedAt", '"2026-01-31"',
         "must be of type date-time"),
    Case("resident in words", workload(resident="yes"), "spec.resident", '"string"', "must be of type boolean"),
    Case("resident with three replicas", workload(resident=True, replicas=3), "spec.replicas", "spec.replicas is 3",
         "allowed: 1 (to stop the agent, set spec.desiredState to Stopped)"),
    Case("resident with no replicas", workload(resident=True, replicas=0), "spec.replicas", "spec.replicas is 0",
         "allowed: 1 (to stop the agent, set spec.desiredState to Stopped)"),
    Case("endpoint with two replicas", endpoint(replicas=2), "spec.replicas", "spec.replicas is 2",
         "allowed: 1 or not set"),
    Case("negative replicas", workload(replicas=-1), "spec.replicas", -1, "should be greater than or equal to 0"),
    Case("1001 replicas", workload(replicas=1001), "spec.replicas", 1001, "should be less than or equal to 1000"),
    Case("half a replica", workload(replicas=0.5), "spec.replicas", '"number"', "must be of type integer"),
    Case("replicas in words", workload(replicas="three"), "spec.replicas", '"string"', "must be of type integer"),
    Case("neither workload nor endpoint", agent("bad", type="research"), "spec",
         "neither spec.workload nor spec.endpoint is set", "allowed: exactly one of them"),
    Case("both workload and endpoint", workload(endpoint={}), "spec", "spec.workload and spec.endpoint are both set",
         "allowed: exactly one of them"),
    Case("workload that is null", workload(workload=None), "spec", "neither spec.workload nor spec.endpoint is set",
         "allowed: exactly one of them"),
]

WORKLOAD = [
    Case("missing image", workload(workload={"port": 80}), "spec.workload.image", "Required value", "Required"),
    Case("empty image", running(image=""), "spec.workload.image", '""', "{1,512}"),
    Case("image with a space", running(image="agent: 1"), "spec.workload.image", '"agent: 1"', "should match '^[^\\s"),
    Case("image of 513 characters", running(image="i" * 513), "spec.workload.image", f'"{"i" * 513}"', "{1,512}"),
    Case("command that is one string", running(command="run me"), "spec.workload.command", '"string"',
         "must be of type array"),
    Case("command of 65 words", running(command=["a"] * 65), "spec.workload.command", 65,
         "must have at most 64 items"),
    Case("command with a word of 32769 characters", running(command=["a" * 32769]), "spec.workload.command",
         "an item of 32769 characters", "allowed: at most 32768"),
    Case("257 args", running(args=["a"] * 257), "spec.workload.args", 257, "must have at most 256 items"),
    Case("an arg of 32769 characters", running(args=["a", "b" * 32769]), "spec.workload.args",
         "an item of 32769 characters", "allowed: at most 32768"),
    Case("an arg that is a number", running(args=[8080]), "spec.workload.args[0]", '"integer"',
         "must be of type string"),
    Case("port 0", running(port=0), "spec.workload.port", 0, "should be greater than or equal to 1"),
    Case("port 65536", running(port=65536), "spec.workload.port", 65536, "should be less than or equal to 65535"),
    Case("port in words", running(port="http"), "spec.workload.port", '"string"', "must be of type integer"),
    Case("negative cpu limit", running(resources={"limits": {"cpu": "-1"}}), "spec.workload.resources.limits.cpu",
         '"-1"', QUANTITY),
    Case("negative whole cpu limit", running(resources={"limits": {"cpu": -1}}), "spec.workload.resources.limits.cpu",
         -1, "should be greater than or equal to 0"),
    Case("negative whole cpu request", running(resources={"requests": {"cpu": -1}}),
         "spec.workload.resources.requests.cpu", -1, "should be greater than or equal to 0"),
    Case("memory with a unit that is none", running(resources={"requests": {"memory": "1GB"}}),
         "spec.workload.resources.requests.memory", '"1GB"', QUANTITY),
    Case("cpu limit that is a list", running(resources={"limits": {"cpu": ["1"]}}),
         "spec.workload.resources.limits.cpu", '"array"', "must be of type"),
    Case("17 limits", running(resources={"limits": {f"example.com/r{i}": 1 for i in range(17)}}),
         "spec.workload.resources.limits", 17, "must have at most 16 items"),
    Case("17 requests", running(resources={"requests": {f"example.com/r{i}": 1 for i in range(17)}}),
         "spec.workload.resources.requests", 17, "must have at most 16 items"),
    Case("request above its limit", running(resources={"requests": {"cpu": "1"}, "limits": {"cpu": "500m"}}),
         "spec.workload.resources.requests", 'requests {"cpu":"1"}, limits {"cpu":"500m"}',
         "allowed: at most the limit"),
    Case("serviceAccountName in capitals", running(serviceAccountName="Robot"), "spec.workload.serviceAccountName",
         '"Robot"', OBJECT_NAME),
    Case("17 imagePullSecrets", running(imagePullSecrets=[{"name": f"s{i}"} for i in range(17)]),
         "spec.workload.imagePullSecrets", 17, "must have at most 16 items"),
    Case("imagePullSecret twice", running(imagePullSecrets=[{"name": "s"}, {"name": "s"}]),
         "spec.workload.imagePullSecrets[1]", '{"name":"s"}', "Duplicate value"),
    Case("imagePullSecret with a slash", running(imagePullSecrets=[{"name": "a/b"}]),
         "spec.workload.imagePullSecrets[0].name", '"a/b"', OBJECT_NAME),
    Case("podTemplate that is a list", running(podTemplate=[]), "spec.workload.podTemplate", '"array"',
         "must be of type object"),
    Case("podTemplate metadata of 17 fields", running(podTemplate={"metadata": {f"f{i}": 1 for i in range(17)}}),
         "spec.workload.podTemplate.metadata", 17, "must have at most 16 items"),
    Case("podTemplate spec of 65 fields", running(podTemplate={"spec": {f"f{i}": 1 for i in range(65)}}),
         "spec.workload.podTemplate.spec", 65, "must have at most 64 items"),
]

ENVIRONMENT = [
    Case("env entry without a name", running(env=[{"value": "1"}]), "spec.workload.env[0].name", "Required value",
         "Required"),
    Case("env name beginning with a digit", running(env=[{"name": "1A"}]), "spec.workload.env[0].name", '"1A"',
         VARIABLE),
    Case("env name with an equals sign", running(env=[{"name": "A=B"}]), "spec.workload.env[0].name", '"A=B"',
         VARIABLE),
    Case("env name of 254 characters", running(env=[{"name": "A" * 254}]), "spec.workload.env[0].name",
         f'"{"A" * 254}"', VARIABLE),
    Case("env name twice", running(env=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]),
         "spec.workload.env[1]", '{"name":"A"}', "Duplicate value"),
    Case("257 env entries", running(env=[{"name": f"A{i}"} for i in range(257)]), "spec.workload.env", 257,
         "must have at most 256 items"),
    Case("env value that is a number", running(env=[{"name": "A", "value": 1}]), "spec.workload.env[0].value",
         '"integer"', "must be of type string"),
    Case("env value of 32769 characters", running(env=[{"name": "KEY", "value": "v" * 32769}]),
         "spec.workload.env[0].value", "value of env entry 'KEY' has 32769 characters", "allowed: at most 32768"),
    Case("env entry with value and valueFrom",
         running(env=[{"name": "KEY", "value": "v", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
         "spec.workload.env[0]", "env entry 'KEY' has both value and valueFrom", "allowed: one of them"),
    Case("valueFrom of nothing", variable(), "spec.workload.env[0].valueFrom", "0 sources", ONE_SOURCE),
    Case("valueFrom of two sources",
         variable(secretKeyRef={"name": "s", "key": "k"}, configMapKeyRef={"name": "c", "key": "k"}),
         "spec.workload.env[0].valueFrom", "2 sources", ONE_SOURCE),
    Case("fieldRef to a field that is not offered", variable(fieldRef={"fieldPath": "spec.containers"}),
         "spec.workload.env[0].valueFrom.fieldRef.fieldPath", '"spec.containers"', "should match '^(metadata"),
    Case("fieldRef of another API version", variable(fieldRef={"apiVersion": "v2", "fieldPath": "metadata.name"}),
         "spec.workload.env[0].valueFrom.fieldRef.apiVersion", '"v2"', 'supported values: "v1"'),
    Case("fieldRef without a path", variable(fieldRef={}), "spec.workload.env[0].valueFrom.fieldRef.fieldPath",
         "Required value", "Required"),
    Case("resourceFieldRef to no resource", variable(resourceFieldRef={"resource": "cpu"}),
         "spec.workload.env[0].valueFrom.resourceFieldRef.resource", '"cpu"', "should match '^(limits|requests)"),
    Case("resourceFieldRef to a container in capitals",
         variable(resourceFieldRef={"resource": "limits.cpu", "containerName": "Agent"}),
         "spec.workload.env[0].valueFrom.resourceFieldRef.containerName", '"Agent"',
         "should match '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$'"),
    Case("resourceFieldRef in a unit that is none",
         variable(resourceFieldRef={"resource": "limits.cpu", "divisor": "x"}),
         "spec.workload.env[0].valueFrom.resourceFieldRef.divisor", '"x"', QUANTITY),
    Case("resourceFieldRef in a negative unit", variable(resourceFieldRef={"resource": "limits.cpu", "divisor": -1}),
         "spec.workload.env[0].valueFrom.resourceFieldRef.divisor", -1, "should be greater than or equal to 0"),
    Case("resourceFieldRef without a resource", variable(resourceFieldRef={}),
         "spec.workload.env[0].valueFrom.resourceFieldRef.resource", "Required value", "Required"),
    Case("configMapKeyRef without a key", variable(configMapKeyRef={"name": "c"}),
         "spec.workload.env[0].valueFrom.configMapKeyRef.key", "Required value", "Required"),
    Case("configMapKeyRef to a name in capitals", variable(configMapKeyRef={"name": "C", "key": "k"}),
         "spec.workload.env[0].valueFrom.configMapKeyRef.name", '"C"', OBJECT_NAME),
    Case("configMapKeyRef to a key with a space", variable(configMapKeyRef={"name": "c", "key": "k k"}),
         "spec.workload.env[0].valueFrom.configMapKeyRef.key", '"k k"', DATA_KEY),
    Case("configMapKeyRef optional in words", variable(configMapKeyRef={"name": "c", "key": "k", "optional": "no"}),
         "spec.workload.env[0].valueFrom.configMapKeyRef.optional", '"string"', "must be of type boolean"),
    Case("secretKeyRef without a name", variable(secretKeyRef={"key": "k"}),
         "spec.workload.env[0].valueFrom.secretKeyRef.name", "Required value", "Required"),
    Case("secretKeyRef to a key with a slash", variable(secretKeyRef={"name": "s", "key": "a/b"}),
         "spec.workload.env[0].valueFrom.secretKeyRef.key", '"a/b"', DATA_KEY),
    Case("secretKeyRef to a name with an underscore", variable(secretKeyRef={"name": "a_b", "key": "k"}),
         "spec.workload.env[0].valueFrom.secretKeyRef.name", '"a_b"', OBJECT_NAME),
    Case("secretKeyRef optional in words", variable(secretKeyRef={"name": "s", "key": "k", "optional": "no"}),
         "spec.workload.env[0].valueFrom.secretKeyRef.optional", '"string"', "must be of type boolean"),
    Case("envFrom of nothing", running(envFrom=[{"prefix": "P_"}]), "spec.workload.envFrom[0]",
         "neither configMapRef nor secretRef is set", "allowed: exactly one of them"),
    Case("envFrom of two sources", running(envFrom=[{"configMapRef": {"name": "c"}, "secretRef": {"name": "s"}}]),
         "spec.workload.envFrom[0]", "configMapRef 'c' and secretRef 's' are both set",
         "allowed: exactly one of them"),
    Case("envFrom with a prefix that names no variable",
         running(envFrom=[{"prefix": "1_", "secretRef": {"name": "s"}}]), "spec.workload.envFrom[0].prefix", '"1_"',
         VARIABLE),
    Case("envFrom ConfigMap in capitals", running(envFrom=[{"configMapRef": {"name": "C"}}]),
         "spec.workload.envFrom[0].configMapRef.name", '"C"', OBJECT_NAME),
    Case("envFrom ConfigMap optional in words", running(envFrom=[{"configMapRef": {"name": "c", "optional": "no"}}]),
         "spec.workload.envFrom[0].configMapRef.optional", '"string"', "must be of type boolean"),
    Case("envFrom ConfigMap without a name", running(envFrom=[{"configMapRef": {}}]),
         "spec.workload.envFrom[0].configMapRef.name", "Required value", "Required"),
    Case("envFrom Secret without a name", running(envFrom=[{"secretRef": {}}]),
         "spec.workload.envFrom[0].secretRef.name", "Required value", "Required"),
    Case("envFrom Secret in capitals", running(envFrom=[{"secretRef": {"name": "S"}}]),
         "spec.workload.envFrom[0].secretRef.name", '"S"', OBJECT_NAME),
    Case("envFrom Secret optional in words", running(envFrom=[{"secretRef": {"name": "s", "optional": "no"}}]),
         "spec.workload.envFrom[0].secretRef.optional", '"string"', "must be of type boolean"),
    Case("65 envFrom entries", running(envFrom=[{"secretRef": {"name": "s"}}] * 65), "spec.workload.envFrom", 65,
         "must have at most 64 items"),
]

ENDPOINT = [
    Case("host with a port", endpoint(endpoint={"host": "a.example:80"}), "spec.endpoint.host", '"a.example:80"',
         "allowed: a DNS name, an IPv4 address, or an IPv6 address without brackets (the port goes into"),
    Case("host that is a URL", endpoint(endpoint={"host": "http://a.example"}), "spec.endpoint.host",
         '"http://a.example"', "should match '^[A-Za-z0-9_:]"),
    Case("empty host", endpoint(endpoint={"host": ""}), "spec.endpoint.host", '""', "should match '^[A-Za-z0-9_:]"),
    Case("host of 254 characters", endpoint(endpoint={"host": "h" * 254}), "spec.endpoint.host", f'"{"h" * 254}"',
         "{0,251}"),
    Case("endpoint port 65536", endpoint(endpoint={"host": "a", "port": 65536}), "spec.endpoint.port", 65536,
         "should be less than or equal to 65535"),
    Case("endpoint port 0", endpoint(endpoint={"host": "a", "port": 0}), "spec.endpoint.port", 0,
         "should be greater than or equal to 1"),
    Case("endpoint port without a host", endpoint(endpoint={"port": 80}), "spec.endpoint.host",
         "spec.endpoint.port is 80", "allowed: both, host alone, or neither"),
    Case("scheme of another protocol", endpoint(endpoint={"host": "a", "scheme": "grpc"}), "spec.endpoint.scheme",
         '"grpc"', 'supported values: "http", "https"'),
]

HEARTBEAT = [
    Case("heartbeat policy of another word", endpoint(heartbeat={"policy": "Maybe"}), "spec.heartbeat.policy",
         '"Maybe"', 'supported values: "Required", "Optional", "Disabled"'),
    Case("interval in words", endpoint(heartbeat={"interval": "1 week"}), "spec.heartbeat.interval", '"1 week"',
         DURATION),
    Case("interval without a unit", endpoint(heartbeat={"interval": "15"}), "spec.heartbeat.interval", '"15"',
         DURATION),
    Case("negative interval", endpoint(heartbeat={"interval": "-5s"}), "spec.heartbeat.interval", '"-5s"', DURATION),
    Case("interval of zero", endpoint(heartbeat={"interval": "0s"}), "spec.heartbeat.interval", '"0s"',
         DURATION_BOUNDS),
    Case("interval that is a number", endpoint(heartbeat={"interval": 15}), "spec.heartbeat.interval", '"integer"',
         "must be of type string"),
    Case("timeout of zero", endpoint(heartbeat={"interval": "1s", "timeout": "0m0s"}), "spec.heartbeat.timeout",
         '"0m0s"', DURATION_BOUNDS),
    Case("timeout above a week", endpoint(heartbeat={"timeout": "168h1ms"}), "spec.heartbeat.timeout", '"168h1ms"',
         DURATION_BOUNDS),
    Case("timeout that no clock can count", endpoint(heartbeat={"timeout": "999999h999999h"}),
         "spec.heartbeat.timeout", '"999999h999999h"', DURATION_BOUNDS),
    Case("timeout of 17 characters", endpoint(heartbeat={"timeout": "1h1m1s1ms1ms1ms1s"}), "spec.heartbeat.timeout",
         '"1h1m1s1ms1ms1ms1s"', DURATION_BOUNDS),
    Case("timeout with a comma", endpoint(heartbeat={"timeout": "1,5s"}), "spec.heartbeat.timeout", '"1,5s"',
         DURATION),
    Case("timeout below the interval", endpoint(heartbeat={"interval": "1m", "timeout": "59s"}),
         "spec.heartbeat.timeout", "spec.heartbeat.timeout is 59s", "allowed: at least the interval, 1m"),
    Case("timeout below the default interval", endpoint(heartbeat={"timeout": "10s"}), "spec.heartbeat.timeout",
         "spec.heartbeat.timeout is 10s", "allowed: at least the interval, 15s"),
]

# Strict field validation names the fields; which fields are allowed is told by kubectl explain.
UNKNOWN_FIELDS = [
    Case("unknown field of spec", workload(replica=3), "spec.replica", 'unknown field "spec.replica"',
         "strict decoding", status=400),
    Case("unknown field of workload", running(imagePullPolicy="Always"), "spec.workload.imagePullPolicy",
         'unknown field "spec.workload.imagePullPolicy"', "strict decoding", status=400),
    Case("unknown field of podTemplate", running(podTemplate={"status": {}}), "spec.workload.podTemplate.status",
         'unknown field "spec.workload.podTemplate.status"', "strict decoding", status=400),
    Case("resource claims", running(resources={"claims": [{"name": "gpu"}]}), "spec.workload.resources.claims",
         'unknown field "spec.workload.resources.claims"', "strict decoding", status=400),
    Case("field given twice",
         '{"apiVersion":"agentroster.dev/v1alpha1","kind":"Agent","metadata":{"name":"bad"},'
         '"spec":{"type":"a","type":"b","endpoint":{}}}',
         "spec.type", 'duplicate field "spec.type"', "strict decoding", status=400),
]

CHANGES = [
    Case("another type", {"spec": {"type": "writer"}}, "spec.type", '"writer"', "allowed: 'research'",
         before=workload("another-type")),
    Case("a type taken away", {"spec": {"type": None}}, "spec.type", "Required value", "Required",
         before=workload("type-taken-away")),
    Case("another agentID", {"spec": {"agentID": "b"}}, "spec.agentID", "spec.agentID is 'b'", "allowed: 'a'",
         before=workload("another-id", agentID="a")),
    Case("an agentID taken away", {"spec": {"agentID": None}}, "spec.agentID", "spec.agentID is not set",
         "allowed: 'a'", before=endpoint("id-taken-away", agentID="a")),
    Case("an endpoint for a workload", {"spec": {"workload": None, "endpoint": {}}}, "spec",
         "spec.workload is no longer set", "allowed: keep spec.workload, or delete the Agent and create it anew",
         before=workload("endpoint-for-workload")),
    Case("a workload for an endpoint", {"spec": {"workload": IMAGE, "endpoint": None}}, "spec",
         "spec.workload is set, but this Agent was created with spec.endpoint",
         "allowed: keep spec.endpoint, or delete the Agent and create it anew",
         before=endpoint("workload-for-endpoint")),
    Case("an endpoint beside a workload", {"spec": {"endpoint": {}}}, "spec", "are both set",
         "allowed: exactly one of them", before=workload("endpoint-beside-workload")),
    Case("residency with three replicas", {"spec": {"resident": True}}, "spec.replicas", "spec.replicas is 3",
         "allowed: 1 (to stop", before=workload("becomes-resident", replicas=3)),
    Case("scaling a resident agent", {"spec": {"replicas": 2}}, "spec.replicas", "spec.replicas is 2",
         "allowed: 1 (to stop", before=workload("resident-scaled", resident=True), subresource="scale"),
    Case("scaling an endpoint agent", {"spec": {"replicas": 2}}, "spec.replicas", "spec.replicas is 2",
         "allowed: 1 or not set", before=endpoint("endpoint-scaled"), subresource="scale"),
    Case("scaling below zero", {"spec": {"replicas": -1}}, "spec.replicas", -1,
         "should be greater than or equal to 0", before=workload("scaled-below-zero"), subresource="scale"),
    Case("scaling above 1000", {"spec": {"replicas": 1001}}, "spec.replicas", 1001,
         "should be less than or equal to 1000", before=workload("scaled-above-1000"), subresource="scale"),
]


def observed(title, field, given, allowed, **status):
    """A case of a write to the status of an Agent that was fine."""
    name = "observed-" + "".join(c if c.isalnum() else "-" for c in title.lower())
    return Case(f"status with {title}", {"status": status}, f"status.{field}", given, allowed,
                before=workload(name[:52]), subresource="status")


def condition(kind="Ready", status="True", **more):
    return {"type": kind, "status": status, "reason": "R", "message": "", "lastTransitionTime": TIME, **more}


TIME = "2026-01-31T12:00:00Z"
STATES = 'supported values: "Created", "Starting", "Running"'
NOT_NEGATIVE = "should be greater than or equal to 0"

STATUS = [
    observed("another state", "state", '"Idle"', STATES, state="Idle"),
    observed("another health", "health", '"Fine"', 'supported values: "Healthy", "Degraded", "Unhealthy", "Unknown"',
             health="Fine"),
    observed("a generation below -1", "observedGeneration", -2, "should be greater than or equal to -1",
             observedGeneration=-2),
    observed("negative replicas", "replicas", -1, NOT_NEGATIVE, replicas=-1),
    observed("negative ready replicas", "readyReplicas", -1, NOT_NEGATIVE, readyReplicas=-1),
    observed("negative restarts", "restarts", -1, NOT_NEGATIVE, restarts=-1),
    observed("a negative generation of the Deployment", "workload.generation", -1, NOT_NEGATIVE,
             workload={"generation": -1}),
    observed("17 conditions", "conditions", 17, "must have at most 16 items",
             conditions=[condition(f"C{i}") for i in range(17)]),
    observed("a condition twice", "conditions[1]", '{"type":"Ready"}', "Duplicate value",
             conditions=[condition(), condition()]),
    observed("a condition that is perhaps true", "conditions[0].status", '"Perhaps"',
             'supported values: "True", "False", "Unknown"', conditions=[condition(status="Perhaps")]),
    observed("a condition of a negative generation", "conditions[0].observedGeneration", -1, NOT_NEGATIVE,
             conditions=[condition(observedGeneration=-1)]),
    observed("a reason of two words", "conditions[0].reason", '"Two words"', "should match '^[A-Za-z]",
             conditions=[condition(reason="Two words")]),
    observed("11 changes in its history", "history", 11, "must have at most 10 items",
             history=[{"time": TIME, "to": "Running"}] * 11),
    observed("a change from another state", "history[0].from", '"Idle"', STATES,
             history=[{"time": TIME, "from": "Idle", "to": "Running"}]),
    observed("a change to another state", "history[0].to", '"Idle"', STATES, history=[{"time": TIME, "to": "Idle"}]),
    observed("a change without a time", "history[0].time", "Required value", "Required", history=[{"to": "Running"}]),
    observed("a change to nothing", "history[0].to", "Required value", "Required", history=[{"time": TIME}]),
]

CASES = [
    *METADATA, *CATALOGUE, *RUNNING, *WORKLOAD, *ENVIRONMENT, *ENDPOINT, *HEARTBEAT, *UNKNOWN_FIELDS, *CHANGES, *STATUS,
]

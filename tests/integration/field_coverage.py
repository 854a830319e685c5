"""Which tests show that each field of the Agent API does what it says. A field enters the CRD with a row here."""

REFUSES = "bad_manifests_test.BadManifestsTest.test_refuses_"
KEEPS_SPEC = "good_manifests_test.SpecTest.test_keeps_every_field_of_a_workload_agent_at_its_limit"
ENDPOINTS = "good_manifests_test.SpecTest.test_accepts_each_form_of_an_endpoint"
KEEPS_STATUS = "good_manifests_test.StatusTest.test_keeps_every_field_of_the_status"
SCALE = "good_manifests_test.ScaleTest.test_the_scale_subresource_shows_and_sets_the_replicas"
COLUMNS = "good_manifests_test.DiscoveryTest.test_columns_and_their_cells"
SELECTORS = (
    "good_manifests_test.DiscoveryTest."
    "test_field_selectors_choose_by_type_desired_state_residency_state_and_health"
)

# Items of a list are written `field[]`. Fields that every Kubernetes resource has are left out.
TESTS = {
    "metadata.name": [REFUSES + "workload_name_with_a_dot", REFUSES + "reserved_name_without_an_agentid"],
    "spec": [REFUSES + "neither_workload_nor_endpoint", REFUSES + "an_endpoint_for_a_workload"],
    "spec.agentID": [
        REFUSES + "agentid_with_a_slash", REFUSES + "agentid_hotpath", REFUSES + "another_agentid", KEEPS_SPEC,
    ],
    "spec.description": [REFUSES + "description_of_4097_characters", KEEPS_SPEC],
    "spec.desiredState": [REFUSES + "desiredstate_of_another_word", KEEPS_SPEC, SELECTORS],
    "spec.displayName": [REFUSES + "displayname_of_two_lines", KEEPS_SPEC],
    "spec.endpoint": [REFUSES + "an_endpoint_beside_a_workload", ENDPOINTS],
    "spec.endpoint.host": [REFUSES + "host_with_a_port", ENDPOINTS],
    "spec.endpoint.port": [
        REFUSES + "endpoint_port_65536", REFUSES + "endpoint_port_without_a_host", ENDPOINTS,
    ],
    "spec.endpoint.scheme": [REFUSES + "scheme_of_another_protocol", ENDPOINTS],
    "spec.heartbeat": [REFUSES + "timeout_below_the_default_interval", KEEPS_SPEC],
    "spec.heartbeat.interval": [REFUSES + "interval_of_zero", KEEPS_SPEC],
    "spec.heartbeat.policy": [REFUSES + "heartbeat_policy_of_another_word", KEEPS_SPEC],
    "spec.heartbeat.timeout": [REFUSES + "timeout_below_the_interval", KEEPS_SPEC],
    "spec.metadata": [REFUSES + "metadata_with_a_value_of_1025_characters", KEEPS_SPEC],
    "spec.replicas": [
        REFUSES + "1001_replicas", REFUSES + "resident_with_three_replicas", REFUSES + "endpoint_with_two_replicas",
        KEEPS_SPEC, SCALE,
    ],
    "spec.resident": [REFUSES + "residency_with_three_replicas", KEEPS_SPEC, SELECTORS],
    "spec.restartedAt": [REFUSES + "restartedat_in_words", KEEPS_SPEC],
    "spec.skills": [REFUSES + "65_skills", REFUSES + "two_skills_of_one_id", KEEPS_SPEC],
    "spec.skills[].description": [REFUSES + "skill_description_of_1025_characters", KEEPS_SPEC],
    "spec.skills[].id": [REFUSES + "skill_without_an_id", KEEPS_SPEC],
    "spec.skills[].name": [REFUSES + "skill_name_of_129_characters", KEEPS_SPEC],
    "spec.skills[].tags": [REFUSES + "skill_with_17_tags", REFUSES + "skill_with_a_tag_twice", KEEPS_SPEC],
    "spec.type": [REFUSES + "type_of_64_characters", REFUSES + "another_type", KEEPS_SPEC, SELECTORS],
    "spec.workload": [REFUSES + "a_workload_for_an_endpoint", KEEPS_SPEC],
    "spec.workload.args": [REFUSES + "257_args", KEEPS_SPEC],
    "spec.workload.command": [REFUSES + "command_that_is_one_string", KEEPS_SPEC],
    "spec.workload.env": [REFUSES + "257_env_entries", REFUSES + "env_name_twice", KEEPS_SPEC],
    "spec.workload.env[].name": [REFUSES + "env_entry_without_a_name", KEEPS_SPEC],
    "spec.workload.env[].value": [REFUSES + "env_value_of_32769_characters", KEEPS_SPEC],
    "spec.workload.env[].valueFrom": [REFUSES + "valuefrom_of_nothing", KEEPS_SPEC],
    "spec.workload.env[].valueFrom.configMapKeyRef": [KEEPS_SPEC],
    "spec.workload.env[].valueFrom.configMapKeyRef.key": [
        REFUSES + "configmapkeyref_without_a_key", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.configMapKeyRef.name": [
        REFUSES + "configmapkeyref_to_a_name_in_capitals", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.configMapKeyRef.optional": [
        REFUSES + "configmapkeyref_optional_in_words", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.fieldRef": [KEEPS_SPEC],
    "spec.workload.env[].valueFrom.fieldRef.apiVersion": [
        REFUSES + "fieldref_of_another_api_version", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.fieldRef.fieldPath": [
        REFUSES + "fieldref_to_a_field_that_is_not_offered", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.resourceFieldRef": [KEEPS_SPEC],
    "spec.workload.env[].valueFrom.resourceFieldRef.containerName": [
        REFUSES + "resourcefieldref_to_a_container_in_capitals", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.resourceFieldRef.divisor": [
        REFUSES + "resourcefieldref_in_a_unit_that_is_none", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.resourceFieldRef.resource": [
        REFUSES + "resourcefieldref_to_no_resource", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.secretKeyRef": [KEEPS_SPEC],
    "spec.workload.env[].valueFrom.secretKeyRef.key": [
        REFUSES + "secretkeyref_to_a_key_with_a_slash", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.secretKeyRef.name": [
        REFUSES + "secretkeyref_to_a_name_with_an_underscore", KEEPS_SPEC,
    ],
    "spec.workload.env[].valueFrom.secretKeyRef.optional": [
        REFUSES + "secretkeyref_optional_in_words", KEEPS_SPEC,
    ],
    "spec.workload.envFrom": [REFUSES + "65_envfrom_entries", KEEPS_SPEC],
    "spec.workload.envFrom[].configMapRef": [KEEPS_SPEC],
    "spec.workload.envFrom[].configMapRef.name": [REFUSES + "envfrom_configmap_in_capitals", KEEPS_SPEC],
    "spec.workload.envFrom[].configMapRef.optional": [
        REFUSES + "envfrom_configmap_optional_in_words", KEEPS_SPEC,
    ],
    "spec.workload.envFrom[].prefix": [REFUSES + "envfrom_with_a_prefix_that_names_no_variable", KEEPS_SPEC],
    "spec.workload.envFrom[].secretRef": [KEEPS_SPEC],
    "spec.workload.envFrom[].secretRef.name": [REFUSES + "envfrom_secret_in_capitals", KEEPS_SPEC],
    "spec.workload.envFrom[].secretRef.optional": [REFUSES + "envfrom_secret_optional_in_words", KEEPS_SPEC],
    "spec.workload.image": [REFUSES + "missing_image", KEEPS_SPEC],
    "spec.workload.imagePullSecrets": [REFUSES + "imagepullsecret_twice", KEEPS_SPEC],
    "spec.workload.imagePullSecrets[].name": [REFUSES + "imagepullsecret_with_a_slash", KEEPS_SPEC],
    "spec.workload.podTemplate": [REFUSES + "unknown_field_of_podtemplate", KEEPS_SPEC],
    "spec.workload.podTemplate.metadata": [REFUSES + "podtemplate_metadata_of_17_fields", KEEPS_SPEC],
    "spec.workload.podTemplate.spec": [REFUSES + "podtemplate_spec_of_65_fields", KEEPS_SPEC],
    "spec.workload.port": [REFUSES + "port_65536", KEEPS_SPEC],
    "spec.workload.resources": [REFUSES + "resource_claims", KEEPS_SPEC],
    "spec.workload.resources.limits": [REFUSES + "negative_cpu_limit", KEEPS_SPEC],
    "spec.workload.resources.requests": [REFUSES + "request_above_its_limit", KEEPS_SPEC],
    "spec.workload.serviceAccountName": [REFUSES + "serviceaccountname_in_capitals", KEEPS_SPEC],
    "status": [KEEPS_STATUS],
    "status.agentID": [KEEPS_STATUS],
    "status.conditions": [REFUSES + "status_with_a_condition_twice", KEEPS_STATUS],
    "status.conditions[].lastTransitionTime": [KEEPS_STATUS],
    "status.conditions[].message": [KEEPS_STATUS],
    "status.conditions[].observedGeneration": [
        REFUSES + "status_with_a_condition_of_a_negative_generation", KEEPS_STATUS,
    ],
    "status.conditions[].reason": [REFUSES + "status_with_a_reason_of_two_words", KEEPS_STATUS, COLUMNS],
    "status.conditions[].status": [REFUSES + "status_with_a_condition_that_is_perhaps_true", KEEPS_STATUS, COLUMNS],
    "status.conditions[].type": [KEEPS_STATUS],
    "status.endpoint": [KEEPS_STATUS, COLUMNS],
    "status.health": [REFUSES + "status_with_another_health", KEEPS_STATUS, SELECTORS],
    "status.history": [REFUSES + "status_with_11_changes_in_its_history", KEEPS_STATUS],
    "status.history[].by": [KEEPS_STATUS],
    "status.history[].from": [REFUSES + "status_with_a_change_from_another_state", KEEPS_STATUS],
    "status.history[].reason": [KEEPS_STATUS],
    "status.history[].time": [REFUSES + "status_with_a_change_without_a_time", KEEPS_STATUS],
    "status.history[].to": [REFUSES + "status_with_a_change_to_another_state", KEEPS_STATUS],
    "status.lastHeartbeatTime": [KEEPS_STATUS],
    "status.observedGeneration": [REFUSES + "status_with_a_generation_below__1", KEEPS_STATUS],
    "status.readyReplicas": [REFUSES + "status_with_negative_ready_replicas", KEEPS_STATUS],
    "status.registeredTime": [KEEPS_STATUS],
    "status.replicas": [REFUSES + "status_with_negative_replicas", KEEPS_STATUS, SCALE],
    "status.restarts": [REFUSES + "status_with_negative_restarts", KEEPS_STATUS],
    "status.selector": [KEEPS_STATUS, SCALE],
    "status.startedTime": [KEEPS_STATUS],
    "status.state": [REFUSES + "status_with_another_state", KEEPS_STATUS, SELECTORS],
    "status.workload": [KEEPS_STATUS],
    "status.workload.generation": [REFUSES + "status_with_a_negative_generation_of_the_deployment", KEEPS_STATUS],
    "status.workload.hash": [KEEPS_STATUS],
    "status.workload.name": [KEEPS_STATUS],
    "status.workload.uid": [KEEPS_STATUS],
}

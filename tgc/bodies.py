"""What we send, as JSON trees. Keys that have no value are left out."""

from collections.abc import Sequence
from typing import Any

from tgc.models import AffinityRule, Feedback, IssueSelection

_BEANS = "com.tintri.api.rest.v310.dto.domain.beans"
_RECOMMENDATION = f"{_BEANS}.loadbalance.recommendation"


def credentials(username: str, password: str, full_api_version: str) -> dict[str, str]:
    return {
        "typeId": "com.tintri.api.rest.vcommon.dto.rbac.RestApiCredentials",
        "username": username,
        "password": password,
        "fullApiVersion": full_api_version,
    }


def issue_selections(selections: Sequence[IssueSelection]) -> list[dict[str, Any]]:
    return [
        {
            "typeId": f"{_RECOMMENDATION}.RecommendationIssueSelection",
            "vmstoreId": selection.vmstore_id,
            "issueTypes": list(selection.issue_types),
        }
        for selection in selections
    ]


def feedback_update(feedback: Feedback) -> dict[str, Any]:
    told = {"state": feedback.state, "comment": feedback.comment}
    bean = {"typeId": f"{_RECOMMENDATION}.RecommendationFeedback"} | _given(told)
    return _update("feedback", {"feedback": bean})


def not_now_update(vm_uuids: Sequence[str], *, keep_current: bool) -> dict[str, Any]:
    values = {"vmAffinityNotNowTintriUuids": list(vm_uuids), "keepCurrent": keep_current}
    return _update("vmAffinityNotNowTintriUuids", values)


def affinity_rule(rule: AffinityRule) -> dict[str, Any]:
    told = {
        "ruleType": rule.rule_type,
        "vmstoreTintriUuids": list(rule.vmstore_tintri_uuids) or None,
        "recommendationUuid": rule.recommendation_uuid,
    }
    return {"typeId": f"{_BEANS}.vm.VirtualMachineAffinityRule"} | _given(told)


def _update(name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "typeId": "com.tintri.api.rest.v310.dto.Request",
        "objectsWithNewValues": [{"typeId": f"{_RECOMMENDATION}.Recommendation"} | values],
        "propertiesToBeUpdated": [name],
    }


def _given(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}

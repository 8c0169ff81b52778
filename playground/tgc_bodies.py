"""The request bodies that the TGC takes, read strictly: a typo of a client's author shall not pass unseen."""

from typing import Literal

import msgspec


class _Body(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    pass


class Credentials(_Body):
    type_id: Literal["com.tintri.api.rest.vcommon.dto.rbac.RestApiCredentials"]
    username: str
    password: str
    full_api_version: str = "v310.1"


class Feedback(_Body):
    type_id: Literal["com.tintri.api.rest.v310.dto.domain.beans.loadbalance.recommendation.RecommendationFeedback"]
    state: str | msgspec.UnsetType = msgspec.UNSET
    comment: str | msgspec.UnsetType = msgspec.UNSET


class NewValues(_Body):
    """A Recommendation with the properties that may be updated."""

    type_id: Literal["com.tintri.api.rest.v310.dto.domain.beans.loadbalance.recommendation.Recommendation"]
    feedback: Feedback | None = None
    vm_affinity_not_now_tintri_uuids: list[str] | None = None
    keep_current: bool = False


UpdatableProperty = Literal["feedback", "vmAffinityNotNowTintriUuids"]


class UpdateRequest(_Body):
    type_id: Literal["com.tintri.api.rest.v310.dto.Request"]
    objects_with_new_values: tuple[NewValues]
    properties_to_be_updated: list[UpdatableProperty]

    def __post_init__(self) -> None:
        new = self.objects_with_new_values[0]
        given = {
            name
            for name, value in (
                ("feedback", new.feedback),
                ("vmAffinityNotNowTintriUuids", new.vm_affinity_not_now_tintri_uuids),
            )
            if value is not None
        }
        if not given or given != set(self.properties_to_be_updated):
            raise ValueError("propertiesToBeUpdated must name just the properties that have new values")


class IssueSelection(_Body):
    type_id: Literal[
        "com.tintri.api.rest.v310.dto.domain.beans.loadbalance.recommendation.RecommendationIssueSelection"
    ]
    vmstore_id: str
    issue_types: list[Literal["SPACE", "IOPS", "FLASH"]]


class AffinityRuleBody(_Body):
    type_id: Literal["com.tintri.api.rest.v310.dto.domain.beans.vm.VirtualMachineAffinityRule"]
    rule_type: Literal["NEVER", "EXCLUDE_DATASTORES"] | None = None
    vmstore_tintri_uuids: list[str] = []
    recommendation_uuid: str | None = None

    def __post_init__(self) -> None:
        if (self.rule_type == "EXCLUDE_DATASTORES") != bool(self.vmstore_tintri_uuids):
            raise ValueError("vmstoreTintriUuids belongs to EXCLUDE_DATASTORES, and only there")

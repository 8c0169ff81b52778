"""The world's records as the JSON that the TGC sends. Keys without a value are left out."""

from datetime import datetime, tzinfo
from typing import Any

from playground.estate import Json, Move, Pool, Recommendation, Vm, VmStore
from playground.execution import WAITING, Execution, Progress
from playground.refusals import Refused
from playground.tgc_sessions import Session
from playground.tgc_type_ids import (
    INFO,
    PAGE,
    POOL,
    TINTRI_ERROR,
    USER_SESSION,
    UUID,
    VIRTUAL_MACHINE,
    VMSTORE,
    recommendation_record,
)

_PROGRESS_INFO = {"RUNNING": "Moving a virtual machine", "RUNNING_ERROR": "Trying again after an error"}


class TgcJson:
    """`zone` is the offset of every moment sent, as in `2015-03-11T15:00:00.915-08:00`."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def page(self, items: list[Json], *, offset: int, limit: int, total: int, now: datetime) -> Json:
        """Without `next`."""
        return {
            "typeId": PAGE,
            "absoluteTotal": total,
            "total": total,
            "filteredTotal": total,
            "page": offset // limit + 1,
            "pageTotal": -(-total // limit),
            "offset": offset,
            "limit": limit,
            "completedIn": 12,
            "lastUpdatedTime": self._moment(now),
            "overflow": False,
            "items": items,
        }

    def pool(self, pool: Pool, now: datetime) -> Json:
        return {
            "typeId": POOL,
            "uuid": _uuid(pool.uuid, "VMSTORE_POOL"),
            "name": pool.name,
            "description": pool.description,
            "isFipsEnabled": False,
            "notificationPreference": "ALL",
            "issueTypePreference": ["SPACE", "IOPS", "FLASH"],
            "lastUpdatedComponent": "stat",
            "lastUpdatedTime": self._moment(now),
            "members": [_vmstore(member, pool) for member in pool.members],
            "stat": pool.stat,
        }

    def recommendation(self, one: Recommendation, pool_uuid: str, execution: Execution | None, now: datetime) -> Json:
        ended = None if execution is None else execution.completed
        updated = one.updated if execution is None else ended or now
        record = recommendation_record(
            "Recommendation",
            id=one.id,
            vmstorePoolId=pool_uuid,
            state=one.state,
            stateReason=one.state_reason,
            creationTime=self._moment(one.created),
            lastUpdatedTime=self._moment(updated),
            acknowledgedTime=self._moment(one.acknowledged),
            acceptedTime=self._moment(None if one.run is None else one.run.accepted),
            completionTime=self._moment(ended),
            expirationTime=self._moment(one.expires),
            feedback=one.feedback,
        )
        if one.id is not None:
            record |= {
                "executionState": "AVAILABLE" if execution is None else execution.state,
                "keepCurrent": one.keep_current,
                "vmAffinityNotNowTintriUuids": one.not_now,
                "issues": one.issues,
                "actionGroups": [self._wave(wave, one, execution, updated) for wave in one.waves],
                "expectedOutcomes": [_outcome(outcome, one) for outcome in one.outcomes],
            }
        return _present(record)

    def session(self, session: Session) -> Json:
        return {
            "typeId": USER_SESSION,
            "authType": "LOCAL",
            "id": session.id,
            "userName": session.user_name,
            "roles": [session.role],
            "loginTime": self._moment(session.login),
            "lastAccessedTime": self._moment(session.last_access),
            "expirationTime": self._moment(session.expires),
        }

    def _wave(self, wave: list[Move], one: Recommendation, execution: Execution | None, updated: datetime) -> Json:
        progress = {} if execution is None else execution.moves
        actions = [self._action(move, one, progress.get(move.vm.uuid, WAITING), updated) for move in wave]
        return recommendation_record("RecommendationActionGroup", actions=actions)

    def _action(self, move: Move, one: Recommendation, progress: Progress, updated: datetime) -> Json:
        return recommendation_record(
            "RecommendationAction",
            issueTypes=move.issue_types,
            targetVmDisplayName=move.vm.name,
            targetVmTintriUuid=move.vm.uuid,
            sourceDatastore=move.source.name,
            sourceDatastoreDisplayName=move.source.name,
            sourceDatastoreTintriUuid=move.source.uuid,
            destinationDatastore=move.destination.name,
            destinationDatastoreDisplayName=move.destination.name,
            destinationDatastoreTintriUuid=move.destination.uuid,
            lastUpdatedTime=self._moment(one.created),
            result=self._result(progress, updated),
        )

    def _result(self, progress: Progress, updated: datetime) -> Json:
        failure = progress.failure
        return _present(
            recommendation_record(
                "RecommendationActionResult",
                state=progress.state,
                progress=progress.percent,
                progressInfo=_PROGRESS_INFO.get(progress.state, ""),
                lastUpdatedTime=self._moment(progress.completed or updated),
                startedTime=self._moment(progress.started),
                completionTime=self._moment(progress.completed),
                errorCategory=failure and failure.category,
                errorSummary=failure and failure.summary,
                errorDetail=failure and failure.detail,
            )
        )

    def _moment(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(self._zone).isoformat(timespec="milliseconds")


def info(product_name: str, preferred_version: str) -> Json:
    return {
        "typeId": INFO,
        "preferredVersion": preferred_version,
        "productName": product_name,
        "supportedVersionSet": [preferred_version],
    }


def vm(one: Vm) -> Json:
    """Its name stands under `vmware` whatever the hypervisor."""
    return {
        "typeId": VIRTUAL_MACHINE,
        "uuid": _uuid(one.uuid, "VIRTUAL_MACHINE"),
        "vmstoreUuid": _uuid(one.vmstore.uuid, "VMSTORE"),
        "isLive": True,
        "vmware": {"name": one.name},
    }


def tintri_error(refused: Refused) -> Json:
    return _present(
        {
            "typeId": TINTRI_ERROR,
            "code": refused.code,
            "message": refused.message,
            "causeDetails": refused.cause,
            "title": refused.message,
        }
    )


def _vmstore(member: VmStore, pool: Pool) -> Json:
    return {
        "typeId": VMSTORE,
        "hostname": member.hostname,
        "uuid": _uuid(member.uuid, "VMSTORE"),
        "vmstorePoolId": pool.uuid,
    }


def _outcome(outcome: Json, one: Recommendation) -> Json:
    """Without the VMs that were taken out after the analysis."""
    protection = outcome.get("protectionInfo")
    if protection is None:
        return outcome
    losing = [uuid for uuid in protection["vmTintriUuids"] if not one.leaves_out(uuid)]
    return {**outcome, "protectionInfo": {**protection, "vmTintriUuids": losing}}


def _uuid(uuid: str, entity: str) -> Json:
    return {"typeId": UUID, "entityTC": entity, "uuid": uuid}


def _present(record: dict[str, Any]) -> Json:
    return {key: value for key, value in record.items() if value is not None}

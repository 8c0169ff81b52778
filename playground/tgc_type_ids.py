"""The `typeId` of every record the TGC sends or takes."""

from typing import Any, Final

_DTO: Final = "com.tintri.api.rest.v310.dto."
_RECOMMENDATION: Final = _DTO + "domain.beans.loadbalance.recommendation."

PAGE: Final = _DTO + "Page"
USER_SESSION: Final = _DTO + "UserSession"
POOL: Final = _DTO + "domain.VmstorePool"
POOL_STAT: Final = _DTO + "domain.beans.perf.VmstorePoolStat"
VMSTORE: Final = _DTO + "domain.VmStore"
VIRTUAL_MACHINE: Final = _DTO + "domain.VirtualMachine"
TINTRI_ERROR: Final = _DTO + "domain.beans.TintriError"
UUID: Final = "com.tintri.api.rest.vcommon.dto.Uuid"
INFO: Final = "com.tintri.api.rest.v.dto.domain.RestApi"


def recommendation_record(name: str, **fields: Any) -> dict[str, Any]:
    """A record of the package `recommendation`, such as `RecommendationAction`."""
    return {"typeId": _RECOMMENDATION + name, **fields}

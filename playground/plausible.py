"""Names and numbers of a seeded world: such as a storage team knows them, or such as nobody wishes to meet."""

from random import Random
from typing import Final

from playground.estate import IssueType, Json, Move, VmStore
from playground.tgc_type_ids import POOL_STAT, recommendation_record

_VMSTORE_GIB: Final = 20480.0

_POOLS: Final = (
    ("Production", "ERP and file services", ("erp-db", "erp-app", "crm-web", "fileserver")),
    ("Test", "Test and integration systems", ("test-erp", "ci-runner", "test-crm", "sandbox")),
    ("VDI", "Virtual desktops", ("vdi-w11", "vdi-cad", "vdi-pool")),
    ("Databases", "Oracle and PostgreSQL", ("ora-prod", "pg-main", "pg-replica")),
    ("Branch offices", "Print, DNS and local files", ("branch-file", "branch-dns", "branch-print")),
    ("Analytics", "Warehouse and reports", ("dwh-node", "report", "etl-worker")),
    ("Mail", "Mail and groupware", ("mail-store", "mail-gw", "groupware")),
    ("Backup", "Backup proxies and repositories", ("backup-proxy", "backup-repo")),
)

_HOSTILE: Final = (
    "<!channel> ",
    "*bold* _italic_ ~gone~ ",
    "<@U1> ",
    "`tick` ```fence``` ",
    "a-very-long-name-" * 16,
    "two\nlines\r\n\tand a tab ",
    "\u202egnp.exe\u202c ",
    "قاعدة البيانات ",
    "数据库服务器",
    "🚀👩‍👩‍👧‍👦🏳️‍🌈",
    "&amp; &lt;b&gt; <b> ",
    "zero\u200bwidth\u2060\ufeff ",
    "<https://example.com|click> #general @here ",
    "'; DROP TABLE vm; -- \\ \" {{7*7}} %s ",
    "   ",
    "\x07\x1b[31m ",
)


class Names:
    """Numbered names; with `hostile` each holds what breaks careless programs."""

    def __init__(self, *, hostile: bool) -> None:
        self._hostile = hostile

    def pool(self, number: int) -> str:
        if self._hostile:
            return self._nasty(number)
        return _POOLS[number][0] if number < len(_POOLS) else f"Pool {number + 1:02}"

    def description(self, number: int) -> str:
        return self.sentence(_POOLS[number % len(_POOLS)][1], number)

    def vmstore(self, number: int) -> str:
        return self._nasty(number) if self._hostile else f"vmstore{number + 1:02}"

    def vm(self, pool: int, number: int) -> str:
        """The VM with this number in its pool: erp-db-01, erp-app-01, and so on."""
        if self._hostile:
            return self._nasty(number)
        prefixes = _POOLS[pool % len(_POOLS)][2]
        return f"{prefixes[number % len(prefixes)]}-{number // len(prefixes) + 1:02}"

    def sentence(self, text: str, number: int = 0) -> str:
        return text + " " + self._nasty(number) if self._hostile else text

    def _nasty(self, number: int) -> str:
        return f"{_HOSTILE[number % len(_HOSTILE)]}{number}"


def pool_stat(members: int, random: Random) -> Json:
    """The fields that are real, and some of those that the TGC fills with -1, 0 or 1."""
    total = _VMSTORE_GIB * members
    return {
        "typeId": POOL_STAT,
        "vmsCount": random.randint(60, 150) * members,
        "spaceTotalGiB": total,
        "spaceUsedPhysicalGiB": round(total * random.uniform(0.62, 0.81), 1),
        "operationsTotalIops": random.randint(9_000, 18_000) * members,
        "throughputTotalMBps": round(random.uniform(180, 320) * members, 1),
        "latencyTotalMs": round(random.uniform(0.8, 3.4), 1),
        "performanceReserveUsed": round(random.uniform(41, 78), 1),
        "flashHitPercent": -1,
        "disksCount": 0,
        "compressionFactor": 1,
    }


def analysis(vmstore: VmStore, issue_types: list[IssueType], names: Names, random: Random) -> Json:
    """The issues of one VMstore (`RecommendationAnalysis`)."""
    record = recommendation_record(
        "RecommendationAnalysis",
        vmStoreId=vmstore.uuid,
        vmStoreDisplayName=vmstore.name,
        vmStoreIsSelected=True,
        summary=names.sentence("This VMstore needs relief within 7 days"),
    )
    chosen = {"isSelected": True, "isDisabled": False}
    if "SPACE" in issue_types:
        probability = round(random.uniform(0.55, 0.97), 2)
        used = round(random.uniform(88, 97), 1)
        record["spaceInfo"] = recommendation_record(
            "RecommendationSpaceAnalysis",
            issueType="SPACE",
            **chosen,
            severity=2,
            probability=probability,
            spaceThresholdPercent=100.0,
            spaceUsedPhysicalPercent=used,
            spaceUsedPhysicalGiB=round(_VMSTORE_GIB * used / 100, 1),
            spaceUsedPhysicalChange=round(random.uniform(80, 600), 1),
            summary=names.sentence(f"{probability:.0%} probability of reaching 100% physical space"),
        )
    if "IOPS" in issue_types:
        under_load = round(random.uniform(8, 34), 1)
        record["iopsInfo"] = recommendation_record(
            "RecommendationIopsAnalysis",
            issueType="IOPS",
            **chosen,
            severity=1,
            loadThresholdPercent=80.0,
            percentOfWeekUnderLoad=under_load,
            latencyStorageMs=round(random.uniform(3, 9), 1),
            throughputTotalMBps=round(random.uniform(380, 900), 1),
            totalIops=random.randint(28_000, 61_000),
            summary=names.sentence(f"Above 80% load for {under_load}% of the week"),
        )
    if "FLASH" in issue_types:
        record["flashInfo"] = recommendation_record(
            "RecommendationFlashAnalysis",
            issueType="FLASH",
            **chosen,
            severity=1,
            flashHitRatePercent=round(random.uniform(86, 93), 1),
            flashHitRatePercentMinimum=round(random.uniform(72, 84), 1),
            flashHitRatePercentMaximum=round(random.uniform(96, 99), 1),
            flashHitRateThresholdPercent=95.0,
            latencyFlashMs=round(random.uniform(1.8, 4.2), 1),
            summary=names.sentence("Flash hit rate below its goal of 95%"),
        )
    return record


def outcomes(
    members: list[VmStore], issues: list[Json], moves: list[Move], losing: set[str], random: Random
) -> list[Json]:
    """What the moves would bring to each VMstore they touch; `losing` are ids of VMs that lose replication."""
    analyses = {issue["vmStoreId"]: issue for issue in issues}
    touched = analyses.keys() | {store.uuid for move in moves for store in (move.source, move.destination)}
    return [
        _outcome(store, analyses.get(store.uuid, {}), moves, losing, random)
        for store in members
        if store.uuid in touched
    ]


def _outcome(store: VmStore, issue: Json, moves: list[Move], losing: set[str], random: Random) -> Json:
    gained = sum(move.vm.space_gib for move in moves if move.destination is store)
    freed = sum(move.vm.space_gib for move in moves if move.source is store)
    record = recommendation_record(
        "RecommendationOutcome",
        vmStoreId=store.uuid,
        vmStoreDisplayName=store.name,
        spaceInfo=recommendation_record(
            "RecommendationSpaceOutcome",
            issueType="SPACE",
            probability=round(random.uniform(0.01, 0.06), 2),
            spaceThresholdPercent=100.0,
            spaceChangedPhysicalGiB=round(gained - freed, 1),
        ),
    )
    if load := issue.get("iopsInfo"):
        record["iopsInfo"] = recommendation_record(
            "RecommendationIopsOutcome",
            issueType="IOPS",
            loadThresholdPercent=load["loadThresholdPercent"],
            predictedLoadWeekPercent=load["percentOfWeekUnderLoad"],
            predictedOutcomeLoadWeekPercent=round(load["percentOfWeekUnderLoad"] / 4, 1),
        )
    if "flashInfo" in issue:
        record["flashInfo"] = recommendation_record(
            "RecommendationFlashOutcome",
            issueType="FLASH",
            flashHitRatePercent=round(random.uniform(95.5, 98.5), 1),
            changedLatencyMs=round(random.uniform(0.4, 1.2), 1),
        )
    if lost := [move.vm.uuid for move in moves if move.source is store and move.vm.uuid in losing]:
        record["protectionInfo"] = recommendation_record(
            "RecommendationProtectionOutcome", issueType="PROTECTION", vmTintriUuids=lost
        )
    return record

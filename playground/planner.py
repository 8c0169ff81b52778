"""Draws the content of recommendations: what is wrong in a pool, which of its VMs would move where."""

from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import Final
from uuid import UUID

from playground.estate import IssueType, Json, Move, PlanSize, Pool, Vm, VmStore
from playground.plausible import Names, analysis

INFO_KEYS: Final[dict[IssueType, str]] = {"SPACE": "spaceInfo", "IOPS": "iopsInfo", "FLASH": "flashInfo"}
"""Where the finding of each issue type stands in a RecommendationAnalysis."""


class Planner:
    """`vms` is the world's: where a VMstore has too few VMs for a plan, more are added there."""

    def __init__(self, vms: dict[str, Vm], names: Names, random: Random) -> None:
        self._vms = vms
        self._names = names
        self._random = random
        self._vms_named: dict[str, int] = {}

    def new_uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4)).upper()

    def issues(self, pool: Pool, issue_types: Collection[IssueType]) -> list[Json]:
        """Space and load trouble the first VMstore, the flash hit rate the second."""
        first, second, *_ = pool.members
        crowded: list[IssueType] = [one for one in ("SPACE", "IOPS") if one in issue_types]
        found = [analysis(first, crowded, self._names, self._random)] if crowded else []
        if "FLASH" in issue_types:
            found.append(analysis(second, ["FLASH"], self._names, self._random))
        return found

    def waves(
        self, pool: Pool, number: int, issues: Sequence[Json], size: PlanSize, without: Collection[str]
    ) -> list[list[Move]]:
        """Moves away from the VMstores with selected issues, none of a VM whose id is in `without`."""
        sources = self._sources(pool, issues)
        troubled = [source for source, _ in sources]
        relief = [store for store in pool.members if store not in troubled] or pool.members
        candidates = {store.uuid: self._candidates(pool.uuid, number, store, relief, without) for store in troubled}
        moves = []
        for count in range(size.moves):
            turn, which = divmod(count, len(sources))
            source, issue_types = sources[which]
            vm, destinations = next(candidates[source.uuid])
            moves.append(
                Move(
                    vm,
                    source,
                    destinations[turn % len(destinations)],
                    issue_types if turn % 2 == 0 else issue_types[:1],
                    weight=round(self._random.uniform(0.6, 1.4), 2),
                )
            )
        per_wave = max(1, -(-size.moves // size.waves))
        return [moves[start : start + per_wave] for start in range(0, len(moves), per_wave)]

    def _sources(self, pool: Pool, issues: Sequence[Json]) -> list[tuple[VmStore, list[IssueType]]]:
        by_uuid = {store.uuid: store for store in pool.members}
        sources = []
        for issue in issues:
            selected = [kind for kind, key in INFO_KEYS.items() if issue.get(key, {}).get("isSelected")]
            if selected and issue["vmStoreId"] in by_uuid:
                sources.append((by_uuid[issue["vmStoreId"]], selected))
        return sources or [(pool.members[0], [])]

    def _candidates(
        self, pool_uuid: str, number: int, source: VmStore, relief: list[VmStore], without: Collection[str]
    ) -> Iterator[tuple[Vm, list[VmStore]]]:
        """Endless: the VMs of the VMstore that may move, with where to, then new ones."""
        for vm in [one for one in self._vms.values() if one.vmstore is source and one.uuid not in without]:
            if destinations := _destinations(vm, relief):
                yield vm, destinations
        while True:
            vm = self._add_vm(pool_uuid, number, source)
            yield vm, _destinations(vm, relief)

    def _add_vm(self, pool_uuid: str, number: int, vmstore: VmStore) -> Vm:
        count = self._vms_named.get(pool_uuid, 0)
        self._vms_named[pool_uuid] = count + 1
        uuid = f"{vmstore.uuid}-VIM-{self._random.getrandbits(64):016X}"
        vm = Vm(uuid, self._names.vm(number, count), vmstore, space_gib=round(self._random.uniform(120, 900), 1))
        self._vms[uuid] = vm
        return vm


def _destinations(vm: Vm, relief: list[VmStore]) -> list[VmStore]:
    others = [store for store in relief if store is not vm.vmstore]
    return [store for store in others if vm.rule is None or not vm.rule.forbids(store)]

"""`tintri-bot reco --follow`: moves that run, watched until they have ended."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from bot.clock import Clock
from bot.pool_names import TgcPool
from bot.readings import read_again
from bot.recommendations import is_running
from bot.rendering.live import changes, ended
from bot.rendering.phrase import DAY_AND_TIME, local
from bot.rendering.views import CardView, Standing
from bot.reports import ViewOf
from bot.screen import Screen, Show
from bot.tgc_link import PATIENCE_S
from bot.tgcs import Tgcs
from tgc.errors import TGCError, TGCLoginError, TGCNotFoundError

NOTHING_RUNS = "Nothing runs."
NOT_WATCHING = "No longer watching. What runs goes on; --follow again shows how."


_Run = tuple[TgcPool, str]
"""A pool, and the id of a recommendation that runs there."""


class Follower:
    """Reads what runs until the TGC reports an end; it only reads."""

    def __init__(self, tgcs: Tgcs, view_of: ViewOf, screen: Screen, clock: Clock, *, every_s: float) -> None:
        self._tgcs = tgcs
        self._view_of = view_of
        self._screen = screen
        self._clock = clock
        self._every_s = every_s
        self._patience_s = max(every_s, PATIENCE_S) if tgcs.are_many else None
        """How long one of several TGCs may keep what runs at the others waiting."""
        self._unread: set[_Run] = set()
        """Recommendations that could not be read the last time: that is said once."""

    async def follow(self, pools: Iterable[TgcPool], accepted: Mapping[TgcPool, str]) -> bool:
        """Whether all ended well. `accepted`: by pool what was accepted just now. Raises TGCLoginError."""
        try:
            found = await asyncio.gather(*(self._running(pool, accepted.get(pool)) for pool in pools))
            under_way = [run for runs in found for run in runs]
            if not under_way:
                self._screen.say(NOTHING_RUNS)
                return True
            with self._shown() as show:
                return await self._to_the_end(under_way, show)
        except asyncio.CancelledError:
            self._screen.say(NOT_WATCHING)
            raise

    async def _running(self, pool: TgcPool, accepted: str | None) -> list[_Run]:
        """What runs in a pool: a recommendation may still run when the next one has come."""
        found = [accepted] if accepted else []
        reading = await self._tgcs.current(pool)
        recommendations = [reading.recommendation] if reading.recommendation else []
        with suppress(TGCError):  # then what runs and is current is all that is known
            recommendations += await self._tgcs.tgc(pool.tgc_key).client.recommendation_history(pool.pool.uuid)
        found += [one.id for one in recommendations if one.id and is_running(one)]
        return [(pool, one) for one in dict.fromkeys(found)]

    async def _to_the_end(self, under_way: Iterable[_Run], show: Show) -> bool:
        views: dict[_Run, CardView] = {}
        left = list(under_way)
        all_well = True
        while True:
            looks = await asyncio.gather(*map(self._look, left))
            for run, view in zip(tuple(left), looks, strict=True):
                if isinstance(view, str):
                    self._screen.say(f"{run[0].shown}: {view}")
                    left.remove(run)
                    all_well = False
                    continue
                if view is None:
                    continue
                if not self._screen.is_terminal:
                    self._tell(*changes(views.get(run), view))
                views[run] = view
                if view.standing.is_end:
                    left.remove(run)
                    self._tell(ended(view, self._screen.zone))
                    all_well = all_well and view.standing is Standing.DONE
            show(tuple(views.values()))
            if not left:
                return all_well
            await self._clock.sleep(self._every_s)

    async def _look(self, run: _Run) -> CardView | str | None:
        """None where it cannot be read now; a sentence where it never will be. Raises TGCLoginError of the only TGC."""
        pool, one = run
        tgc = self._tgcs.tgc(pool.tgc_key)
        try:
            async with asyncio.timeout(self._patience_s):
                reading = await read_again(tgc, self._clock, pool.pool, one)
        except TGCNotFoundError:
            return "Tintri Global Center no longer knows what was followed."
        except TGCLoginError as error:
            if not tgc.is_one_of_many:
                raise
            return str(error)
        except (TGCError, TimeoutError) as error:
            if run not in self._unread:
                self._screen.say(f"{pool.shown}: it cannot be read now, and is asked for again. {error}".rstrip())
            self._unread.add(run)
            return None
        self._unread.discard(run)
        return await self._view_of(reading)

    def _tell(self, *lines: str) -> None:
        now = local(self._clock.now(), self._screen.zone, DAY_AND_TIME)
        for line in lines:
            self._screen.say(f"{now} {line}")

    @contextmanager
    def _shown(self) -> Iterator[Show]:
        if self._screen.is_terminal:
            with self._screen.live() as show:
                yield show
        else:
            yield lambda _views: None

"""Questions that many ask at the same time, answered by one reading.

A reading takes in those who asked before it began and nobody else, so an answer is never older than its question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

AT_ONCE = 64
"""What one reading takes in at most: taking in what it finds holds up the event loop."""


class Batches(Generic[K, V]):
    """`read` gets different keys, and returns an answer for each."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._read = read
        self._turn = asyncio.Lock()
        self._asked: list[tuple[K, asyncio.Future[V]]] = []

    async def get(self, key: K) -> V:
        """Raises what `read` raises."""
        [answer] = await self.get_all([key])
        return answer

    async def get_all(self, keys: Sequence[K]) -> list[V]:
        """The answers, in their order; questions beyond AT_ONCE are answered one reading later."""
        answers: list[asyncio.Future[V]] = [asyncio.get_running_loop().create_future() for _ in keys]
        self._asked += zip(keys, answers, strict=True)
        for answer in answers:
            async with self._turn:  # whose turn it is reads for all who wait behind
                if not answer.done():
                    await self._answer_first()
        return [answer.result() for answer in answers]

    async def _answer_first(self) -> None:
        """Those who have waited longest: whose turn it is is among them."""
        await asyncio.sleep(0)  # for those who are about to ask
        asked, self._asked = self._asked[:AT_ONCE], self._asked[AT_ONCE:]
        try:
            found = await self._read(list(dict.fromkeys(key for key, _ in asked)))
        except Exception as error:  # noqa: BLE001 - it is theirs who asked
            for _, answer in asked:
                answer.set_exception(error)
                answer.exception()  # of those who stopped waiting nobody will ask for it
        except BaseException:  # only this one is cancelled: the next in the line reads
            self._asked = asked + self._asked
            raise
        else:
            for key, answer in asked:
                answer.set_result(found[key])

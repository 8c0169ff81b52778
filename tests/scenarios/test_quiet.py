"""The loop of the scenarios: it calls nothing quiet that is not."""

import asyncio
import threading
from pathlib import Path

from sqlalchemy import text

from bot.storage.database import open_database
from tests.scenarios.quiet import quiet_loop

ROUNDS = 200
A_WHILE_S = 0.05
"""Much longer than the moment for which it must be quiet."""


async def test_it_is_not_quiet_while_callbacks_follow_each_other() -> None:
    async def work() -> int:
        for _ in range(ROUNDS):
            await asyncio.sleep(0)
        return ROUNDS

    working = asyncio.create_task(work())
    await quiet_loop().quiet()
    assert working.done()


async def test_it_is_not_quiet_while_something_is_on_its_way_through_a_socket() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sent := await reader.read(1):
            writer.write(sent)
        writer.close()

    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(ROUNDS):
            writer.write(b"x")
            await reader.readexactly(1)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1") as server:
        talking = asyncio.create_task(talk(server.sockets[0].getsockname()[1]))
        await quiet_loop().quiet()
        assert talking.done()


async def test_it_is_not_quiet_while_a_thread_works() -> None:
    goes_on = threading.Event()
    working = asyncio.create_task(asyncio.to_thread(goes_on.wait))
    asyncio.get_running_loop().call_later(A_WHILE_S, goes_on.set)
    await quiet_loop().quiet()
    assert working.done()


async def test_it_is_not_quiet_while_a_transaction_is_under_way(tmp_path: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}") as database:
        goes_on = asyncio.Event()

        async def work() -> None:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO leases (name, fence) VALUES ('a', 0)"))
                await goes_on.wait()

        working = asyncio.create_task(work())
        asyncio.get_running_loop().call_later(A_WHILE_S, goes_on.set)
        await quiet_loop().quiet()
        assert working.done()


async def test_it_is_quiet_while_nobody_can_go_on_although_timers_run() -> None:
    timer = asyncio.create_task(asyncio.sleep(600))
    async with asyncio.timeout(5):
        await quiet_loop().quiet()
    assert not timer.done()
    timer.cancel()


async def test_who_gives_up_waiting_for_quiet_disturbs_nobody() -> None:
    impatient = asyncio.create_task(quiet_loop().quiet())
    await asyncio.sleep(0)
    impatient.cancel()
    async with asyncio.timeout(5):
        await quiet_loop().quiet()
    assert impatient.cancelled()

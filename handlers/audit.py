"""`/tintri audit [pool|@user]`: who decided what, for approvers, and the buttons that turn its pages."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.audit import Audit as AuditService
from bot.audit import AuditRefusedError, NothingAboutError, Question
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.audit import render_audit
from bot.rendering.views import Message
from bot.tasks import Tasks
from handlers.payloads import Command, read_click, read_turn
from handlers.replies import answer, no_surprise


class Audit:
    """The journal's pages, each for one person only."""

    def __init__(self, audit: AuditService, tasks: Tasks) -> None:
        self._audit = audit
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.AUDIT_NEWER)(self.turned)
        app.action(ids.AUDIT_OLDER)(self.turned)

    async def answer(self, command: Command, rest: str) -> Message:
        question = Question(id=command.id, actor=command.actor, channel_id=command.channel_id, typed=rest)
        return await self._page(question)

    async def turned(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._turn(respond, body)), name="turn the audit")

    async def _turn(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        page, typed = read_turn(click.value)
        question = Question(
            id=click.id,
            actor=click.actor,
            channel_id=click.channel_id,
            typed=typed,
            page=page,
        )
        await answer(respond, await self._page(question), replace_original=True)

    async def _page(self, question: Question) -> Message:
        try:
            return render_audit(await self._audit.page(question))
        except (AuditRefusedError, NothingAboutError) as error:
            return render_sentence(str(error))

"""`/tintri rules [pool]`: the permanent rules set here, the buttons that turn its pages, and Clear."""

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bot.pools import AmbiguousPoolError
from bot.rendering import ids
from bot.rendering.answers import render_sentence
from bot.rendering.rules import render_rules
from bot.rendering.views import Message
from bot.tasks import Tasks
from bot.vm_rules import ClearRequest, Question, RulesRefusedError, VmRules
from handlers.payloads import Command, read_click, read_turn
from handlers.replies import answer, no_surprise


class Rules:
    """The rules, for one person only, and what that person does to one of them."""

    def __init__(self, rules: VmRules, tasks: Tasks) -> None:
        self._rules = rules
        self._tasks = tasks

    def register(self, app: AsyncApp) -> None:
        app.action(ids.RULES_PREVIOUS)(self.turned)
        app.action(ids.RULES_NEXT)(self.turned)
        app.action(ids.CLEAR_RULE)(self.cleared)

    async def answer(self, command: Command, rest: str) -> Message:
        return await self._page(Question(actor=command.actor, typed=rest))

    async def turned(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._turn(respond, body)), name="turn the rules")

    async def cleared(self, ack: AsyncAck, respond: AsyncRespond, body: dict[str, Any]) -> None:
        await ack()
        self._tasks.start(no_surprise(respond, self._clear(respond, body)), name="clear a rule")

    async def _turn(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        page, typed = read_turn(click.value)
        question = Question(actor=click.actor, typed=typed, page=page)
        await answer(respond, await self._page(question), replace_original=True)

    async def _clear(self, respond: AsyncRespond, body: Mapping[str, Any]) -> None:
        click = read_click(body)
        request = ClearRequest(id=click.id, actor=click.actor, channel_id=click.channel_id, rule_id=click.value)
        said = await self._rules.clear(request)
        page = await self._page(Question(actor=click.actor, typed=""), said)
        await answer(respond, page, replace_original=click.is_ephemeral)

    async def _page(self, question: Question, said: str | None = None) -> Message:
        try:
            return render_rules(await self._rules.page(question), said)
        except (RulesRefusedError, AmbiguousPoolError) as error:
            return render_sentence(said or str(error))

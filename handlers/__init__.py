"""Slack listeners: parse, acknowledge, hand to a service. One feature a module; here all of them meet."""

import msgspec
from slack_bolt.async_app import AsyncApp

from bot.access import Access
from bot.audit import Audit as AuditService
from bot.clock import Clock
from bot.decisions import Decider
from bot.homes import Homes
from bot.pausing import Pausing
from bot.planning import Planning as PlanningService
from bot.reconcile import Reconciler
from bot.reminders import Reminders
from bot.reports import Reports
from bot.slack import Slack
from bot.tasks import Tasks
from handlers.audit import Audit
from handlers.decide import Decide
from handlers.details import Details
from handlers.home import Home
from handlers.pause import Pause
from handlers.planning import Planning
from handlers.reco import Reco
from handlers.replies import Replies
from handlers.snooze import Snooze
from handlers.tintri import Feature, TintriCommand
from handlers.unknown import Unknown


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What listeners hand over to."""

    access: Access
    audit: AuditService
    decider: Decider
    homes: Homes
    pausing: Pausing
    planning: PlanningService
    reconciler: Reconciler
    reminders: Reminders
    reports: Reports
    slack: Slack
    tasks: Tasks
    clock: Clock


def register(app: AsyncApp, services: Services) -> None:
    """Add every listener; the one for what is unknown comes last."""
    reco = Reco(services.reports, services.reconciler, services.access, services.tasks)
    pause, resume = Pause(services.pausing.pause), Pause(services.pausing.resume)
    audit = Audit(services.audit, services.tasks)
    features: dict[str, Feature] = {"reco": reco, "pause": pause, "resume": resume, "audit": audit}
    TintriCommand(features, services.access, services.tasks).register(app)
    reco.register(app)
    audit.register(app)
    replies = Replies(services.slack)
    Decide(services.decider, replies, services.tasks, services.clock).register(app)
    Details(services.reconciler, services.slack, services.access, replies, services.tasks).register(app)
    Planning(services.planning, services.slack, replies, services.tasks, services.clock).register(app)
    Home(services.homes, services.tasks).register(app)
    Snooze(services.reminders, services.tasks).register(app)
    Unknown(replies, services.tasks).register(app)

"""Slack listeners: parse, acknowledge, hand to a service. One feature a module; here all of them meet."""

import msgspec
from slack_bolt.async_app import AsyncApp

from bot.access import Access
from bot.audit import Audit as AuditService
from bot.clock import Clock
from bot.decisions import Decider
from bot.doctor.click import Clicks
from bot.doctor.doctor import Doctor as DoctorService
from bot.history import History as HistoryService
from bot.homes import Homes
from bot.pausing import Pausing
from bot.planning import Planning as PlanningService
from bot.policy_answers import PolicyAnswers
from bot.reasons import Reasons as ReasonsService
from bot.reconcile import Reconciler
from bot.reminders import Reminders
from bot.reports import Reports
from bot.shaping import Shaping as ShapingService
from bot.slack import Slack
from bot.status import Status as StatusService
from bot.tasks import Tasks
from bot.vm_rules import VmRules
from bot.who import Who as WhoService
from handlers.accept_form import AcceptForm
from handlers.audit import Audit
from handlers.decide import Decide
from handlers.details import Details
from handlers.doctor import Doctor
from handlers.history import History
from handlers.home import Home
from handlers.modals import Modals
from handlers.pause import Pause
from handlers.planning import Planning
from handlers.policy import Policy
from handlers.reasons import Reasons
from handlers.reco import Reco
from handlers.replies import Replies
from handlers.rules import Rules
from handlers.shaping import Shaping
from handlers.snooze import Snooze
from handlers.status import Status
from handlers.tintri import Feature, TintriCommand
from handlers.unknown import Unknown
from handlers.who import Who


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """What listeners hand over to."""

    access: Access
    audit: AuditService
    decider: Decider
    doctor: DoctorService
    doctor_clicks: Clicks
    history: HistoryService
    homes: Homes
    pausing: Pausing
    planning: PlanningService
    policy_answers: PolicyAnswers
    reasons: ReasonsService
    reconciler: Reconciler
    reminders: Reminders
    reports: Reports
    shaping: ShapingService
    slack: Slack
    status: StatusService
    tasks: Tasks
    vm_rules: VmRules
    who: WhoService
    clock: Clock


def register(app: AsyncApp, services: Services) -> None:
    """Add every listener; the one for what is unknown comes last."""
    reco = Reco(services.reports, services.reconciler, services.access, services.tasks)
    pause, resume = Pause(services.pausing.pause), Pause(services.pausing.resume)
    audit = Audit(services.audit, services.tasks)
    history = History(services.history, services.access, services.tasks)
    vm_rules = Rules(services.vm_rules, services.tasks)
    doctor = Doctor(services.doctor, services.doctor_clicks, services.tasks)
    features: dict[str, Feature] = {
        "reco": reco,
        "history": history,
        "status": Status(services.status, services.access),
        "who": Who(services.who),
        "policy": Policy(services.policy_answers, services.access),
        "pause": pause,
        "resume": resume,
        "audit": audit,
        "rules": vm_rules,
        "doctor": doctor,
    }
    TintriCommand(features, services.access, services.tasks).register(app)
    reco.register(app)
    audit.register(app)
    history.register(app)
    vm_rules.register(app)
    doctor.register(app)
    replies = Replies(services.slack)
    Decide(services.decider, replies, services.tasks, services.clock).register(app)
    Details(services.reconciler, services.slack, services.access, replies, services.tasks).register(app)
    modals, rules = Modals(services.slack, services.clock), services.access.rules
    Planning(services.planning, modals, replies, rules, services.tasks).register(app)
    AcceptForm(services.reasons, services.decider, modals, replies, rules, services.tasks, services.clock).register(app)
    Reasons(services.reasons, services.decider, modals, replies, services.tasks, services.clock).register(app)
    Shaping(services.shaping, services.decider, services.reconciler, modals, services.tasks, services.clock).register(
        app
    )
    Home(services.homes, services.tasks).register(app)
    Snooze(services.reminders, services.tasks).register(app)
    Unknown(replies, services.tasks).register(app)

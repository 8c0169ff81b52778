"""The tables. A migration changes them, never this file alone (a test compares the two)."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment. SQLite keeps no zone, so all are stored in UTC and read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy gives it
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> Column[int]:
    # SQLite counts up by itself only for its own INTEGER.
    return Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)


def _lease() -> list[Column[str] | Column[datetime] | Column[int]]:
    """Whoever holds the row, until when, and a number that rises with every taking."""
    return [
        Column("owner", String(64)),
        Column("expires_at", UtcDateTime),
        Column("fence", Integer, nullable=False, server_default="0"),
    ]


def _recommendation(*, nullable: bool = False) -> Column[int]:
    return Column("recommendation", ForeignKey("recommendations.id"), nullable=nullable)


tgcs = Table(
    "tgcs",
    metadata,
    Column("tgc_key", String(64), primary_key=True),
    Column("role", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", UtcDateTime),
    Column("problem", Text),
    Column("noticed", Boolean, nullable=False, server_default=false()),
)

refused_logins = Table(
    "refused_logins",
    metadata,
    Column("tgc_key", String(64), primary_key=True),
    Column("user_name", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("refused_at", UtcDateTime, nullable=False),
    Column("refusals", Integer, nullable=False, server_default="1"),
)

recommendations = Table(
    "recommendations",
    metadata,
    _id(),
    Column("tgc_key", String(64), nullable=False),
    Column("pool_uuid", Text, nullable=False),
    Column("recommendation_id", Text, nullable=False),
    Column("pool_name", Text, nullable=False),
    Column("snapshot", LargeBinary, nullable=False),
    Column("vm_names", LargeBinary, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
    Column("gone", Boolean, nullable=False, server_default=false()),
    Column("moves_seen", LargeBinary),
    UniqueConstraint("tgc_key", "pool_uuid", "recommendation_id"),
)

offers = Table(
    "offers",
    metadata,
    Column("id", String(64), primary_key=True),
    _recommendation(),
    Column("fingerprint", String(64), nullable=False),
    Column("moves", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("shown", LargeBinary),
    UniqueConstraint("recommendation", "fingerprint"),
)

presses = Table(
    "presses",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("action", String(16), nullable=False),
    Column("offer_id", Text, nullable=False),
    Column("team_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", Text, nullable=False),
    Column("channel_id", String(64)),
    Column("pressed_at", UtcDateTime, nullable=False),
    Column("answer", Text),
    Column("told_at", UtcDateTime),
    Column("ticket", Text),
    Column("note", Text),
    Column("feedback", Text),
    Column("shape", LargeBinary),
    *_lease(),
    Index("ix_presses_untold", "told_at", "pressed_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("recommendation", ForeignKey("recommendations.id"), primary_key=True),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("action", String(16)),
    Column("press", ForeignKey("presses.id")),
    Column("user_id", String(64)),
    Column("offer_id", String(64)),
    Column("claimed_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
)

decisions = Table(
    "decisions",
    metadata,
    _id(),
    _recommendation(nullable=True),
    Column("tgc_key", String(64), nullable=False),
    Column("pool_uuid", Text),
    Column("action", String(16), nullable=False),
    Column("offer_id", Text),
    Column("team_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", Text, nullable=False),
    Column("channel_id", String(64)),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("tgc_answer", Text),
    Column("pool_name", Text),
    Column("recommendation_id", Text),
    Column("seen", LargeBinary),
    Column("typed", Text),
    Column("told", Text),
    Column("command_id", String(64)),
    Column("ticket", Text),
    Column("note", Text),
    Column("feedback", Text),
    Index("ix_decisions_recommendation", "recommendation", "id"),
    Index("ix_decisions_command", "command_id", "outcome", unique=True),
)

retention = Table(
    "retention",
    metadata,
    Column("journal", String(64), primary_key=True),
    Column("kept_from", UtcDateTime, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    _id(),
    _recommendation(),
    Column("offer_id", ForeignKey("offers.id"), nullable=False),
    Column("team_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", Text, nullable=False),
    Column("approved_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_approvals_offer", "offer_id", "ended_at"),
)

planned_accepts = Table(
    "planned_accepts",
    metadata,
    Column("press_id", String(64), primary_key=True),
    _recommendation(),
    Column("offer_id", ForeignKey("offers.id"), nullable=False),
    Column("team_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("user_name", Text, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("held_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("ticket", Text),
    Column("note", Text),
    Column("until", UtcDateTime),
    # Of those that stand: `WHERE ended_at IS NULL`, says its migration. To say it here loads the dialects of both
    # databases, which is 3 MiB that a process needs only one of.
    Index("ix_planned_accepts_standing", "offer_id", unique=True),
    Index("ix_planned_accepts_due", "ended_at", "due_at"),
)

approver_checks = Table(
    "approver_checks",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("able", Integer, nullable=False),
)

pauses = Table(
    "pauses",
    metadata,
    Column("tgc_key", String(64), primary_key=True),
    Column("pool_uuid", Text, primary_key=True),
    Column("pool_name", Text),
    Column("user_id", String(64), nullable=False),
    Column("paused_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)

replacements = Table(
    "replacements",
    metadata,
    Column("recommendation", ForeignKey("recommendations.id"), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_replacements_ended", "ended_at"),
)

vm_rules = Table(
    "vm_rules",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("tgc_key", String(64), nullable=False),
    Column("pool_uuid", Text, nullable=False),
    Column("pool_name", Text, nullable=False),
    Column("vm_uuid", Text, nullable=False),
    Column("vm", LargeBinary, nullable=False),
    Column("rule_type", String(32), nullable=False),
    Column("vm_stores", LargeBinary, nullable=False),
    Column("clears", Boolean, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Index("ix_vm_rules_request", "request_id"),
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("recommendation", ForeignKey("recommendations.id"), primary_key=True),
    Column("user_id", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("tgc_key", String(64), primary_key=True),
    Column("pool_uuid", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stat", LargeBinary),
    Column("read_at", UtcDateTime, nullable=False),
)

homes = Table(
    "homes",
    metadata,
    Column("user_id", String(64), primary_key=True),
    Column("team_id", String(64), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("painted", String(64)),
    Column("slack_hash", Text),
    Column("published_at", UtcDateTime),
)

cards = Table(
    "cards",
    metadata,
    _id(),
    _recommendation(),
    Column("channel_id", String(64), nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("ts", String(32)),
    Column("painted", String(64)),
    Column("dirty", Boolean, nullable=False, server_default=false()),
    Column("final", Boolean, nullable=False, server_default=false()),
    Column("not_before", UtcDateTime),
    *_lease(),
    UniqueConstraint("recommendation", "channel_id"),
    Index("ix_cards_open", "final", "dirty"),
)

posts = Table(
    "posts",
    metadata,
    Column("key", String(255), primary_key=True),
    _recommendation(nullable=True),
    Column("kind", String(32), nullable=False),
    Column("channel_id", String(64), nullable=False),
    Column("thread_ts", String(32)),
    Column("message", LargeBinary),
    Column("state", String(16), nullable=False, server_default="pending"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("sending_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("problem", Text),
    Column("ts", String(32)),
    *_lease(),
    Index("ix_posts_state", "state", "not_before"),
)

mails = Table(
    "mails",
    metadata,
    _id(),
    _recommendation(),
    Column("kind", String(16), nullable=False),
    Column("mail", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("owed_to", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", UtcDateTime),
    Column("failing_since", UtcDateTime),
    Column("problem", Text),
    Column("ended_at", UtcDateTime),
    *_lease(),
    UniqueConstraint("recommendation", "kind"),
    Index("ix_mails_waiting", "ended_at", "not_before"),
)

leases = Table("leases", metadata, Column("name", String(128), primary_key=True), *_lease())

"""A journal that can be read by itself for years, and that the database keeps from being changed.

Revision: 0003, after 0002. A later migration that builds `decisions` anew must make the triggers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("offers", sa.Column("shown", sa.LargeBinary(), nullable=True))
    op.add_column("decisions", sa.Column("pool_name", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("recommendation_id", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("seen", sa.LargeBinary(), nullable=True))
    op.add_column("decisions", sa.Column("typed", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("told", sa.Text(), nullable=True))
    op.add_column("decisions", sa.Column("command_id", sa.String(length=64), nullable=True))
    op.create_index("ix_decisions_command", "decisions", ["command_id", "outcome"], unique=True)
    op.create_table(
        "retention",
        sa.Column("journal", sa.String(length=64), nullable=False),
        sa.Column("kept_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_retention")),
    )
    for column in ("pool_name", "recommendation_id"):
        op.execute(
            f"UPDATE decisions SET {column} = (SELECT {column} FROM recommendations"  # noqa: S608 - our own two words
            " WHERE recommendations.id = decisions.recommendation)"
        )
    for statement in _SQLITE if op.get_context().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


# Nothing is ever changed; what is deleted must be older than retention says. This stops mistakes, not the owner of the
# database, who can drop the triggers.

_SQLITE = (
    """
    CREATE TRIGGER decisions_never_change BEFORE UPDATE ON decisions
    BEGIN
        SELECT RAISE(ABORT, 'the journal is append-only');
    END
    """,
    """
    CREATE TRIGGER decisions_never_go BEFORE DELETE ON decisions
    WHEN NOT EXISTS (SELECT 1 FROM retention WHERE journal = 'decisions' AND OLD.decided_at < kept_from)
    BEGIN
        SELECT RAISE(ABORT, 'the journal is append-only');
    END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION decisions_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT 1 FROM retention WHERE journal = 'decisions' AND OLD.decided_at < kept_from) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'the journal is append-only';
    END
    $$
    """,
    """
    CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE ON decisions
    FOR EACH ROW EXECUTE FUNCTION decisions_append_only()
    """,
    """
    CREATE TRIGGER decisions_never_truncated BEFORE TRUNCATE ON decisions
    FOR EACH STATEMENT EXECUTE FUNCTION decisions_append_only()
    """,
)

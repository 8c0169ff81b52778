"""Accepts that people planned for later.

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "planned_accepts",
        sa.Column("press_id", sa.String(length=64), nullable=False),
        sa.Column("recommendation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer_id", sa.String(length=64), nullable=False),
        sa.Column("team_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_planned_accepts_offer_id_offers")),
        sa.ForeignKeyConstraint(
            ["recommendation"], ["recommendations.id"], name=op.f("fk_planned_accepts_recommendation_recommendations")
        ),
        sa.PrimaryKeyConstraint("press_id", name=op.f("pk_planned_accepts")),
    )
    stands = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_planned_accepts_standing",
        "planned_accepts",
        ["offer_id"],
        unique=True,
        sqlite_where=stands,
        postgresql_where=stands,
    )
    op.create_index("ix_planned_accepts_due", "planned_accepts", ["ended_at", "due_at"])

"""How far moves were and since when, and reminders that somebody put off.

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("recommendations", sa.Column("moves_seen", sa.LargeBinary(), nullable=True))
    op.create_table(
        "snoozes",
        sa.Column("recommendation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recommendation"], ["recommendations.id"], name=op.f("fk_snoozes_recommendation_recommendations")
        ),
        sa.PrimaryKeyConstraint("recommendation", name=op.f("pk_snoozes")),
    )

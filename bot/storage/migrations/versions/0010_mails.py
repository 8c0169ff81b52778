"""Mails that wait to be sent.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mails",
        sa.Column("id", big, autoincrement=True, nullable=False),
        sa.Column("recommendation", big, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("mail", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owed_to", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["recommendation"], ["recommendations.id"], name=op.f("fk_mails_recommendation_recommendations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("recommendation", "kind", name=op.f("uq_mails_recommendation_kind")),
    )
    op.create_index("ix_mails_waiting", "mails", ["ended_at", "not_before"])

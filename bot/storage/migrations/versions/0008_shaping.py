"""What a form asked for, with the press that it became; recommendations that wait to be replaced.

Revision: 0008, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("presses", sa.Column("shape", sa.LargeBinary(), nullable=True))
    op.create_table(
        "replacements",
        sa.Column("recommendation", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["recommendation"], ["recommendations.id"], name=op.f("fk_replacements_recommendation_recommendations")
        ),
        sa.PrimaryKeyConstraint("recommendation", name=op.f("pk_replacements")),
    )
    op.create_index("ix_replacements_ended", "replacements", ["ended_at"])

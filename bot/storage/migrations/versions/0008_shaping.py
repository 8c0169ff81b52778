"""What a form asked for, with the press that it became; recommendations that wait to be replaced; rules of VMs.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


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
    op.create_table(
        "vm_rules",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tgc_key", sa.String(length=64), nullable=False),
        sa.Column("pool_uuid", sa.Text(), nullable=False),
        sa.Column("pool_name", sa.Text(), nullable=False),
        sa.Column("vm_uuid", sa.Text(), nullable=False),
        sa.Column("vm", sa.LargeBinary(), nullable=False),
        sa.Column("rule_type", sa.String(length=32), nullable=False),
        sa.Column("vm_stores", sa.LargeBinary(), nullable=False),
        sa.Column("clears", sa.Boolean(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_vm_rules")),
        sa.UniqueConstraint("id", name=op.f("uq_vm_rules_id")),
    )
    op.create_index("ix_vm_rules_request", "vm_rules", ["request_id"])

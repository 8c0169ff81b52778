"""The names of paused pools, and how often a login was refused.

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("pauses", sa.Column("pool_name", sa.Text(), nullable=True))
    op.add_column("refused_logins", sa.Column("refusals", sa.Integer(), server_default="1", nullable=False))

"""Until when a plan may be carried out, where that is not an hour after its time.

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("planned_accepts", sa.Column("until", sa.DateTime(timezone=True), nullable=True))

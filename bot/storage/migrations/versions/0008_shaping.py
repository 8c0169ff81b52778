"""What a form asked for, with the press that it became.

Revision: 0008, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("presses", sa.Column("shape", sa.LargeBinary(), nullable=True))

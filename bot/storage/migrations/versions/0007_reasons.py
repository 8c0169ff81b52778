"""What people write beside their decisions: tickets, notes, reasons and feedback.

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_WRITTEN = {
    "presses": ("ticket", "note", "feedback"),
    "decisions": ("ticket", "note", "feedback"),
    "planned_accepts": ("ticket", "note"),
}


def upgrade() -> None:
    for table, columns in _WRITTEN.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Text(), nullable=True))

"""What is told where the database cannot be used; apart from it, because SQLAlchemy takes long to import."""


class DatabaseError(Exception):
    """The database cannot be used; `str()` is one sentence with the fix."""

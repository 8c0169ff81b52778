"""Everything that can go wrong between us and a Tintri Global Center (TGC).

    TGCError
    ├── TGCConnectionError      no whole answer: connect, TLS, time-out, dropped half-way
    │   └── TGCCertificateError the certificate is not one we may trust; nothing was sent
    ├── TGCWithheldError        the caller might not send it any more; nothing was sent
    ├── TGCResponseError        an answer that the API does not document: not JSON, wrong shape
    ├── TGCUnsupportedError     a VMstore, or an API older than v310.51
    └── TGCStatusError          a TintriError, with `status` and `code`
        ├── TGCLoginError       the login itself was refused: wrong user or password
        ├── TGCSessionError     no valid session even after logging in once more
        ├── TGCForbiddenError   the account lacks the privilege, or the TGC a licence
        ├── TGCNotFoundError    no such object
        ├── TGCWrongStateError  400: somebody or something changed it; read it again
        └── TGCUnavailableError 503: a service behind the TGC is away

`str(error)` is one sentence for people: what happened, and what to do. It never holds a password or a cookie.
"""


class TGCError(Exception):
    """The root of the tree; `str()` is one sentence for people."""

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.where = where
        """Method and path of the request, for logs; None where no single one failed."""


class TGCConnectionError(TGCError):
    """No whole answer came. A write may or may not have been done: read before anything else."""


class TGCCertificateError(TGCConnectionError):
    """The server's certificate is not trusted; no request was sent."""


class TGCWithheldError(TGCError):
    """The caller's permission to send ended before the request could leave; nothing was sent."""


class TGCResponseError(TGCError):
    """The answer is not what the API documents. A write may have been done: read before anything else."""


class TGCUnsupportedError(TGCError):
    """The server is a VMstore, or its API is older than v310.51."""


class TGCStatusError(TGCError):
    """The TGC answered with an error."""

    def __init__(self, message: str, *, status: int, code: str | None = None, where: str | None = None) -> None:
        super().__init__(message, where=where)
        self.status = status
        self.code = code
        """Tintri's code such as `ERR-API-7107`, where it gave one."""


class TGCLoginError(TGCStatusError):
    """The TGC refused user name or password. Trying again locks accounts."""


class TGCSessionError(TGCStatusError):
    """The session is not valid, even after one new login."""


class TGCForbiddenError(TGCStatusError):
    """The account lacks the privilege, or the TGC a licence (which of the two is not documented)."""


class TGCNotFoundError(TGCStatusError):
    """No such object."""


class TGCWrongStateError(TGCStatusError):
    """The object is not in a state that allows this."""


class TGCUnavailableError(TGCStatusError):
    """A service behind the TGC is away for now."""

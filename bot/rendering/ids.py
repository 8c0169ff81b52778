"""Names that a renderer gives and a handler listens to."""

ACCEPT = "reco_accept"
DISMISS = "reco_dismiss"
REOPEN = "reco_reopen"
CANCEL = "reco_cancel"
DETAILS = "reco_details"
SHOW = "reco_show"
"""In a list of pools: replace the list by that pool's card. Its value is an offer id, as for all above."""

LIST_PAGE = "list_page"
"""Turns a page of a list of pools; value: `<page>:<filter>`, both only ever used for reading."""
AUDIT_PAGE = "audit_page"
"""Turns a page of the audit; value: `<page>:<pool or person>`, both only ever used for reading."""
DETAILS_PAGE = "details_page"
"""Turns a page of a details modal; value: the page. The offer id is the view's `private_metadata`."""

# Slack wants the ids inside one block to differ, so a pair of page buttons has one each.
LIST_PREVIOUS = f"{LIST_PAGE}:previous"
LIST_NEXT = f"{LIST_PAGE}:next"
AUDIT_NEWER = f"{AUDIT_PAGE}:newer"
AUDIT_OLDER = f"{AUDIT_PAGE}:older"
LIST_ALL = f"{LIST_PAGE}:all"
DETAILS_PREVIOUS = f"{DETAILS_PAGE}:previous"
DETAILS_NEXT = f"{DETAILS_PAGE}:next"

DETAILS_VIEW = "details"
"""`callback_id` of the details modal."""

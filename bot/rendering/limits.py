"""Slack's limits, each with the page it comes from, and our own, smaller budgets.

Slack does not say whether it counts code points, UTF-16 units or, after escaping, entities: we count escaped UTF-16
units, the most of the three.
"""

MESSAGE_TEXT_BYTES = 4_000
"""slack: chat.update, `text`; measured in UTF-8 bytes."""
HEADER = 150
"""slack: Header block."""
SECTION = 3_000
"""slack: Section block."""
CONTEXT_TEXT = 3_000
"""slack: Text object, which is all that the Context block asks for."""
BUTTON_VALUE = 2_000
"""slack: Button element."""
URL = 3_000
"""slack: Button element, `url`; links in text have no documented limit of their own."""
CONFIRM_TITLE = 100
"""slack: Confirmation dialog object."""
CONFIRM_TEXT = 300
"""slack: Confirmation dialog object."""
VIEW_TITLE = 24
"""slack: Modal views."""
VIEW_BLOCKS = 100
"""slack: App Home, Modal views."""
VIEW_BYTES = 250_000
"""slack: views.publish, the whole view as JSON."""
INPUT_LABEL = 2_000
"""slack: Input block, `label` and `hint`."""
OPTION = 75
"""slack: Option object, `text`."""
PRIVATE_METADATA = 3_000
"""slack: Modal views."""
OPTIONS = 100
"""slack: Select menu element: options in one group; as many groups may be there."""
OPTION_DESCRIPTION = 75
"""slack: Option object, `description`."""
MESSAGE_SIZE = 12_000
"""Undocumented in chat.postMessage, measured at about 13,200 (slackapi/bolt-js issues 2509 and 2867): all text as
escaped, plus about 100 for each container."""

CARD_SIZE = 8_000
"""What a card stays below: buttons next to very large content have been reported dead."""

NAME = 60
"""A name on a card (a VM's UUID has 57 characters); details show it whole."""
SENTENCE = 150
"""A summary of the TGC's on a card."""
TICKET = 64
"""Characters of a ticket; no pattern is ever matched against more."""
NOTE = 300
"""What somebody wrote: a note, a reason or a comment; forms take no more either."""
PROBLEM = 300
"""A sentence of ours that names what went wrong or what hinders."""
DETAILS_NAME = 255
DETAILS_LINE = 900
"""One line of a details modal: a page of them stays far below a view's 250 kB (slack: views.open), also in JSON that
writes each character as six."""

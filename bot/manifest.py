"""The Slack app's manifest: what a workspace's admin creates the app from. Limits: slack/README.md part 5."""

import json
import re

SCOPES = {
    "commands": "/tintri",
    "chat:write": "posting cards",
    "channels:history": "finding posts whose answer was lost, in a public channel",
    "groups:history": "finding posts whose answer was lost, in a private channel",
    "users:read": "checking who somebody is: without it nobody may act or ask",
    "usergroups:read": "approvers by user group",
}
"""What the bot's token is for, by scope."""

_EVENTS_PATH = "/slack/events"
_HTTPS_URL = re.compile(r"https://(?:\[[0-9A-Fa-f:.]+\]|\w[\w.-]*)(?::\d{1,5})?(?P<path>/[\w./~-]*)?")
_LONGEST_URL = 3000

_TEMPLATE = """\
_metadata:
  major_version: 1
display_information:
  name: Tintri
  description: Recommendations of the Tintri Global Center, decided in Slack
  background_color: "#1f2937"
features:
  app_home:
    home_tab_enabled: true
    messages_tab_enabled: true
    messages_tab_read_only_enabled: true
  bot_user:
    display_name: tintri
    always_online: true
  slash_commands:
    - command: /tintri
      description: Recommendations of the Tintri Global Center
      usage_hint: "reco | history | status | who | pause | resume | rules | audit | doctor | help"
      should_escape: false
{command_url}\
oauth_config:
  scopes:
    bot:
      - commands
      - chat:write
      - channels:history
      - groups:history
      - users:read
      - usergroups:read
settings:
  event_subscriptions:
{url}\
    bot_events:
      - app_home_opened
  interactivity:
    is_enabled: true
{url}\
  org_deploy_enabled: false
  socket_mode_enabled: {socket_mode}
  token_rotation_enabled: false
"""


def manifest(*, request_url: str | None) -> str:
    """The manifest in YAML: for Socket Mode, or for HTTP at `request_url`.

    Raises ValueError for a URL that Slack would not take.
    """
    if request_url is None:
        return _TEMPLATE.format(command_url="", url="", socket_mode="true")
    url = json.dumps(_events_url(request_url))  # a JSON string is a YAML string
    return _TEMPLATE.format(
        command_url=f"      url: {url}\n",
        url=f"    request_url: {url}\n",
        socket_mode="false",
    )


def _events_url(request_url: str) -> str:
    match = _HTTPS_URL.fullmatch(request_url)
    if match is None:
        raise ValueError(
            "The request URL is not one that Slack can call: give https://host, or https://host/path where the bot"
            " is behind a proxy."
        )
    url = request_url if match["path"] not in {None, "/"} else request_url.rstrip("/") + _EVENTS_PATH
    if len(url) > _LONGEST_URL:
        raise ValueError(f"The request URL is too long for Slack: give one of at most {_LONGEST_URL} characters.")
    return url

"""The settings: what is wrong with them, and what can be checked all the same."""

from pathlib import Path

from bot.doctor.checks import error, named, ok, warning
from bot.rendering.views import Finding
from bot.settings import Settings, SettingsError, environment, read_settings

_NAME = "settings"


def check_settings(dotenv: Path) -> tuple[Settings | None, list[Finding]]:
    """The settings as far as they can be used: also where only those are missing that `run` alone needs."""
    try:
        environ = environment(dotenv)
    except SettingsError as failure:
        return None, _mistakes(failure)
    try:
        settings = read_settings(environ, need_slack=True)
    except SettingsError as failure:
        try:
            return read_settings(environ, need_slack=False), _mistakes(failure)
        except SettingsError:
            return None, _mistakes(failure)
    doubts = [named(_NAME, warning(sentence)) for sentence in settings.warnings]
    return settings, doubts or [named(_NAME, ok("All that are needed are there and understood."))]


def _mistakes(failure: SettingsError) -> list[Finding]:
    return [named(_NAME, error(sentence)) for sentence in failure.mistakes]

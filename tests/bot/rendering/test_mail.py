"""A mail says in HTML what it says as text, word for word, and nothing of what it says is markup."""

from html.parser import HTMLParser
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.rendering.mail import SUBJECT, Mail, render_mail, render_report
from bot.rendering.plain import WIDTH, plain_report
from bot.rendering.views import Action, CardView, PoolAnswer, Report, Standing
from tests.bot.rendering.checks import UNSEEN
from tests.bot.rendering.samples import AT, act, view
from tests.bot.rendering.strategies import REPORTS, TEXTS, USER_IDS, VIEWS

ZONE = ZoneInfo("America/Los_Angeles")
OURS = {"html", "head", "meta", "body", "h2", "h3", "p", "table", "tr", "td", "br", "a"}

OFFERED = """\
Production: 4 VMs to move, vmstore01 is likely to fill up within 7 days (83 %)
  ! 1 VM would lose replication: erp-db-01
  Issues
    vmstore01  space 94 % used, growing 412 GiB a week
               above 80 % load for 12.5 % of the week
    vmstore02  flash hits 91.2 %, goal 95 %
  Moves: 2 waves, 4 VMs
    1  erp-db-01  vmstore01 → vmstore02  space, load
    1  erp-db-02  vmstore01 → vmstore03  space
    2  erp-db-03  vmstore01 → vmstore02  space
    2  erp-db-04  vmstore01 → vmstore03  space, load
  Expected
    vmstore01  2,210 GiB freed, risk of filling up ▇▇▇▇▁ 83 % → ▇▁▁▁▁ 2 %
               load ▇▁▁▁▁ 12.5 % → ▇▁▁▁▁ 3.1 % of the week
    vmstore02  flash hits ▇▇▇▇▁ 91.2 % → ▇▇▇▇▁ 97.4 %
  Made 2026-03-10 06:00, expires 2026-03-10 18:00

https://tgc.example.com
Decisions are made on its card in Slack. Times are those of America/Los_Angeles.
"""


class Page(HTMLParser):
    """What a reader sees of HTML, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.attributes: set[str] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def mail(shown: CardView) -> Mail:
    return render_mail(shown, zone=ZONE, people={"U0ALICE": "alice"})


def test_an_offer_is_told_as_the_command_line_tells_it() -> None:
    offered = mail(view("available", Standing.OFFERED))
    assert offered.text == OFFERED
    assert offered.subject == OFFERED.partition("\n")[0]


def test_the_end_names_people_and_what_failed() -> None:
    failed = mail(view("failed", Standing.FAILED, act=act(Action.ACCEPT)))
    assert "accepted by alice" in " ".join(failed.text.split())
    assert "Storage migration failed (hypervisor)" in failed.html
    assert "What to do: " in failed.html


def test_a_name_is_no_markup_and_links_nowhere() -> None:
    hostile = mail(view("available", Standing.OFFERED, pool_name='<img src=x onerror="alert(1)"> & <a href="//e">'))
    page = Page(hostile.html)
    assert page.tags == OURS
    assert page.links == ["https://tgc.example.com"]
    assert "<img" in hostile.subject
    assert '"alert(1)">' in " ".join(page.words)


def test_a_report_is_what_the_command_line_prints() -> None:
    pools = (
        PoolAnswer(pool_name="Lab", problem="The TGC answered 500."),
        PoolAnswer(pool_name="Production", view=view("available", Standing.OFFERED)),
    )
    report = Report(tgc_name="tgc.example.com", read_at=AT, pools=pools, unread={"berlin": "It does not answer."})
    told = render_report(report, zone=ZONE)
    assert told.text == plain_report(report, zone=ZONE)
    assert "The pools of berlin are missing: It does not answer." in told.html
    assert told.subject == "tgc.example.com: 1 of 2 pools has a recommendation, 1 could not be read"


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(REPORTS)
@example(Report(tgc_name="a\N{NO-BREAK SPACE}b", read_at=AT, pools=()))
def test_text_and_html_of_a_report_say_the_same_whatever_is_recommended(report: Report) -> None:
    told = render_report(report, zone=ZONE)
    page = Page(told.html)
    assert page.words == told.text.split()
    assert page.tags <= OURS
    assert page.links == []
    assert not UNSEEN.search(told.html)
    assert told.subject.isprintable()
    assert len(told.subject) <= SUBJECT


def test_all_moves_of_a_large_plan_are_there() -> None:
    large = mail(view("large", Standing.OFFERED))
    assert large.html.count(" → vmstore0") == 240
    assert max(map(len, large.text.splitlines())) <= WIDTH


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(VIEWS, st.dictionaries(USER_IDS, TEXTS))
def test_text_and_html_say_the_same_whatever_is_recommended(shown: CardView, people: dict[str, str]) -> None:
    rendered = render_mail(shown, zone=ZONE, people=people)
    page = Page(rendered.html)
    assert page.words == rendered.text.split()
    assert page.tags <= OURS
    assert page.attributes <= {"lang", "charset", "name", "content", "style", "href"}
    assert page.links in ([], ["https://tgc.example.com"])
    assert not UNSEEN.search(rendered.text)
    assert not UNSEEN.search(rendered.html)
    assert rendered.subject
    assert rendered.subject.isprintable()
    assert len(rendered.subject) <= SUBJECT

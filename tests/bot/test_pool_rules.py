"""Which rule holds for a pool, and when two people must accept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pool_names import PoolName
from bot.pool_rules import (
    Approvers,
    PoolRule,
    PoolRules,
    SecondApprover,
    TicketRule,
    gib_moved,
    parse_ticket_rule,
)
from tests.bot.rendering.samples import recommendation, unparted
from tgc.models import Recommendation, SpaceOutcome

SAMPLE = recommendation("available")
"""4 moves off vmstore01, 2,210.4 GiB; one VM would lose replication."""


def rule(name: str) -> PoolRule:
    return PoolRule(name=name, named_in=name, approvers=Approvers())


def at(pool: str, tgc: str = "default") -> PoolName:
    return PoolName(tgc, pool)


RULES = PoolRules(
    default=rule("default"),
    by_pool=(("Prod*", rule("first")), ("*", rule("second")), ("Prod[1]", rule("bracket")), ("Product", rule("name"))),
)


@pytest.mark.parametrize(
    ("pool_name", "expected"),
    [
        ("Product", "name"),
        ("Production", "first"),
        ("production", "second"),
        ("Prod[1]", "bracket"),
        ("Prod1", "first"),
        ("", "second"),
    ],
)
def test_a_pools_own_name_comes_first_then_the_first_pattern(pool_name: str, expected: str) -> None:
    assert RULES.of(at(pool_name)).name == expected


def test_brackets_are_those_of_a_name() -> None:
    rules = PoolRules(default=rule("default"), by_pool=(("Lab [2]*", rule("lab")),))
    assert rules.of(at("Lab [2] old")).name == "lab"
    assert rules.of(at("Lab 2 old")).name == "default"


def test_without_a_section_the_default_holds() -> None:
    rules = PoolRules(default=rule("default"), by_pool=(("Lab", rule("lab")),))
    assert rules.of(at("Production")).name == "default"
    assert [one.name for one in rules.all] == ["default", "lab"]


AT_BERLIN = PoolRules(
    default=rule("default"),
    by_pool=(
        ("Prod*", rule("anywhere")),
        ("berlin/Prod*", rule("berlin glob")),
        ("Production", rule("exact anywhere")),
        ("berlin/Production", rule("berlin exact")),
        ("berlin/*", rule("rest of berlin")),
        ("nowhere/Lab", rule("no TGC")),
    ),
    tgc_keys=frozenset({"default", "berlin", "oslo"}),
)


@pytest.mark.parametrize(
    ("tgc", "pool_name", "expected"),
    [
        ("berlin", "berlin/Production", "berlin exact"),
        ("oslo", "oslo/Production", "exact anywhere"),
        ("berlin", "berlin/Prod 2", "anywhere"),  # the first glob of the file
        ("berlin", "berlin/Lab", "rest of berlin"),
        ("oslo", "oslo/Lab", "default"),
        ("oslo", "oslo/berlin/Production", "default"),  # another TGC's name is no part of a pool's
        ("berlin", "Production", "berlin exact"),  # kept while there was one TGC
        ("default", "nowhere/Lab", "no TGC"),  # no TGC is called so, so it is a pool's whole name
    ],
)
def test_an_entry_with_a_tgcs_name_counts_there_only(tgc: str, pool_name: str, expected: str) -> None:
    assert AT_BERLIN.of(at(pool_name, tgc)).name == expected


def test_rules_that_no_pool_is_subject_to_are_idle() -> None:
    assert RULES.idle([at("Production"), at("Lab")]) == ["bracket", "name"]
    assert RULES.idle([]) == ["first", "second", "bracket", "name"]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (SecondApprover(), None),
        (SecondApprover(always=True), "this pool always asks for two"),
        (SecondApprover(protection_loss=True), "VMs would lose replication"),
        (SecondApprover(moves=4), "4 VMs move, and this pool asks for two from 4 on"),
        (SecondApprover(moves=5), None),
        (SecondApprover(gib=2210), "2,210 GiB move, and this pool asks for two from 2,210 GiB on"),
        (SecondApprover(gib=2211), None),
        (SecondApprover(moves=5, gib=1), "2,210 GiB move, and this pool asks for two from 1 GiB on"),
    ],
)
def test_when_two_people_must_accept(second: SecondApprover, reason: str | None) -> None:
    assert second.reason(SAMPLE) == (reason and unparted(reason))


@pytest.mark.parametrize(
    ("second", "terms"),
    [
        (SecondApprover(), ()),
        (SecondApprover(always=True, moves=4), ("everything",)),
        (
            SecondApprover(protection_loss=True, moves=4, gib=5000),
            (
                "what would take replication from VMs",
                "what moves 4 VMs or more",
                unparted("what moves 5,000 GiB or more, or nobody knows how much"),
            ),
        ),
    ],
)
def test_what_two_people_must_accept_is_said_in_words(second: SecondApprover, terms: tuple[str, ...]) -> None:
    assert second.terms == terms
    assert bool(terms) == second.asks


def changed(**outcome: object) -> Recommendation:
    """The sample with another outcome of its first VMstore."""
    first, *others = SAMPLE.expected_outcomes
    outcomes = (msgspec.structs.replace(first, **outcome), *others)
    return msgspec.structs.replace(SAMPLE, expected_outcomes=outcomes)


def test_where_nothing_is_said_of_replication_one_is_enough() -> None:
    assert SecondApprover(protection_loss=True).reason(changed(protection_info=None)) is None


def test_where_it_is_not_known_how_much_moves_two_must_accept() -> None:
    reason = "the TGC does not say how many GiB move"
    assert SecondApprover(gib=1e9).reason(changed(space_info=None)) == reason
    assert SecondApprover(gib=1e9).reason(changed(vm_store_id="another one")) == reason
    assert SecondApprover(gib=1e9).reason(Recommendation()) == reason


def test_a_vmstore_that_gives_and_takes_hides_what_it_gives() -> None:
    [first, *others] = SAMPLE.action_groups
    move = first.actions[0]
    back = msgspec.structs.replace(
        move,
        source_datastore_tintri_uuid=move.destination_datastore_tintri_uuid,
        destination_datastore_tintri_uuid=move.source_datastore_tintri_uuid,
    )
    group = msgspec.structs.replace(first, actions=(*first.actions, back))
    assert gib_moved(msgspec.structs.replace(SAMPLE, action_groups=(group, *others))) is None


@given(st.floats(allow_nan=True, allow_infinity=True) | st.none())
def test_the_sign_of_a_change_does_not_matter(change: float | None) -> None:
    moved = gib_moved(changed(space_info=SpaceOutcome(space_changed_physical_gib=change)))
    assert moved is None or moved == abs(change or 0.0)


class TestTickets:
    @pytest.mark.parametrize("ticket", [None, "", "\n", "\t \t"])
    def test_one_must_be_given(self, ticket: str | None) -> None:
        assert TicketRule().refusal(ticket) == "This pool asks for a ticket with each accept: give its number."

    def test_any_will_do_where_no_pattern_says_which(self) -> None:
        assert TicketRule().refusal("4711") is None

    @pytest.mark.parametrize(("ticket", "fits"), [("CHG0042", True), ("xCHG0042", False), ("CHG0042\n", False)])
    def test_a_pattern_is_for_the_whole_of_it(self, ticket: str, fits: bool) -> None:
        assert (parse_ticket_rule("CHG[0-9]{4}").refusal(ticket) is None) is fits

    def test_it_is_bounded_before_it_is_matched(self) -> None:
        assert parse_ticket_rule(".*").refusal("x" * 64) is None
        assert parse_ticket_rule(".*").refusal("x" * 65) == "A ticket has 64 characters at most."

    @pytest.mark.parametrize(
        "pattern", ["(?:CHG|INC|RITM)-?[0-9]{5,8}", r"[)]+\)+", r"[\]*+?|(){1,2}]{3}", "(ab)?c", r"[A-Z]+-\d+"]
    )
    def test_a_pattern_that_ends_soon_is_taken(self, pattern: str) -> None:
        assert parse_ticket_rule(pattern) == TicketRule(pattern=pattern)

    @pytest.mark.parametrize(
        "pattern", ["(a+)+", "(a|a)*", "(a?){64}", ".*" * 6, "(?:a|a)" * 6, "a?" * 6, "(?=a)b", "(?i)a", "a{1,}" * 6]
    )
    def test_one_that_might_take_hours_is_not(self, pattern: str) -> None:
        with pytest.raises(ValueError, match="can take hours to match"):
            parse_ticket_rule(pattern)

    @pytest.mark.parametrize("pattern", ["", "x" * 201, "(", "[a", "a{99999999999}"])
    def test_what_is_no_pattern_is_told(self, pattern: str) -> None:
        with pytest.raises(ValueError, match='give "required" or a regular expression'):
            parse_ticket_rule(pattern)

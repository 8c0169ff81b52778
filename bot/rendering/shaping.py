"""The forms that change a recommendation before it is accepted, and what the modal shows after them."""

from bot.rendering import blocks, ids, limits, words
from bot.rendering.content import Content, content, name
from bot.rendering.details import render_details
from bot.rendering.forms import form, render_message, render_said
from bot.rendering.phrase import Phrase, Strong
from bot.rendering.shapes import Chosen, VmStoreIssues, issues_found, movable_vms, vm_stores_named
from bot.rendering.views import Block, CardView, Message, View
from tgc.models import AffinityRuleType

TITLE = "Change it first"
VM_STORES_TO_CHOOSE = 40
"""A pool has fewer; a view holds 100 blocks (slack: Modal views)."""
RULES_AT_ONCE = 20
"""Each VM takes a request of its own."""
VMS_TO_CHOOSE = 300
"""So many stay below a view's 250 kB (slack: views.open), also in JSON that writes each character as six."""


def render_leave_out_form(view: CardView) -> View:
    story = content(view)
    vms = movable_vms(view.recommendation, view.vm_names)
    if not vms:
        return render_said(TITLE, "The TGC gives no ids for these VMs, so they cannot be left out from here.")
    drawn = [
        blocks.paragraph((Strong(name(view.pool_name, "Unnamed pool")),)),
        *_what_cannot_be_chosen(vms, story),
        blocks.multi_select_input(
            "VMs to leave out this time",
            ids.LEAVE_OUT_VMS,
            [blocks.option(_way(vm, story), vm.option) for vm in vms[:VMS_TO_CHOOSE]],
            "VMs that are left out already stay out. The next analysis may plan all of them again.",
        ),
        blocks.section("The TGC then plans without them, and the outcomes it expects are shown here again."),
    ]
    return form(view, "Leave VMs out", drawn, callback_id=ids.LEAVE_OUT_VIEW, submit="Leave out")


def render_issues_form(view: CardView) -> View:
    found = issues_found(view.recommendation)[:VM_STORES_TO_CHOOSE]
    fields = [field for one in found if (field := _issues_field(one))]
    if not fields:
        return render_said(TITLE, "The TGC offers no issue here that could be chosen.")
    unseen = len(view.recommendation.issues) - len(found)
    told: list[Phrase] = [(Strong(name(view.pool_name, "Unnamed pool")),)]
    if unseen > 0:
        told.append((f"{words.counted(unseen, 'more VMstore', 'more VMstores')} cannot be chosen here.",))
    told += [(disabled,) for one in found if (disabled := _disabled(one))]
    drawn = [
        *map(blocks.paragraph, told),
        *fields,
        blocks.section(
            "The TGC then withdraws this recommendation and builds another one that solves what is ticked, and no "
            "more. That takes some minutes. There is no way back to this one."
        ),
    ]
    return form(view, "Choose issues", drawn, callback_id=ids.ISSUES_VIEW, submit="Build another")


def render_rule_form(view: CardView) -> View:
    story = content(view)
    vms = movable_vms(view.recommendation, view.vm_names)
    vm_stores = vm_stores_named(view.recommendation)
    if not vms:
        return render_said(TITLE, "The TGC gives no ids for these VMs, so no rule can be set for them from here.")
    where = blocks.multi_select_input(
        "Which VMstores",
        ids.RULE_VM_STORES,
        [blocks.option(one.name, one.option) for one in vm_stores[: limits.OPTIONS]],
        "For “Not to these VMstores” only. The VMstores that this recommendation names can be chosen.",
        optional=True,
    )
    drawn = [
        blocks.paragraph((Strong(name(view.pool_name, "Unnamed pool")),)),
        *_what_cannot_be_chosen(vms, story),
        blocks.multi_select_input(
            "VMs",
            ids.RULE_VMS,
            [blocks.option(_way(vm, story), vm.option) for vm in vms[:VMS_TO_CHOOSE]],
            f"At most {RULES_AT_ONCE} at once.",
            at_most=RULES_AT_ONCE,
        ),
        blocks.radio_input(
            "Rule",
            ids.RULE_TYPE,
            [
                blocks.option("Never move them", AffinityRuleType.NEVER),
                *([blocks.option("Not to these VMstores", AffinityRuleType.EXCLUDE_DATASTORES)] if vm_stores else []),
            ],
        ),
        *([where] if vm_stores else []),
        blocks.section(
            "The rule takes the place of any other that such a VM has. It holds for this and all later "
            "recommendations, until somebody clears it: /tintri rules lists what was set here."
        ),
    ]
    return form(view, "Never move", drawn, callback_id=ids.RULE_VIEW, submit="Set the rule")


def _issues_field(one: VmStoreIssues) -> Block | None:
    options = {
        issue: blocks.option(words.issue_type(issue.issue_type), issue.issue_type, issue.said)
        for issue in one.issues
        if not issue.is_disabled
    }
    if not options:
        return None
    ticked = [option for issue, option in options.items() if issue.is_selected]
    return blocks.checkboxes_input(
        one.vm_store.name, f"{ids.ISSUES_OF}:{one.vm_store.option}", list(options.values()), ticked
    )


def _disabled(one: VmStoreIssues) -> str | None:
    """The TGC gives no reason."""
    types = [words.issue_type(issue.issue_type) for issue in one.issues if issue.is_disabled]
    return f"{one.vm_store.name}: {', '.join(types)} cannot be chosen, the TGC has disabled it." if types else None


def render_shaped(message: Message, view: CardView | None) -> View:
    """What came of a form, with the recommendation as it is now."""
    return render_details(view, first=message.blocks) if view else render_message(TITLE, message)


def _what_cannot_be_chosen(vms: tuple[Chosen, ...], story: Content) -> list[Block]:
    nameless = len({move.id for move in story.moves}) - len(vms)
    said: list[Phrase] = []
    if len(vms) > VMS_TO_CHOOSE:
        said.append((f"Only the first {VMS_TO_CHOOSE:,} of {len(vms):,} VMs can be chosen here.",))
    if nameless > 0:
        said.append((f"The TGC gives no id for {words.counted(nameless, 'VM', 'VMs')}, so not every VM is here.",))
    return [blocks.paragraph(sentence) for sentence in said]


def _way(vm: Chosen, story: Content) -> str:
    """`erp-db-01 · vmstore01 → vmstore02`."""
    move = next((move for move in story.moves if move.id == vm.id), None)
    return f"{vm.name} · {move.source} → {move.destination}" if move else vm.name

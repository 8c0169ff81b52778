"""Approval rules as without a configuration file."""

from bot.pool_rules import Approvers, PoolRule, PoolRules


def rules(approvers: Approvers) -> PoolRules:
    return PoolRules(default=PoolRule(name="RECO_APPROVERS", named_in="RECO_APPROVERS", approvers=approvers))

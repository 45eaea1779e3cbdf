"""Reads client quotas from a cluster and carries out a quota plan, in as few requests as Kafka takes.

kafka-python has the protocol's messages and no calls for them.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from .admin import AdminError, refused
from .quota_plan import ENTITY_TYPES, Entity, Limits, QuotaPlan, entity

with suppress(ImportError):  # admin.py keeps it for the sentence that the module fails with.
    from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest


def read_quotas(admin: Any) -> dict[Entity, Limits]:
    """The limits of all entities in the cluster.

    Raises:
        AdminError: Kafka does not tell them.
    """
    request = DescribeClientQuotasRequest(components=[], strict=False)
    answer = admin._manager.run(admin._manager.send, request)
    if sentences := refused([{**answer.to_dict(), "name": "kafka_quotas"}]):
        raise AdminError(f"Kafka did not tell the quotas: {sentences[0]}")
    known = set(ENTITY_TYPES.values())
    quotas = {
        entity({part.entity_type: part.entity_name for part in entry.entity}): {
            value.key: value.value for value in entry.values
        }
        for entry in answer.entries or []
    }
    return {each: limits for each, limits in quotas.items() if limits and {kind for kind, _ in each.parts} <= known}


def carry_out(admin: Any, plan: QuotaPlan, validate_only: bool) -> list[str]:
    """Do what the plan says, or only let Kafka judge it; what Kafka refuses, in sentences. All others are done."""
    refusals: list[str] = []
    for batch in plan.requests():
        request = AlterClientQuotasRequest(
            entries=[
                (list(each.parts), [(key, value or 0.0, value is None) for key, value in changes.items()])
                for each, changes in batch.items()
            ],
            validate_only=validate_only,
        )
        answer = admin._manager.run(admin._send_request_to_controller, request)
        refusals += refused(
            {
                "name": entity({part.entity_type: part.entity_name for part in entry.entity}),
                "error_code": entry.error_code,
                "error_message": entry.error_message,
            }
            for entry in answer.entries
        )
    return refusals

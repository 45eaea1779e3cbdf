"""Says of each record that is in the log twice whose fault that is, as far as the log lets itself be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kafka_load.cluster.log_batches import LogUnreadableError, read_identities
from kafka_load.engines import ClientSettings
from kafka_load.ledger import Judgement
from kafka_load.ledger.copies import Doubled, Identity, attribute

Read = Callable[[ClientSettings, int, Sequence[Doubled]], list[list[Identity]]]


def name_writers(judgement: Judgement, client: ClientSettings, run: int, read: Read = read_identities) -> list[str]:
    """Fill in each group's `duplicated_by_broker` and `duplicated_by_client`; returns what a reader should know.

    Under gevent call it in a greenlet: it waits for another process.
    """
    records = list({record: None for some in judgement.doubled.values() for record in some})
    if not records:
        return []
    try:
        identities = dict(zip(records, read(client, run, records), strict=True))
    except LogUnreadableError as error:
        return [f"whose fault the records are that are in the log twice is not known: {error}"]
    sentences: dict[str, None] = {}
    for group in judgement.groups:
        writers = attribute((record, identities[record]) for record in judgement.doubled.get(group.group, ()))
        group.duplicated_by_broker, group.duplicated_by_client = writers.broker, writers.client
        if writers.broker:
            sentences[
                f"{writers.broker:,} records were written twice under one producer id, epoch and sequence: "
                "a broker broke its promise (KIP-98)"
            ] = None
        if writers.client:
            sentences[
                f"{writers.client:,} records were written again by the client under another identity: "
                "no broker can tell (librdkafka issue 4953); --max-in-flight 1 keeps it from happening"
            ] = None
        if unknown := group.duplicated_in_log - writers.broker - writers.client:
            sentences[f"who wrote {unknown:,} records twice that {group.group} read is not known"] = None
    return list(sentences)

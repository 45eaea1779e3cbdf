"""librdkafka by the thousand: the parts of its C interface that confluent-kafka offers only one record at a time.

confluent-kafka makes an object of each record and calls a function for each delivery report; on two cores that is more
work than all that librdkafka does. The same library, the one inside confluent-kafka's wheel, takes and reports records
by arrays of C structures, and numpy reads and writes those. So nothing here is done record by record.
"""

from kafka_load.librdkafka.library import LibraryError
from kafka_load.librdkafka.message import MESSAGE, Messages
from kafka_load.librdkafka.producer import BulkProducer
from kafka_load.librdkafka.self_check import check_layout

__all__ = ["MESSAGE", "BulkProducer", "LibraryError", "Messages", "check_layout"]

"""What is asked of the cluster beside the load: is it ready, what do its topics and groups look like."""

from kafka_load.cluster.cluster_view import ClusterView, ClusterWatch, PartitionView
from kafka_load.cluster.group_states import group_states
from kafka_load.cluster.queries import check_cluster, committed_offsets, end_offsets, prepare_share_group, readable_ends
from kafka_load.cluster.samples import sample_records

__all__ = [
    "ClusterView",
    "ClusterWatch",
    "PartitionView",
    "check_cluster",
    "committed_offsets",
    "end_offsets",
    "group_states",
    "prepare_share_group",
    "readable_ends",
    "sample_records",
]

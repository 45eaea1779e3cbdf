"""What Crucible's Ansible modules decide, apart from Ansible: pure functions on plain data, and one edge to Kafka."""

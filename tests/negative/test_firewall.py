"""The declared rules are exact, and nobody else's rules are touched."""

from live import LAB, SITE, play
from testinfra.host import Host

FORMER_CLIENT = "10.98.0.0/24"


def test_a_rule_no_longer_declared_goes_and_a_foreign_one_stays_and_is_named(hosts: dict[str, Host]) -> None:
    host = hosts["kafka1"]
    host.check_output("ufw allow from 10.98.1.9 to any port 12345 proto tcp")
    with_client = play(SITE, firewall_client_cidrs=[f"10.97.{LAB}.1/32", FORMER_CLIENT])
    assert with_client.ok, with_client.why
    assert FORMER_CLIENT in host.check_output("ufw status")
    run = play(SITE)
    assert run.ok, run.why
    status = host.check_output("ufw status")
    assert FORMER_CLIENT not in status
    assert "12345/tcp" in status
    assert "12345" in run.sentences
    host.check_output("ufw delete allow from 10.98.1.9 to any port 12345 proto tcp")

"""Nothing is unpacked, let alone run, that is not the declared archive."""

from pathlib import Path

from live import ROOT, SITE, play, starts
from testinfra.host import Host


def test_a_tampered_archive_is_refused_before_it_is_unpacked(hosts: dict[str, Host], tmp_path: Path) -> None:
    release = hosts["kafka1"].file("/opt/kafka").linked_to.rpartition("-")[2]
    later = release.rpartition(".")[0] + ".99"  # One that differs by a patch: others may be refused for what they are.
    (archive,) = (ROOT / ".cache/kafka").glob(f"kafka_*-{release}.tgz")
    checksum = "sha512:" + Path(f"{archive}.sha512").read_text(encoding="utf-8").split()[0]
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    tampered = tmp_path / archive.name
    tampered.write_bytes(content)
    before = starts()
    run = play(SITE, kafka_version=later, kafka_archive_url=str(tampered), kafka_archive_checksum=checksum)
    assert not run.ok
    assert run.sentences.count("The archive is not the one that was declared") >= len(hosts)
    for host in hosts.values():
        assert host.check_output(f"find /opt -maxdepth 1 -name '*{later}*'") == ""
        assert host.file("/opt/kafka").linked_to == f"/opt/kafka-{release}"
    assert starts() == before

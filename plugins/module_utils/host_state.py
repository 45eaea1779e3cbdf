"""One host of the cluster as plain data: what the inventory declares for it, and what was found on it."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

BROKER, CONTROLLER = "broker", "controller"


@dataclass(frozen=True)
class DataDir:
    """One of a host's data directories as it was found.

    `path` is as `normalized` spells it, `mount` is the mount point that the inventory says it lies on ("" for none),
    `blank` means that nothing would be lost in it, `meta` is its meta.properties, empty when there is none.
    `partitions` are those that lie in it, such as orders-0; only a directory that is no longer declared has any here.
    """

    path: str
    mount: str
    mounted: bool
    blank: bool
    meta: Mapping[str, str]
    partitions: Sequence[str] = ()


@dataclass(frozen=True)
class Process:
    """What a running process was started with: its properties, digests of its unit and of its logging, its release.

    The release is exact, such as 4.3.1; "" where the process does not tell.
    """

    properties: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    release: str = ""


@dataclass(frozen=True)
class Host:
    """One host of the inventory.

    Declared: `endpoint` is its controller's `host:port`; `mode` is its own on the way from ZooKeeper to KRaft,
    "" where it is the cluster's; `properties` and `digests` are what its process is to be
    started with, both empty for a host outside the run; `in_run` says that this run may change the host.

    Found: `data_dirs` are the declared ones, in their order, none if the host did not answer; `former_dirs` are those
    that server.properties names and the inventory does not. `recorded_id` is the cluster id noted outside of them,
    `bootstrapped` says that its cluster has served before, `written` is server.properties as the last run wrote it,
    `process` is None if it does not run, `changed_secrets` are the keys whose secret value the process does not have,
    `unacceptable_logins` those whose change would let nodes refuse each other until the last has been restarted.
    `other_service` says that its kafka.service runs, and that this role did not write it.
    """

    name: str
    node_id: int
    roles: Collection[str]
    endpoint: str
    mode: str = ""
    in_run: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    data_dirs: Sequence[DataDir] = ()
    former_dirs: Sequence[DataDir] = ()
    recorded_id: str = ""
    bootstrapped: bool = False
    written: Mapping[str, str] = field(default_factory=dict)
    process: Process | None = None
    changed_secrets: Sequence[str] = ()
    unacceptable_logins: Sequence[str] = ()
    other_service: bool = False

    @property
    def mounted(self) -> bool:
        """Whether each declared directory is on the disk that it should be on."""
        return all(found.mounted or not found.mount for found in self.data_dirs)

    @property
    def metadata_path(self) -> str:
        """The directory that is to hold the metadata log."""
        return metadata_path(self.properties) or self.data_dirs[0].path

    @property
    def former_metadata_path(self) -> str:
        """The directory that holds the metadata log now, as far as the process or server.properties tell; else ""."""
        return metadata_path(self.process.properties if self.process else self.written)

    def directory(self, path: str) -> DataDir | None:
        """The directory with that path, if it was looked at."""
        return next((found for found in (*self.data_dirs, *self.former_dirs) if found.path == path), None)

    @property
    def metadata_dir(self) -> DataDir:
        """The directory that is to hold the metadata log, as it was found."""
        return self.directory(self.metadata_path) or self.data_dirs[0]

    @property
    def lost_metadata(self) -> bool:
        """Whether there is no metadata log (any more), so that the host would have to be formatted."""
        return not self.metadata_dir.meta

    @property
    def unformatted_dirs(self) -> list[str]:
        """The paths of the declared directories without meta.properties."""
        return [found.path for found in self.data_dirs if not found.meta]


def metadata_path(properties: Mapping[str, str]) -> str:
    """Return the directory of the metadata log as Kafka reads it from its properties, "" if they name none."""
    return normalized(properties.get("metadata.log.dir", "")) or next(iter(log_dirs(properties)), "")


def log_dirs(properties: Mapping[str, str]) -> list[str]:
    """Return the data directories that properties name, each as `normalized` spells it."""
    return [path for path in map(normalized, properties.get("log.dirs", "").split(",")) if path]


def normalized(path: str) -> str:
    """Return the one spelling of a path, by which directories are compared: /data for /data/ and //data/./ too."""
    stripped = path.strip()
    return posixpath.normpath("/" + stripped.lstrip("/")) if stripped.startswith("/") else stripped

"""`--client-config`: Java's names and librdkafka's become librdkafka's properties, or one sentence."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest
from kafka_load.config import client_config, jaas, properties_file
from kafka_load.config.client_config import ClientConfigError, read, translate
from kafka_load.config.options import OPTIONS, limits, pair
from kafka_load.config.plan import Plan, PlanError, make_plan
from kafka_load.config.profiles import load
from kafka_load.librdkafka.property_check import UNKNOWN, why_refused
from kafka_load.output import run_folder

SECRET = "pa55-w0rd"  # noqa: S105 - what the tests look for
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
BEARER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
HANDLER = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler"
PEM = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"


def written(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "client.properties"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"a=b", {"a": "b"}),
        (b"  a : b  ", {"a": "b  "}),
        (b"a b c", {"a": "b c"}),
        (b"a", {"a": ""}),
        (b"# c\n! d\n\na = = b", {"a": "= b"}),
        (b"a=b\\\n   c\nd=e", {"a": "bc", "d": "e"}),
        (b"a=b\\\\\nd=e", {"a": "b\\", "d": "e"}),
        (b"a\\=b=c\\u00fcd\\te\\q", {"a=b": "c\u00fcd\teq"}),
        (b"a=b\r\nc=d\r\n", {"a": "b", "c": "d"}),
        (b"a=b\\\n# no comment", {"a": "b# no comment"}),
        (b"# caf\xc3\xa9\na=b\\", {"a": "b"}),
    ],
)
def test_a_file_is_read_as_java_reads_it(content: bytes, found: dict[str, str]) -> None:
    assert properties_file.parse(content, "file") == found


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a=1\na=2", "a is set twice in file: leave out one of the two lines"),
        ("x=1\na=ü".encode(), r"line 2 of file has a character that is not ASCII: write it as \uXXXX"),
        (b"=b", "line 1 of file is not KEY=VALUE"),
    ],
)
def test_a_file_that_could_be_meant_otherwise_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(properties_file.PropertiesError) as refusal:
        properties_file.parse(content, "file")
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        (f'{PLAIN} required a="shop" b="a b";', "PlainLoginModule", {"a": "shop", "b": "a b"}),
        (f"{PLAIN} Required\n a=shop\n b='s\"t' ;", "PlainLoginModule", {"a": "shop", "b": 's"t'}),
        (f'{SCRAM} required password="a\\"b\\\\c\\101;=";', "ScramLoginModule", {"password": 'a"b\\cA;='}),
        (f"{BEARER} required ;", "OAuthBearerLoginModule", {}),
        (f'{PLAIN} required /* one */ username="a" // two\n;', "PlainLoginModule", {"username": "a"}),
    ],
)
def test_a_login_module_is_read_as_kafka_reads_it(text: str, name: str, options: dict[str, str]) -> None:
    assert jaas.parse(text) == jaas.LoginModule(name, options)


@pytest.mark.parametrize(
    "text",
    [
        f'{PLAIN} required password="{SECRET}"',
        f'{PLAIN} password="{SECRET}";',
        f'{PLAIN} required password="{SECRET};',
        f"{PLAIN} required password={SECRET}!;",
        f'{PLAIN} required password "{SECRET}";',
        f'{PLAIN} required password="{SECRET}"; {PLAIN} required;',
        SECRET,
        "",
    ],
)
def test_what_is_no_login_module_is_refused_without_its_words(text: str) -> None:
    with pytest.raises(jaas.JaasError) as refusal:
        jaas.parse(text)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config": f'{SCRAM} required username="shop" password="{SECRET}";',
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": "/etc/ca.pem",
            },
            {
                "security.protocol": "SASL_SSL",
                "sasl.mechanisms": "SCRAM-SHA-512",
                "sasl.username": "shop",
                "sasl.password": SECRET,
                "ssl.ca.location": "/etc/ca.pem",
            },
        ),
        (
            {
                "security.protocol": "SSL",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": "/etc/shop.pem",
                "ssl.key.password": SECRET,
                "ssl.endpoint.identification.algorithm": "",
            },
            {
                "security.protocol": "SSL",
                "ssl.certificate.location": "/etc/shop.pem",
                "ssl.key.location": "/etc/shop.pem",
                "ssl.key.password": SECRET,
                "ssl.endpoint.identification.algorithm": "none",
            },
        ),
        (
            {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.key": "-----BEGIN PRIVATE KEY----- TUlJ -----END PRIVATE KEY-----",
                "ssl.keystore.certificate.chain": PEM.replace("PRIVATE KEY", "CERTIFICATE"),
            },
            {"ssl.key.pem": PEM, "ssl.certificate.pem": PEM.replace("PRIVATE KEY", "CERTIFICATE")},
        ),
        (
            {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": "shop.p12", "ssl.keystore.password": SECRET},
            {"ssl.keystore.location": "shop.p12", "ssl.keystore.password": SECRET},
        ),
        (
            {
                "sasl.mechanism": "OAUTHBEARER",
                "sasl.login.callback.handler.class": HANDLER,
                "sasl.oauthbearer.token.endpoint.url": "https://id.example/token",
                "sasl.jaas.config": f'{BEARER} required clientId="shop" clientSecret="{SECRET}" scope="kafka";',
            },
            {
                "sasl.mechanisms": "OAUTHBEARER",
                "sasl.oauthbearer.method": "oidc",
                "sasl.oauthbearer.token.endpoint.url": "https://id.example/token",
                "sasl.oauthbearer.client.id": "shop",
                "sasl.oauthbearer.client.secret": SECRET,
                "sasl.oauthbearer.scope": "kafka",
            },
        ),
        (
            {"sasl.mechanisms": "PLAIN", "sasl.username": "shop", "sasl.password": SECRET, "ssl.ca.location": "ca.pem"},
            {"sasl.mechanisms": "PLAIN", "sasl.username": "shop", "sasl.password": SECRET, "ssl.ca.location": "ca.pem"},
        ),
        (
            {"bootstrap.servers": "kafka1:9092", "client.rack": "a", "send.buffer.bytes": "1000"},
            {"client.rack": "a", "socket.send.buffer.bytes": "1000"},
        ),
    ],
    ids=["scram", "mtls", "mtls in line", "pkcs12", "oauthbearer", "librdkafka's names", "no security"],
)
def test_properties_are_translated(given: dict[str, str], found: dict[str, str]) -> None:
    assert translate(given, "file") == found
    assert [why_refused(name, value) for name, value in found.items()] == [""] * len(found)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"ssl.truststore.location": "a.jks"}, "ssl.truststore.type in file must be PEM, not left out"),
        ({"ssl.truststore.type": "JKS", "ssl.truststore.location": "a"}, "must be PEM, not JKS"),
        ({"ssl.keystore.location": "a.jks"}, "ssl.keystore.type in file must be PEM or PKCS12, not left out"),
        ({"ssl.truststore.password": SECRET}, "ssl.truststore.password in file: leave it out"),
        ({"group.id": "app"}, "group.id in file: leave it out: the groups are those of the profile's users"),
        ({"acks": "1"}, "acks in file: use --acks"),
        ({"key.serializer": "x"}, "key.serializer in file: leave it out"),
        ({"request.timeout.ms": "1"}, "request.timeout.ms in file: set socket.timeout.ms"),
        ({"ssl.enabled.protocols": "TLSv1.3"}, "ssl.enabled.protocols in file: leave it out"),
        ({"ssl.cipher.suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}, "ssl.cipher.suites in file has Java's names"),
        ({"securty.protocol": "SSL"}, "securty.protocol in file is neither a property of librdkafka nor"),
        ({"sasl.jaas.config": f'com.sun.Krb5LoginModule required a="{SECRET}";'}, "not Krb5LoginModule"),
        ({"sasl.jaas.config": f'{SCRAM} required tokenauth="true" password="{SECRET}";'}, "the option tokenauth of"),
        ({"sasl.jaas.config": f'{SCRAM} required password="{SECRET}"'}, "sasl.jaas.config in file cannot be read"),
        ({"sasl.login.callback.handler.class": "com.example.Own"}, "sasl.login.callback.handler.class in file"),
        ({"sasl.mechanism": "PLAIN", "sasl.mechanisms": "GSSAPI"}, "file sets sasl.mechanisms twice"),
        ({"ssl.keystore.type": "PEM", "ssl.keystore.key": SECRET}, "ssl.keystore.key in file is not PEM"),
        (
            {"ssl.keystore.type": "PEM", "ssl.keystore.location": "a", "ssl.keystore.password": SECRET},
            "set ssl.key.password",
        ),
    ],
)
def test_what_has_no_certain_translation_is_one_sentence_with_the_key(given: dict[str, str], says: str) -> None:
    with pytest.raises(ClientConfigError) as refusal:
        translate(given, "file")
    assert says in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_references_to_the_environment_are_resolved_before_the_login_module_is_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "config.providers=env\n"
        f"config.providers.env.class={properties_file.ENVIRONMENT}\n"
        f'sasl.jaas.config={PLAIN} required username="shop" \\\n  password="${{env:SHOP_PASSWORD}}";\n',
    )
    config = read(path, {"SHOP_PASSWORD": SECRET})
    assert config.properties == {"sasl.username": "shop", "sasl.password": SECRET}
    assert config.warnings == ()
    assert SECRET not in repr(config)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sasl.password=${env:NOT_SET}", "refers to the environment variable NOT_SET, which is not set"),
        ("sasl.password=${file:/etc/secrets:password}", "refers to the provider 'file': use ${env:NAME} instead"),
        ("config.providers=file\nconfig.providers.file.class=x.FileConfigProvider", "config.providers.file.class"),
        ("security.protocol=SSH", "security.protocol"),
        ("ssl.ca.location=/no/such/file", "/no/such/file cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ClientConfigError) as refusal:
        read(written(tmp_path, text), {})
    assert says in str(refusal.value)


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(ClientConfigError, match=r"--client-config /no/such cannot be read: No such file"):
        read("/no/such")


@pytest.mark.parametrize(
    ("mode", "text", "warned"),
    [
        (0o644, f"sasl.password={SECRET}", True),
        (0o640, f"sasl.password={SECRET}", False),
        (0o644, "sasl.password=${env:SECRET}", False),
        (0o644, "security.protocol=SSL", False),
    ],
)
def test_a_file_with_secrets_that_everybody_can_read_is_warned_of(
    tmp_path: Path, mode: int, text: str, warned: bool
) -> None:
    path = written(tmp_path, text, mode)
    assert bool(read(path, {"SECRET": SECRET}).warnings) == warned
    assert all(f"chmod 600 {path}" in warning for warning in read(path, {"SECRET": SECRET}).warnings)


@pytest.mark.parametrize(
    "name",
    [
        *("sasl.password", "ssl.key.password", "group.id", "enable.auto.commit", "delivery.report.only.error"),
        *("bootstrap.servers", "metadata.broker.list", "test.mock.num.brokers"),
    ],
)
def test_neither_secrets_nor_what_the_verdict_stands_on_are_taken_from_the_command_line(name: str) -> None:
    with pytest.raises(Exception, match=f"--client {name}: ") as refusal:
        pair(f"{name}={SECRET}")
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("message.max.bytes=1MB", "--client message.max.bytes: librdkafka does not take it: .* value 1 is outside"),
        ("socket.timeout.ms=soon", "--client socket.timeout.ms: librdkafka does not take it: Invalid value"),
        ("socket.timout.ms=1", "--client socket.timout.ms: librdkafka does not take it: there is no such property"),
        ("error_cb=x", "--client error_cb: librdkafka does not take it"),
    ],
)
def test_a_property_that_librdkafka_does_not_take_is_refused_with_the_option(given: str, says: str) -> None:
    with pytest.raises(ArgumentTypeError, match=says) as refusal:
        pair(given)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("value", "takes"), [("0x100000", True), ("4000MB", False), ("1e6", False)])
def test_the_size_of_a_request_is_read_as_librdkafka_reads_it_or_refused(value: str, takes: bool) -> None:
    given = {option.dest: option.default for option in OPTIONS} | {"size": "1000000"}
    with pytest.raises(PlanError, match=r"a record of 1000000 bytes is more than a client takes \(1000000\)"):
        make_plan(given, load("smoke"), "kafka1:9092", shared=False)
    secured = {"message.max.bytes": value}
    if takes:
        assert make_plan(given, load("smoke"), "kafka1:9092", shared=False, secured=secured).records("").size == 10**6
        return
    with pytest.raises(PlanError, match=rf"message.max.bytes must be a number of bytes, such as .*, not '{value}'"):
        make_plan(given, load("smoke"), "kafka1:9092", shared=False, secured=secured)


def plan_with(folder: Path, text: str) -> Plan:
    values: dict[str, Any] = {option.dest: option.default for option in OPTIONS}
    assert limits(values) == {}
    path = written(folder, text)
    values |= {"results_dir": str(folder / "results"), "client_config": path, "client": ["socket.timeout.ms=3000"]}
    return make_plan(values, load("smoke"), "kafka1:9092", shared=True, secured=read(path).properties)


def test_every_kind_of_client_gets_the_files_properties(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, f"sasl.password={SECRET}\nsocket.timeout.ms=1000\n")
    producer = plan.producer("orders", "order", 1).properties(plan.client)
    reader = plan.reader("group", ("orders",), "queue", "name", "worker")
    share = plan.reader("group", ("orders",), "share", "name", "worker").share_properties(plan.client)
    for properties in (producer, reader.properties(plan.client), share, plan.client.properties()):
        assert (properties["sasl.password"], properties["socket.timeout.ms"]) == (SECRET, "3000")


def test_the_secret_travels_nowhere(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, f"sasl.password={SECRET}\nsasl.username=shop\n")
    run_folder.open_run(plan)
    assert SECRET not in json.dumps(plan.to_wire())
    assert SECRET not in repr(plan) + repr(plan.client)
    assert SECRET not in (plan.run_dir / "settings.json").read_text()
    worker = Plan.from_wire(plan.to_wire(), read(plan.options["client_config"]).properties)
    assert worker.client.properties()["sasl.password"] == SECRET


def test_every_name_of_the_tables_is_one_of_librdkafka_or_can_never_get_there() -> None:
    """A name that librdkafka does not know would be refused with a wrong reason later."""
    modules = client_config._JAAS.values()
    targets = [*client_config._SAME.values(), *(name for names in modules for name in names.values())]
    assert [name for name in targets if why_refused(name, "1") == UNKNOWN] == []
    assert why_refused("security.protocol", "SASL_SSL") == ""
    assert "SSH" in why_refused("security.protocol", "SSH")
    assert why_refused("no.such.property", "1") == UNKNOWN

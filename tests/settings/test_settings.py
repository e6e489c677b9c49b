"""Settings: one table of them, four places to write them, and messages that say what to write instead."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import trustme

from app.config_error import ConfigError
from app.dialects import CONFIG
from app.route_keys import KEYS
from app.settings import Settings, load_settings
from app.settings_table import SETTINGS, parse_origin

REFERENCE = CONFIG / "swerve.toml"
ORIGIN = {"origin": "http://origin.test"}


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://localhost:3000",  "http://localhost:3000"),
        ("https://example.com/",   "https://example.com"),
        ("localhost:3000",         "http://localhost:3000"),
        ("localhost:3000/",        "http://localhost:3000"),
        (":3000",                  "http://localhost:3000"),
        ("[::1]:3000",             "http://[::1]:3000"),
        ("10.0.0.1:80",            "http://10.0.0.1"),
        ("unix:/run/app.sock",     "unix:/run/app.sock"),
    ],
)  # fmt: skip
def test_origins(text: str, origin: str) -> None:
    assert str(parse_origin(text)) == origin


def test_the_table_and_the_settings_have_the_same_names() -> None:
    of_no_row = {"routes", "written"}
    assert [row.name for row in SETTINGS] == [field.name for field in fields(Settings) if field.name not in of_no_row]


def test_the_reference_says_every_setting_with_its_default_and_why() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for row in SETTINGS:
        line = re.search(rf"^# {re.escape(row.help)}\n(# )?({row.name} = .+)$", text, re.MULTILINE)
        assert line is not None, row.name
        (written,) = tomllib.loads(line[2]).values()
        if row.default is None:
            assert line[1], f"{row.name} has no default: its line is an example"
            row.parse(str(written))
        else:
            assert not line[1], row.name
            assert str(written).lower() == row.default
    top = text.partition("[rules]")[0]
    said = re.findall(r"^(?:# )?(\w+) = ", top, re.MULTILINE)
    assert said == [row.name for row in SETTINGS]


def test_the_reference_is_a_settings_file_that_changes_nothing(tmp_path: Path) -> None:
    flags = {**ORIGIN, "config": str(REFERENCE)}
    assert load_settings(flags, {}, tmp_path) == load_settings(ORIGIN, {}, tmp_path)


def test_the_examples_of_rules_are_rules(tmp_path: Path) -> None:
    rules = REFERENCE.read_text(encoding="utf-8").partition("[rules]\n")[2].partition("\n\n")[0]
    (tmp_path / "swerve.toml").write_text("[rules]\n" + rules.replace("# ", ""))
    changed = load_settings(ORIGIN, {}, tmp_path).dialect.rules
    assert changed != load_settings(ORIGIN, {}, Path("/")).dialect.rules


def test_the_examples_of_routes_say_every_key(tmp_path: Path) -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    lines = text[text.index("# [[routes]]") :].splitlines()
    (tmp_path / "swerve.toml").write_text("\n".join(line.removeprefix("# ") for line in lines))
    settings = load_settings(ORIGIN, {}, tmp_path)
    said = [table.keys() for table in tomllib.loads((tmp_path / "swerve.toml").read_text())["routes"]]
    assert len(settings.routes) == len(said) == 2
    assert set().union(*said) == KEYS.keys()
    assert all(route.rules != settings.dialect.rules for route in settings.routes)


def test_the_example_with_routes_is_a_settings_file(tmp_path: Path) -> None:
    settings = load_settings({"config": str(CONFIG / "examples" / "routes.toml")}, {}, tmp_path)
    assert [route.path for route in settings.routes] == ["/cart*", "/catalogue/*", "/posts/*", "/docs/*"]


def loaded(
    tmp_path: Path, *, flags: dict[str, str | None] | None = None, environ: dict[str, str] | None = None, file: str = ""
) -> Settings:
    (tmp_path / "swerve.toml").write_text(file)
    return load_settings({**ORIGIN, **(flags or {})}, environ or {}, tmp_path)


@pytest.mark.parametrize(
    ("flags", "environ", "file", "drain"),
    [
        ({},              {},                       "",             5),
        ({},              {},                       'drain = "4s"', 4),
        ({},              {"SWERVE_DRAIN": "3s"},   'drain = "4s"', 3),
        ({"drain": "2s"}, {"SWERVE_DRAIN": "3s"},   'drain = "4s"', 2),
        ({"drain": None}, {"SWERVE_DRAIN": ""},     'drain = "4s"', 4),
    ],
)  # fmt: skip
def test_what_goes_before_what(tmp_path: Path, flags: Any, environ: Any, file: str, drain: float) -> None:
    assert loaded(tmp_path, flags=flags, environ=environ, file=file).drain == drain


def test_origin_by_either_variable() -> None:
    for name in ("SWERVE_ORIGIN",):
        assert str(load_settings({}, {name: "web:3000"}, Path("/")).origin) == "http://web:3000"


def test_a_file_named_by_flag_or_variable(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('origin = "http://other.test"\nmax_size = 1000\norigin_verify = false\n')
    named: list[tuple[dict[str, str | None], dict[str, str]]] = [
        ({"config": "other.toml"}, {}),
        ({}, {"SWERVE_CONFIG": "other.toml"}),
    ]
    for flags, environ in named:
        settings = load_settings(flags, environ, tmp_path)
        assert str(settings.origin) == "http://other.test"
        assert settings.max_size == 1000
        assert settings.origin_verify is False


def test_the_operators_rules_go_over_the_dialects(tmp_path: Path) -> None:
    settings = loaded(tmp_path, file='max_object = "1kb"\n[rules]\nvary_denied = ["User-Agent"]\nstatuses = false\n')
    rules = settings.dialect.rules
    assert settings.dialect.name == "vercel"
    assert rules.vary_denied == {"user-agent"}
    assert rules.statuses is None
    assert rules.max_body == 1024


def test_paths_in_a_file_start_from_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    certificate = trustme.CA().issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    (folder / "own.toml").write_text('name = "own"\nas_of = "2026-11"\n[speech]\n[rules]\n')
    (folder / "swerve.toml").write_text('tls_cert = "cert.pem"\ntls_key = "key.pem"\ndialect = "own.toml"\n')
    settings = load_settings({**ORIGIN, "config": "etc/swerve.toml"}, {}, tmp_path)
    assert (settings.tls_cert, settings.tls_key) == (folder / "cert.pem", folder / "key.pem")
    assert settings.dialect.name == "own"


@pytest.mark.parametrize(
    ("written", "flag", "store"),
    [
        ("./cache",           None,      "{folder}/cache"),
        ("../cache",          None,      "{folder}/../cache"),
        ("/var/cache/swerve", None,      "/var/cache/swerve"),
        ("./cache",           "./other", "./other"),
        ("memory",            None,      "memory"),
        ("redis://h:1/0",     None,      "redis://h:1/0"),
    ],
)  # fmt: skip
def test_the_stores_folder_starts_from_where_it_is_written(
    tmp_path: Path, written: str, flag: str | None, store: str
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "swerve.toml").write_text(f'store = "{written}"\n')
    flags = {**ORIGIN, "config": "etc/swerve.toml", "store": flag}
    assert load_settings(flags, {}, tmp_path).store == store.format(folder=folder)


def test_a_certificate_that_is_none_stops_the_start(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("no PEM")
    with pytest.raises(ConfigError, match=r"tls_cert: .*cert.pem .* is refused .*name a PEM certificate chain"):
        load_settings({**ORIGIN, "tls_cert": "cert.pem", "tls_key": "key.pem"}, {}, tmp_path)


def test_the_demo_brings_its_origin() -> None:
    assert load_settings({}, {"SWERVE_ORIGIN": "not read"}, Path("/"), demo=True).origin is None


@pytest.mark.parametrize(
    ("flags", "environ", "file", "told"),
    [
        ({"origin": None},        {}, "",                      ["origin is not set", "SWERVE_ORIGIN"]),
        ({"origin": "ftp://x"},   {}, "",                      ["ORIGIN", "'ftp://x'", "write http://x"]),
        ({"listen": "80x"},       {}, "",                      ["--listen", "'80x'", "write HOST:PORT"]),
        ({"listen": ":8081"},     {}, "",                      ["listen and admin", "127.0.0.1:8081", "another port"]),
        ({"store": "sqlite://h"}, {}, "",                      ["--store", "'sqlite://h'", "write memory, a folder"]),
        ({"workers": "400"},      {}, "",                      ["--workers", "'400'", "CPU cores"]),
        ({"log": "xml"},          {}, "",                      ["--log", "'xml'", "auto, text, json, off"]),
        ({"dialect": "versel"},   {}, "",                      ["'versel'", "did you mean vercel?"]),
        ({"dialect": "no.toml"},  {}, "",                      ["no.toml cannot be read"]),
        ({"tls_cert": "c.pem"},   {}, "",                      ["tls_cert is set and tls_key is not", "set both"]),
        ({"tls_cert": "c", "tls_key": "k"}, {}, "",            ["tls_cert", "is no file"]),
        ({"host_header": "a b"},  {}, "",                      ["--host-header", "'a b'", "preserve, origin"]),
        ({"environment": "prod"}, {}, "",                      ["--environment", "'prod'", "production, preview"]),
        ({"dialect": "nginx"}, {"SWERVE_PREVIEW_TOKEN": "x"}, "",
                                                               ["preview_token", "nginx has no use for it"]),
        ({"timeout_idle": "0s"},  {}, "",                      ["--timeout-idle", "'0s'", "longer"]),
        ({"config": "no.toml"},   {}, "",                      ["no.toml cannot be read"]),
        ({}, {"SWERVE_DIALEKT": "x"}, "",                      ["SWERVE_DIALEKT", "did you mean SWERVE_DIALECT?"]),
        ({}, {"SWERVE_DRAIN": "5"},   "",                      ["SWERVE_DRAIN", "'5'", "with its unit"]),
        ({}, {}, "dialekt = 1",                                ["swerve.toml", "dialekt", "did you mean dialect?"]),
        ({}, {}, "drain = 5",                                  ["swerve.toml: drain", "'5'", "with its unit"]),
        ({}, {}, "drain = 1.5",                                ["swerve.toml: drain = 1.5", "text in quotes"]),
        ({}, {}, "listen = [1]",                               ["swerve.toml: listen = [1]", "text in quotes"]),
        ({}, {}, 'admin_token = ""',                           ["swerve.toml: admin_token", "it is empty"]),
        ({}, {}, "rules = 1",                                  ["rules = 1 is no table", "[rules]"]),
        ({}, {}, "x = ",                                       ["swerve.toml is not TOML"]),
        ({}, {}, '[rules]\nrange = "serve"',                   ["swerve.toml: rules", "did you mean ranges?"]),
        ({}, {}, '[rules]\nranges = "by-pass"',                ["rules.ranges = 'by-pass'", "did you mean bypass?"]),
        ({}, {}, "[rules]\nmax_body = true",                   ["rules.max_body = True", "a whole number"]),
    ],
)  # fmt: skip
def test_mistakes_name_the_place_the_value_and_the_fix(
    tmp_path: Path, flags: dict[str, str | None], environ: dict[str, str], file: str, told: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, flags=flags, environ=environ, file=file)
    for words in told:
        assert words in str(caught.value)


def test_the_token_for_previews_is_among_the_rules(tmp_path: Path) -> None:
    preview = loaded(tmp_path, environ={"SWERVE_PREVIEW_TOKEN": "s3cret"}).dialect.rules.preview
    assert preview is not None
    assert (preview.token, preview.renews) == ("s3cret", "x-prerender-revalidate")
    with pytest.raises(ConfigError, match="preview_token: it is empty"):
        loaded(tmp_path, file='preview_token = ""')


def test_a_bad_token_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match="SWERVE_ADMIN_TOKEN") as caught:
        load_settings(ORIGIN, {"SWERVE_ADMIN_TOKEN": "sec ret"}, Path("/"))
    assert "sec ret" not in str(caught.value)


def test_an_origin_that_is_swerve_itself_stops_the_start(tmp_path: Path) -> None:
    for origin, listen in (("http://localhost:8080", "0.0.0.0:8080"), ("http://127.0.0.1:81", "127.0.0.1:81")):
        with pytest.raises(ConfigError, match="is where Swerve itself listens; name the port of your app"):
            load_settings({"origin": origin, "listen": listen}, {}, tmp_path)
    assert load_settings({"origin": "http://web:8080"}, {}, tmp_path).origin is not None

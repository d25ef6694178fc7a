"""Names of served models, and where their keys come from."""

from __future__ import annotations

import pytest

from tuneornot.errors import ModelError
from tuneornot.models import address, chat, reading
from tuneornot.models.base import Reply, Request
from tuneornot.models.wire import Extras
from tuneornot.records import Message

CHAT = chat.Chat(address.parse("http://127.0.0.1:1/v1#m"))


def test_a_name_is_an_address_and_a_model() -> None:
    found = address.parse("https://host.example:8443/v1/#org/model-7b:free")
    assert (found.base, found.model) == ("https://host.example:8443/v1", "org/model-7b:free")
    assert found.host == "host.example"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("http://host/v1", "followed|address, a #"),
        ("http://host/v1#", "found 'http://host/v1#'"),
        ("ftp://host/v1#m", "an http or https address"),
        ("http://#m", "an http or https address"),
        ("http://host:port/v1#m", "must be a valid URL"),
        ("http://[::1/v1#m", "must be a valid URL"),
    ],
)
def test_names_that_are_none(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        address.parse(name)
    assert "Write for example http://127.0.0.1:8000/v1#model-name." in str(caught.value)


@pytest.mark.parametrize("base", ["http://me:sesame@host/v1", "http://host/v1?key=sesame"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(base: str) -> None:
    with pytest.raises(ModelError, match="no user, password or query") as caught:
        address.parse(f"{base}#m")
    assert "sesame" not in str(caught.value)


def test_keys_are_found_in_the_documented_order() -> None:
    openai = address.parse("https://api.openai.com/v1#m")
    environ = {
        "TUNEORNOT_API_KEY": "general",
        "OPENAI_API_KEY": "openai",
        "TUNEORNOT_API_KEY_API_OPENAI_COM": "host",
    }
    assert address.key(openai, environ) == ("TUNEORNOT_API_KEY_API_OPENAI_COM", "host")
    del environ["TUNEORNOT_API_KEY_API_OPENAI_COM"]
    assert address.key(openai, environ) == ("OPENAI_API_KEY", "openai")
    del environ["OPENAI_API_KEY"]
    assert address.key(openai, environ) == ("TUNEORNOT_API_KEY", "general")
    assert address.key(openai, {"TUNEORNOT_API_KEY": " "}) is None


def test_openai_key_goes_nowhere_else() -> None:
    environ = {"OPENAI_API_KEY": "openai"}
    for host in ("api.openai.com.evil.example", "127.0.0.1:8000", "openai.com"):
        assert address.key(address.parse(f"https://{host}/v1#m"), environ) is None


def test_a_port_has_a_key_of_its_own() -> None:
    local = address.parse("http://my-host.lan:8001/v1#m")
    environ = {"TUNEORNOT_API_KEY_MY_HOST_LAN": "a", "TUNEORNOT_API_KEY_MY_HOST_LAN_8001": "b"}
    assert address.key(local, environ) == ("TUNEORNOT_API_KEY_MY_HOST_LAN_8001", "b")


def test_a_key_shows_only_its_variable() -> None:
    key = address.Key("SOME_KEY", "sesame")
    assert f"{key} {key!r}" == "Key(SOME_KEY=***) Key(SOME_KEY=***)"
    assert key.mask("bad key sesame!") == "bad key ***!"


def test_what_cannot_be_a_key_is_refused_and_not_shown() -> None:
    where = address.parse("http://127.0.0.1:1/v1#m")
    for secret in ("open sesame", "open\nsesame", "sésame"):
        with pytest.raises(ModelError, match="variable TUNEORNOT_API_KEY") as caught:
            address.key(where, {"TUNEORNOT_API_KEY": secret})
        assert "same" not in str(caught.value)


def test_proxies_are_for_hosts_that_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert address.parse("https://host.example/v1#m").proxy == "http://proxy.example:3128"
    for host in ("localhost:1", "127.0.0.1:1", "[::1]:1", "inside.example"):
        assert address.parse(f"http://{host}/v1#m").proxy is None


def test_openai_knows_the_limit_by_its_new_name() -> None:
    request = Request(messages=(Message(role="user", content="x"),))
    assert b'"max_completion_tokens":256' in chat.body(
        request, address.parse("https://api.openai.com/v1#m"), Extras()
    )
    assert b'"max_tokens":256' in chat.body(request, CHAT.address, Extras())


def test_content_in_parts_is_one_text() -> None:
    reader = reading.Reader(CHAT, None)
    raw = b'{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"text":"b"}]}}]}'
    reply = reader.read(200, {}, raw, latency_s=1.0)
    assert isinstance(reply, Reply)
    assert (reply.text, reply.finish, reply.n_output_tokens) == ("ab", None, None)


def test_answers_whose_count_of_tokens_is_nonsense() -> None:
    reader = reading.Reader(CHAT, None)
    for usage in (b"null", b"[1]", b'"many"', b'{"prompt_tokens":"3","completion_tokens":true}'):
        raw = b'{"choices":[{"message":{"content":"a"}}],"usage":' + usage + b"}"
        reply = reader.read(200, {}, raw, latency_s=1.0)
        assert isinstance(reply, Reply)
        assert (reply.text, reply.n_input_tokens, reply.n_output_tokens) == ("a", None, None)


def test_excerpts_are_short_and_masked() -> None:
    key = address.Key("SOME_KEY", "sesame")
    reader = reading.Reader(CHAT, key)
    shown = reader.excerpt(b"x " * 5000 + b"sesame")
    assert len(shown) <= reading.EXCERPT + 2
    assert reader.excerpt(b"key\n  sesame <b>") == "'key *** <b>'"


def test_anthropic_is_asked_where_the_environment_says() -> None:
    usual = address.parse("anthropic:some-model", {})
    assert usual == ("https://api.anthropic.com/v1", "some-model", "anthropic")
    environ = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9/", "ANTHROPIC_API_KEY": "sesame"}
    assert address.parse("anthropic:some-model", environ).base == "http://127.0.0.1:9/v1"
    assert address.key(usual, {**environ, "TUNEORNOT_API_KEY": "general"}) == (
        "ANTHROPIC_API_KEY",
        "sesame",
    )
    assert address.key(usual, {"TUNEORNOT_API_KEY": "general"}) is None


@pytest.mark.parametrize(
    ("name", "base", "said"),
    [
        ("anthropic:", "", "is named by anthropic: and its name"),
        ("anthropic:m", "ftp://host", "must be an http or https address"),
        ("anthropic:m", "http://me:sesame@host", "without a user"),
    ],
)
def test_addresses_of_anthropic_that_are_none(name: str, base: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        address.parse(name, {"ANTHROPIC_BASE_URL": base})
    assert "sesame" not in str(caught.value)

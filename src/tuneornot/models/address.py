"""Where a served model is, and which key opens it.

An arm names a served model ``http://127.0.0.1:8000/v1#model-name``: the base address of an
OpenAI-compatible server, then the name under which the server offers the model. Keys come from the
environment only, so that no study file, store, report or log ever holds one. Looked up in this
order, the first that is set wins:

1. ``TUNEORNOT_API_KEY_<HOST>_<PORT>``, then ``TUNEORNOT_API_KEY_<HOST>``, where the host is in
   capitals and everything that is not a letter or digit is an underscore;
2. ``OPENAI_API_KEY``, for the host api.openai.com alone;
3. ``TUNEORNOT_API_KEY``, for every server.

A model of Anthropic's is named ``anthropic:MODEL``. Its address is ``ANTHROPIC_BASE_URL`` from the
environment, else Anthropic's own, and its key is ``ANTHROPIC_API_KEY`` and no other.

This file knows no requests and opens no connection.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from tuneornot.errors import ModelError

GENERAL_KEY = "TUNEORNOT_API_KEY"
MASK = "***"
ANTHROPIC = "https://api.anthropic.com"
ANTHROPIC_BASE = "ANTHROPIC_BASE_URL"
ANTHROPIC_KEY = "ANTHROPIC_API_KEY"
_EXAMPLE = "http://127.0.0.1:8000/v1#model-name"


class Address(NamedTuple):
    """A served model: the server's base address without a slash at its end, and a name."""

    base: str
    model: str
    api: Literal["openai", "anthropic"] = "openai"
    """Whose words are spoken there."""

    @property
    def host(self) -> str:
        """Host as written, in small letters."""
        return urlsplit(self.base).hostname or ""

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI's own service, which differs from its imitations in places."""
        return self.host == "api.openai.com"

    @property
    def moved(self) -> bool:
        """Whether the environment, and not the name, says where it is."""
        return self.api == "anthropic" and self.base != f"{ANTHROPIC}/v1"

    @property
    def proxy(self) -> str | None:
        """The proxy that the environment prescribes for this host; never one for loopback."""
        if _is_loopback(self.host) or proxy_bypass(self.host):
            return None
        return getproxies().get(urlsplit(self.base).scheme)


class Key(NamedTuple):
    """A secret and the variable it came from; it shows only the variable."""

    variable: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.variable}={MASK})"

    def mask(self, text: str) -> str:
        """The text without the secret, for whatever a server echoes."""
        return text.replace(self.secret, MASK)


def parse(name: str, environ: Mapping[str, str] = os.environ) -> Address:
    """Read an arm's model name.

    Raises:
        ModelError: it is no http(s) address followed by ``#`` and a model's name, or it holds a
            user, a password or a query, any of which could be a secret in a study file.
    """
    if name.startswith("anthropic:"):
        return _anthropic(name.removeprefix("anthropic:"), environ)
    base, _, model = name.partition("#")
    parts = _split(base)
    if "@" in parts.netloc or parts.query:
        raise ModelError(
            "The address of a served model holds no user, password or query, because studies are "
            f"shared; found one for host {parts.hostname!r}. Put the key into {GENERAL_KEY} and "
            f"write {_EXAMPLE}."
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise ModelError(
            "A served model is named by an http or https address, a # and the name under which "
            f"the server offers it; found {name!r}. Write for example {_EXAMPLE}."
        )
    return Address(base=base.rstrip("/"), model=model)


def key(address: Address, environ: Mapping[str, str] = os.environ) -> Key | None:
    """The key for a server, or ``None`` where the environment holds none.

    Raises:
        ModelError: what the variable holds cannot be a key.
    """
    for variable in variables(address):
        secret = environ.get(variable, "").strip()
        if secret and not re.fullmatch(r"[!-~]+", secret):
            raise ModelError(
                "A key is one word of plain characters; the one in the environment variable "
                f"{variable} (not shown) holds spaces or others. Set it again."
            )
        if secret:
            return Key(variable, secret)
    return None


def variables(address: Address) -> tuple[str, ...]:
    """The variables that may hold the key for a server, in the order in which they are read."""
    if address.api == "anthropic":
        return (ANTHROPIC_KEY,)
    host = re.sub(r"[^A-Z0-9]", "_", address.host.upper())
    port = urlsplit(address.base).port
    names = [f"{GENERAL_KEY}_{host}_{port}"] if port else []
    names.append(f"{GENERAL_KEY}_{host}")
    if address.is_openai:
        names.append("OPENAI_API_KEY")
    return (*names, GENERAL_KEY)


def _anthropic(model: str, environ: Mapping[str, str]) -> Address:
    base = environ.get(ANTHROPIC_BASE, "").strip() or ANTHROPIC
    parts = _split(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ModelError(
            f"{ANTHROPIC_BASE} in the environment must be an http or https address without a user; "
            f"found one for host {parts.hostname!r}. Correct it, or unset it for {ANTHROPIC}."
        )
    if not model:
        raise ModelError(
            "A model of Anthropic's is named by anthropic: and its name; found 'anthropic:'. "
            "Write for example anthropic:claude-sonnet-4-5."
        )
    return Address(base=base.rstrip("/") + "/v1", model=model, api="anthropic")


def _split(base: str) -> SplitResult:
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError as error:
        raise ModelError(
            f"The address of a server must be a valid URL; found {base!r} ({error}). "
            f"Write for example {_EXAMPLE}."
        ) from error
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

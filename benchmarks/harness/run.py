"""What a harness adds to asking: the same cases and stub server, one harness after the other.

Every harness is a process of its own at the same concurrency, by its own documented options, and
is run at several sizes: what the larger one takes more is the work, the rest is starting up. The
script beside it says how each is told what to do; ``README.md`` how to install the others.

    python benchmarks/harness/run.py --others FOLDER [--sizes 1000 10000] [--only ours bare]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import scale  # noqa: E402 - it stands in the folder above
import stub  # noqa: E402

CONCURRENCY = 64
LONGEST_S = 900


class Job(NamedTuple):
    """A harness on one size."""

    command: list[str]
    env: Mapping[str, str] = {}


class Took(NamedTuple):
    """What a process used."""

    seconds: float
    processor_s: float
    peak_mb: float


def jobs(base: str, cases: Path, others: Path, folder: Path) -> dict[str, Job]:
    """Every harness, told to ask these cases."""
    told = [base, str(cases), str(CONCURRENCY)]
    return {
        "bare": Job([sys.executable, str(HERE / "bare.py"), *told]),
        "ours": Job([sys.executable, str(HERE / "ours.py"), *told, str(folder)]),
        "inspect": inspect(base, cases, others, folder),
        "deepeval": Job(
            [str(others / "deepeval/bin/python"), str(HERE / "deepeval_run.py"), *told],
            {"DEEPEVAL_TELEMETRY_OPT_OUT": "YES", "DEEPEVAL_RESULTS_FOLDER": str(folder)},
        ),
        "promptfoo": promptfoo(base, cases, others, folder),
        "lm-eval": lm_eval(base, cases, others, folder),
    }


def inspect(base: str, cases: Path, others: Path, folder: Path) -> Job:
    task = shutil.copy(HERE / "inspect_task.py", folder)  # it takes none from elsewhere
    return Job(
        [
            str(others / "inspect/bin/inspect"),
            *("eval", Path(task).name, "--model", "openai-api/stub/new"),
            *("--max-connections", str(CONCURRENCY), "--max-samples", str(CONCURRENCY)),
            *("--temperature", "0", "--max-tokens", "64"),
            *("--display", "none", "--log-dir", str(folder)),
        ],
        {"CASES": str(cases), "STUB_BASE_URL": base, "STUB_API_KEY": "none"},
    )


def promptfoo(base: str, cases: Path, others: Path, folder: Path) -> Job:
    tests = [
        {
            "vars": {"input": case["input"]},
            "assert": [{"type": "equals", "value": case["expected"]}],
        }
        for case in map(json.loads, cases.open())
    ]
    (folder / "tests.json").write_text(json.dumps(tests))
    options = {"apiBaseUrl": base, "apiKey": "none", "temperature": 0, "max_tokens": 64}
    config = {
        "prompts": ["{{input}}"],
        "providers": [{"id": "openai:chat:new", "config": options}],
        "tests": "file://tests.json",
    }
    (folder / "promptfooconfig.json").write_text(json.dumps(config))
    return Job(
        [
            str(others / "promptfoo/node_modules/.bin/promptfoo"),
            *("eval", "-c", str(folder / "promptfooconfig.json"), "-j", str(CONCURRENCY)),
            *("--no-cache", "--no-table", "--no-progress-bar", "-o", str(folder / "out.json")),
        ],
        {
            "PROMPTFOO_CONFIG_DIR": str(folder),
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
            # Their files made it crash at its end.
            "PROMPTFOO_DISABLE_DEBUG_LOG": "true",
            "PROMPTFOO_DISABLE_ERROR_LOG": "true",
        },
    )


def lm_eval(base: str, cases: Path, others: Path, folder: Path) -> Job:
    (folder / "repeated.yaml").write_text(
        f"""\
task: repeated
dataset_path: json
dataset_kwargs: {{data_files: {{test: {cases}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{input}}}}"
doc_to_target: "{{{{expected}}}}"
generation_kwargs: {{until: [], max_gen_toks: 64, temperature: 0}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""
    )
    server = f"model=new,base_url={base}/chat/completions,num_concurrent={CONCURRENCY}"
    return Job(
        [
            str(others / "lmeval/bin/lm_eval"),
            *("--model", "local-chat-completions", "--tasks", "repeated"),
            *("--model_args", f"{server},max_retries=3,tokenized_requests=False"),
            *("--include_path", str(folder), "--apply_chat_template"),
            *("--output_path", str(folder), "--log_samples"),
        ],
        {"HF_DATASETS_OFFLINE": "1", "HF_HOME": str(folder), "OPENAI_API_KEY": "none"},
    )


def took(job: Job, folder: Path) -> Took:
    """Run it to its end.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    if job.command[0] != sys.executable:
        kept.pop("PYTHONPATH", None)
    begun = time.monotonic()
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(
            ["timeout", str(LONGEST_S), *job.command],
            env={**kept, "OMP_NUM_THREADS": "1", **job.env},
            cwd=folder,
            stdout=said,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        end = (folder / "said").read_text(errors="replace")[-1500:]
        raise RuntimeError(f"{job.command[0]} ended with {process.returncode}: {end}")
    seconds = time.monotonic() - begun
    return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--others", type=Path, required=True, help="where they are installed")
    parser.add_argument("--sizes", type=int, nargs=2, default=[1000, 10_000])
    parser.add_argument("--only", nargs="*", help="names of harnesses")
    options = parser.parse_args()
    names = options.only or ["bare", "ours", "lm-eval", "deepeval", "promptfoo", "inspect"]
    less, more = options.sizes
    print(f"{'':10}  added s  cases/s  added processor s  peak MB  {less:,} cases s")
    for name in names:
        found = []
        for n in (less, more):
            with tempfile.TemporaryDirectory() as made, stub.running(Path(made)) as server:
                folder = Path(made)
                cases = folder / "cases.jsonl"
                with cases.open("w") as file:
                    file.writelines(json.dumps(case) + "\n" for case in scale.cases(n, 0))
                job = jobs(server.base, cases, options.others.absolute(), folder)[name]
                found.append(took(job, folder))
                assert server.n_answered == n, f"{name} asked {server.n_answered} of {n} questions"
        short, long = found
        added = long.seconds - short.seconds
        print(
            f"{name:10}  {added:7.2f}  {(more - less) / added:7.0f}  "
            f"{long.processor_s - short.processor_s:17.2f}  {long.peak_mb:7.0f}  "
            f"{short.seconds:13.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

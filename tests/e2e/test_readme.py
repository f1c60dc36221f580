"""README's commands and snippets, run as a newcomer would paste them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.local_stack import LocalStack

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.xdist_group("stack")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def variables(stack: LocalStack) -> dict[str, str]:
    path = os.environ["PATH"]  # noqa: TID251 - curl is found on it
    return {
        "PATH": path,
        "OPENAI_BASE_URL": stack.openai_base_url,
        "OPENAI_API_KEY": stack.user_key,
    }


def test_the_curl_lines_answer(stack: LocalStack) -> None:
    pasted = [block.replace(". .local/env\n", "") for block in blocks("sh") if "curl" in block]
    answers = []
    for block in pasted:
        lines = block.replace("\\\n", " ").splitlines()
        for line in filter(None, lines):
            done = subprocess.run(
                ["sh", "-c", line],
                env=variables(stack),
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
            answers.append(json.loads(done.stdout))

    assert len(answers) == 3
    assert answers[0]["object"] == "chat.completion"
    assert answers[1]["currency"] == "credits"
    assert answers[2]["tier"] == "professional"


def test_the_python_snippet_streams(stack: LocalStack) -> None:
    (snippet,) = blocks("python")

    done = subprocess.run(
        [sys.executable, "-c", snippet],
        env=variables(stack),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout.count("ChatCompletionChunk(") > 5
    assert "cost_nanousd" in done.stdout.splitlines()[-1]


def test_the_two_commands_are_the_ones_the_makefile_has() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")

    for command in ("make serve", "make test"):
        assert f"{command}\n" in README
        assert f"\n{command.removeprefix('make ')}:" in makefile

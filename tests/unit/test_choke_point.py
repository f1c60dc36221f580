"""Every priced request passes one service: nothing else can reach a provider."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]


def places_that_call(name: str) -> set[str]:
    """Find the modules that call a function or method of this name."""
    places = set()
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                called_name = called.attr if isinstance(called, ast.Attribute) else None
                called_name = called.id if isinstance(called, ast.Name) else called_name
                if called_name == name:
                    places.add(str(path.relative_to(ROOT)))
    return places


def test_only_the_use_case_calls_a_provider() -> None:
    assert places_that_call("send_chat") == {"shared/farebox/services/complete_chat.py"}


def test_the_use_case_calls_a_provider_once_and_after_admission() -> None:
    source = (ROOT / "shared/farebox/services/complete_chat.py").read_text(encoding="utf-8")

    assert source.count(".send_chat(") == 1
    assert source.index("self._admit(") < source.index(".send_chat(")


def test_providers_and_the_wire_to_them_are_made_in_one_place_each() -> None:
    assert places_that_call("OpenAICompatibleProvider") == {"shared/farebox/bootstrap/chat.py"}
    assert places_that_call("Origin") == {"shared/farebox/adapters/providers/openai_compatible.py"}


def test_a_hold_is_resolved_in_one_place() -> None:
    assert places_that_call("settle") == {
        "shared/farebox/services/admitted.py",
        "shared/farebox/services/complete_chat.py",
        "shared/farebox/services/relay.py",
    }
    assert places_that_call("reserve") == {"shared/farebox/services/admit.py"}

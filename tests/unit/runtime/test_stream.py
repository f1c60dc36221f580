import sys
from pathlib import Path

import pytest

from farebox.runtime.faults import HandlerNotFound, MalformedHandlerName
from farebox.runtime.stream import load_application

APPLICATION = "async def app(scope, receive, send): ..."


@pytest.fixture
def task_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


class TestLoadApplication:
    def test_it_is_the_named_attribute_of_the_named_module(self, task_root: Path) -> None:
        (task_root / "plain_module.py").write_text(APPLICATION)

        application = load_application("plain_module.app")

        assert application.__module__ == "plain_module"
        assert application.__name__ == "app"

    @pytest.mark.parametrize("handler", ["package/inner.app", "package.inner.app"])
    def test_folders_are_separated_by_slashes_or_dots(self, task_root: Path, handler: str) -> None:
        (task_root / "package").mkdir(exist_ok=True)
        (task_root / "package" / "inner.py").write_text(APPLICATION)

        application = load_application(handler)

        assert application.__module__ == "package.inner"

    def test_a_name_without_a_dot_is_malformed(self) -> None:
        with pytest.raises(MalformedHandlerName, match=r"'app' is not module\.attribute"):
            load_application("app")

    def test_a_missing_attribute_is_not_found(self, task_root: Path) -> None:
        (task_root / "empty_module.py").write_text("")

        with pytest.raises(HandlerNotFound, match="empty_module has no 'app'"):
            load_application("empty_module.app")

    def test_what_importing_raises_comes_through(self, task_root: Path) -> None:
        (task_root / "broken_module.py").write_text("1 / 0")

        with pytest.raises(ZeroDivisionError):
            load_application("broken_module.app")

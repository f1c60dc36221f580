"""What the environment says, who answers, where state is kept."""

import json
import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from local.credentials import Credentials, load_or_make, write_env_file
from local.ports import RememberedPorts, free_port, listen, port_of
from local.problems import CannotServe
from local.providers import find_providers, ollama_answers
from local.reload import Watch
from local.serve import require_installed
from local.settings import read_settings
from local.state import held

ROOT = Path("/checkout")
SIMULATOR = "http://127.0.0.1:9000"


class TestSettings:
    def test_defaults(self) -> None:
        settings = read_settings({}, ROOT, None)

        assert settings.port == 8080
        assert settings.state_dir == Path("/checkout/.local/state")
        assert settings.env_file == Path("/checkout/.local/env")
        assert (settings.reload, settings.lenient) == (False, False)
        assert settings.provider_keys == {}

    @pytest.mark.parametrize("port", ["eighty", "-1", "65536", "8080.0", "²"])
    def test_a_port_that_is_none_is_refused(self, port: str) -> None:
        with pytest.raises(CannotServe, match=f"PORT={port} is not a port number"):
            read_settings({"PORT": port}, ROOT, None)

    def test_real_keys_go_to_nobody_but_the_secret_store(self) -> None:
        settings = read_settings({"HF_TOKEN": "hf_x", "GROQ_API_KEY": " "}, ROOT, None)

        assert settings.provider_keys == {"huggingface": "hf_x"}
        assert "HF_TOKEN" not in settings.inherited

    def test_nothing_leads_to_a_real_aws_account(self) -> None:
        environment = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "x", "PATH": "/bin"}

        inherited = read_settings(environment, ROOT, None).inherited

        assert inherited == {
            "PATH": "/bin",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


class TestProviders:
    def test_without_keys_the_simulator_is_every_provider(self) -> None:
        providers = find_providers({}, frozenset(), lenient=False, ollama=False)

        secret = providers.secret(SIMULATOR)

        assert providers.describe() == "the provider simulator"
        assert sorted(secret) == [
            "anthropic",
            "deepinfra",
            "fireworks",
            "groq",
            "huggingface",
            "ollama",
            "openai",
            "openrouter",
            "together",
        ]
        assert secret["groq"] == {"api_key": "simulator", "base_url": "http://127.0.0.1:9000/v1"}

    def test_with_a_real_key_only_its_provider_is_there(self) -> None:
        providers = find_providers({"groq": "gsk_1"}, frozenset(), lenient=False, ollama=False)

        assert not providers.simulated
        assert providers.secret(None) == {"groq": {"api_key": "gsk_1"}}
        assert providers.describe() == "groq (GROQ_API_KEY)"

    def test_an_ollama_that_answers_is_used(self) -> None:
        providers = find_providers({}, frozenset(), lenient=False, ollama=True)

        secret = providers.secret(SIMULATOR)

        assert secret["ollama"] == {"base_url": "http://127.0.0.1:11434/v1"}
        assert secret["openai"]["base_url"] == "http://127.0.0.1:9000/v1"

    def test_lenient_simulates_local_models_beside_real_keys(self) -> None:
        providers = find_providers({"openai": "sk-1"}, frozenset(), lenient=True, ollama=False)

        secret = providers.secret(SIMULATOR)

        assert secret["openai"] == {"api_key": "sk-1"}
        assert secret["ollama"]["base_url"] == "http://127.0.0.1:9000/v1"

    def test_our_own_keys_are_no_providers(self) -> None:
        own = Credentials.make(0)
        forgotten = Credentials.make(0)

        providers = find_providers(
            {"openai": own.service_key, "groq": forgotten.user_key},
            frozenset({own.service_key}),
            lenient=False,
            ollama=False,
        )

        assert providers.keys == {}

    def test_no_ollama_is_found_where_none_listens(self) -> None:
        assert not ollama_answers(free_port())


class TestCredentials:
    def test_they_are_made_once_and_only_for_their_owner(self, tmp_path: Path) -> None:
        path = tmp_path / "credentials.json"

        first = load_or_make(path, 1)
        second = load_or_make(path, 2)

        assert second == first
        assert first.created_ms == 1
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_file_that_is_not_ours_is_not_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "credentials.json"
        path.write_text("{}", encoding="utf-8")

        with pytest.raises(CannotServe, match="cannot be used"):
            load_or_make(path, 1)

        assert path.read_text(encoding="utf-8") == "{}"

    def test_a_shell_can_source_what_is_written(self, tmp_path: Path) -> None:
        keys = Credentials.make(0)
        path = tmp_path / "new" / "env"

        write_env_file(path, keys, "http://127.0.0.1:8080")
        script = f". {shlex.quote(str(path))}; env | grep -E '^(OPENAI|FAREBOX)' | sort"
        sourced = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)

        assert sourced.stdout.splitlines() == [
            f"FAREBOX_ADMIN_KEY={keys.admin_key}",
            f"FAREBOX_SERVICE_KEY={keys.service_key}",
            "FAREBOX_URL=http://127.0.0.1:8080",
            f"OPENAI_API_KEY={keys.user_key}",
            "OPENAI_BASE_URL=http://127.0.0.1:8080/v1",
        ]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


class TestState:
    def test_a_second_run_is_told_who_has_the_directory(self, tmp_path: Path) -> None:
        with held(tmp_path), pytest.raises(CannotServe) as refused, held(tmp_path):
            pass

        assert f"in use by another `make serve` (process {os.getpid()})" in str(refused.value)
        assert refused.value.exit_code == 2

    def test_it_is_free_again_afterwards(self, tmp_path: Path) -> None:
        with held(tmp_path):
            pass

        with held(tmp_path):
            assert (tmp_path / "lock").exists()

    def test_a_directory_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="utf-8")

        with pytest.raises(CannotServe, match=r"STATE_DIR=.*/file/state cannot be used"):
            held(tmp_path / "file" / "state").__enter__()


class TestPorts:
    def test_a_taken_port_is_named_with_a_way_out(self) -> None:
        with listen(0) as taken:
            port = port_of(taken)

            with pytest.raises(CannotServe) as refused:
                listen(port)

        assert str(refused.value) == f"Port {port} is taken; choose another: make serve PORT=…"
        assert refused.value.exit_code == 2

    def test_an_inner_port_stays_the_same_while_it_is_free(self, tmp_path: Path) -> None:
        first = RememberedPorts(tmp_path / "ports.json").take("emulator")
        again = RememberedPorts(tmp_path / "ports.json").take("emulator")
        with listen(first):
            other = RememberedPorts(tmp_path / "ports.json").take("emulator")

        assert again == first
        assert other != first
        assert json.loads((tmp_path / "ports.json").read_text()) == {"emulator": other}


class TestReload:
    def test_a_change_is_noticed_once(self, tmp_path: Path) -> None:
        (tmp_path / "shared").mkdir()
        module = tmp_path / "shared" / "module.py"
        module.write_text("one", encoding="utf-8")
        watch = Watch(tmp_path)

        os.utime(module, ns=(1, 1))

        assert watch.changed() == Path("shared/module.py")
        assert watch.changed() is None

    def test_files_that_come_and_go_are_noticed(self, tmp_path: Path) -> None:
        watch = Watch(tmp_path)
        template = tmp_path / "template.yaml"

        template.write_text("", encoding="utf-8")
        came = watch.changed()
        template.unlink()
        went = watch.changed()

        assert (came, went) == (Path("template.yaml"), Path("template.yaml"))


def test_a_missing_emulator_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="The AWS emulator is missing"):
        require_installed(tmp_path)

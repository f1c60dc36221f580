import pytest

from farebox.adapters.provider_endpoints import ProviderEndpoints
from farebox.adapters.providers.openai_compatible import Endpoint
from farebox.domain.catalogue import load_catalogue
from farebox.domain.errors import ConfigurationError, StoreUnavailable
from tests.fakes.secret_store import FakeSecretStore


def endpoints_of(secret: dict[str, object]) -> ProviderEndpoints:
    """Make the endpoints of a secret."""
    return ProviderEndpoints(FakeSecretStore({"providers": secret}), load_catalogue())


def test_a_provider_is_where_the_catalogue_says_unless_the_operator_says_otherwise() -> None:
    endpoints = endpoints_of(
        {
            "openai": {"api_key": "sk-ours"},
            "groq": {"api_key": "gsk_ours", "base_url": "http://127.0.0.1:9/v1"},
            "ollama": {},
        }
    )()

    assert endpoints == {
        "openai": Endpoint("https://api.openai.com/v1", "sk-ours"),
        "groq": Endpoint("http://127.0.0.1:9/v1", "gsk_ours"),
        "ollama": Endpoint("http://127.0.0.1:11434/v1", None),
    }


def test_a_machine_of_ones_own_may_ask_for_a_key_too() -> None:
    endpoints = endpoints_of({"ollama": {"api_key": "local", "base_url": "https://gpu.example/v1"}})

    assert endpoints()["ollama"] == Endpoint("https://gpu.example/v1", "local")


@pytest.mark.parametrize(
    "secret",
    [
        {"nobody": {"api_key": "k"}},
        {"openai": "sk-ours"},
        {"openai": None},
        {"openai": {}},
        {"openai": {"api_key": None}},
        {"openai": {"api_key": ""}},
    ],
)
def test_what_cannot_be_used_is_the_operators_fault_and_not_quoted(
    secret: dict[str, object],
) -> None:
    with pytest.raises(ConfigurationError) as fault:
        endpoints_of(secret)()

    assert "sk-ours" not in fault.value.message


def test_the_secret_is_parsed_once_and_again_when_it_has_changed() -> None:
    secrets = FakeSecretStore({"providers": {"openai": {"api_key": "old"}}})
    endpoints = ProviderEndpoints(secrets, load_catalogue())
    first = endpoints()

    secrets.write("providers", {"openai": {"api_key": "new"}})
    cached = endpoints()
    secrets.age()

    assert cached is first
    assert endpoints()["openai"].api_key == "new"


def test_a_secret_store_that_is_down_is_unavailable() -> None:
    secrets = FakeSecretStore({"providers": {}})
    secrets.down = True

    with pytest.raises(StoreUnavailable):
        ProviderEndpoints(secrets, load_catalogue())()

"""The settings of a deployment, read from the environment once, at the start, and only here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from farebox.domain.errors import ConfigurationError
from farebox.domain.money import CreditUnit


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides; every field is one environment variable."""

    accounts_table: str
    entries_table: str
    app_table: str
    answers_bucket: str
    settlements_queue_url: str
    """Empty where a function settles nothing."""
    secrets_prefix: str
    credit_unit: CreditUnit
    sandbox_lenient: bool
    """Take any model, any field, an output cap of 0; never on AWS."""
    public_url: str
    """Where clients reach the API, for the documents that say so; may be empty."""
    region: str
    environment: Mapping[str, str]
    """The rest of it, for the standard settings of AWS clients."""

    def endpoint_url(self, service: str) -> str | None:
        """Give where an AWS service is; `None` for the real one.

        Reads `AWS_ENDPOINT_URL_<SERVICE>`, then `AWS_ENDPOINT_URL`, as AWS's own clients do.
        """
        of_service = self.environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
        return of_service or self.environment.get("AWS_ENDPOINT_URL") or None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        ConfigurationError: A variable is missing or wrong, naming it.
    """
    env = dict(os.environ if environment is None else environment)  # noqa: TID251 - its one home
    lenient = env.get("SANDBOX_LENIENT", "0") == "1"
    if lenient and "AWS_LAMBDA_RUNTIME_API" in env and "AWS_ENDPOINT_URL" not in env:
        raise ConfigurationError("SANDBOX_LENIENT is for the local sandbox, never for AWS")
    return Settings(
        accounts_table=_required(env, "ACCOUNTS_TABLE"),
        entries_table=_required(env, "ENTRIES_TABLE"),
        app_table=_required(env, "APP_TABLE"),
        answers_bucket=env.get("ANSWERS_BUCKET", ""),
        settlements_queue_url=env.get("SETTLEMENTS_QUEUE_URL", ""),
        secrets_prefix=env.get("SECRETS_PREFIX", "farebox/"),
        credit_unit=CreditUnit.from_usd(env.get("CREDIT_USD", "0.001")),
        sandbox_lenient=lenient,
        public_url=env.get("PUBLIC_URL", ""),
        region=_required(env, "AWS_REGION"),
        environment=env,
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise ConfigurationError(f"the environment variable {name} is not set")
    return value

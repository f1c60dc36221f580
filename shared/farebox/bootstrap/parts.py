"""The parts several functions are built of, each made when it is first asked for."""

from collections.abc import Iterable
from functools import cached_property
from threading import Thread
from typing import Final

from farebox.adapters.aws_credentials import credentials_from
from farebox.adapters.aws_json import HttpAwsJson
from farebox.adapters.aws_wire import (
    DYNAMODB,
    SECRETS_MANAGER,
    SQS,
    AwsWireError,
    Endpoint,
    JsonService,
)
from farebox.adapters.clock import SystemClock
from farebox.adapters.key_ring import KEYRING, SERVICE_KEYS, SecretsKeyRing
from farebox.adapters.key_store import DynamoKeyStore
from farebox.adapters.ledger_store import DynamoLedgerStore
from farebox.adapters.randomness import SystemRandomness
from farebox.adapters.secret_store import AwsSecretStore
from farebox.adapters.settlement_queue import SqsSettlementQueue
from farebox.domain.errors import StoreError
from farebox.observability import Telemetry
from farebox.services.authenticate import Authenticate
from farebox.services.ledger import Ledger
from farebox.services.ports.clock import Clock
from farebox.settings import Settings, read_settings

CREDENTIAL_SECRETS: Final = (KEYRING, SERVICE_KEYS)


class Parts:
    """What is built once a process."""

    def __init__(self, function: str) -> None:
        """Read the settings, and fail at the start if they are wrong.

        Raises:
            ConfigurationError: Naming the setting.
        """
        self.settings: Settings = read_settings()
        self.clock: Clock = SystemClock()
        self.randomness = SystemRandomness()
        self.telemetry = Telemetry(function)
        self._credentials = credentials_from(self.settings.environment, self.clock)

    def aws(self, service: JsonService) -> HttpAwsJson:
        """Make a client of an AWS service."""
        settings = self.settings
        endpoint = Endpoint(settings.region, settings.endpoint_url(service.setting))
        return HttpAwsJson(service, endpoint, self._credentials, self.clock)

    @cached_property
    def dynamodb(self) -> HttpAwsJson:
        """DynamoDB."""
        return self.aws(DYNAMODB)

    @cached_property
    def secrets(self) -> AwsSecretStore:
        """Secrets Manager, cached."""
        return AwsSecretStore(self.aws(SECRETS_MANAGER), self.settings.secrets_prefix, self.clock)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger over its tables, with the queue where the function has one."""
        settings = self.settings
        store = DynamoLedgerStore(
            self.dynamodb, settings.accounts_table, settings.entries_table, self.clock
        )
        queue = None
        if settings.settlements_queue_url:
            queue = SqsSettlementQueue(self.aws(SQS), settings.settlements_queue_url)
        return Ledger(store, self.clock, self.randomness, queue)

    @cached_property
    def authenticate(self) -> Authenticate:
        """The check of credentials."""
        keys = DynamoKeyStore(self.dynamodb, self.settings.app_table, self.clock)
        return Authenticate(keys, SecretsKeyRing(self.secrets, self.clock), self.clock)

    def warm(self, secrets: Iterable[str]) -> None:
        """Open the connection and fetch the secrets during initialisation, side by side.

        What fails here is tried again by the first request that needs it.
        """
        threads = [Thread(target=self._fetch, args=(name,)) for name in secrets]
        for thread in threads:
            thread.start()
        try:
            self.dynamodb.warm()
        except AwsWireError:
            self.telemetry.count("NotWarm")
        for thread in threads:
            thread.join()

    def _fetch(self, name: str) -> None:
        try:
            self.secrets.get(name)
        except StoreError:
            self.telemetry.count("NotWarm")

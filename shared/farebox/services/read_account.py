"""The figures of an account."""

from farebox.domain.errors import NotFound
from farebox.domain.identity import Principal
from farebox.domain.ledger import Account
from farebox.services.ledger import Ledger


class ReadAccount:
    """Reads the caller's account, after giving back what has expired on it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, principal: Principal) -> Account:
        """Read the account.

        Raises:
            NotFound: The credential's account does not exist.
            StoreUnavailable: It cannot be read now.
        """
        account = self._ledger.store.account(principal.account_id)
        if account is not None and self._ledger.sweep_account(account):
            account = self._ledger.store.account(principal.account_id)
        if account is None:
            raise NotFound("This credential has no account.")
        return account

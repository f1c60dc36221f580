"""The ledger's commands as DynamoDB writes: one item, one condition, one update expression each.

Every attribute goes by an alias: some of our names are reserved words, and the list of those grows.
A condition here and `farebox.domain.protocol.why_declined` say the same thing twice; the contract
suite holds them to each other, clause by clause.
"""

from collections.abc import Iterable, Iterator, Sequence

from farebox.adapters.aws_wire import Json
from farebox.adapters.dynamodb_items import (
    Item,
    account_key,
    entry_item,
    number,
    text,
)
from farebox.domain.ledger import IN_FLIGHT_CAP, AccountStatus, Entry
from farebox.domain.protocol import Enlarge, Release, Renew, Reserve


class ItemUpdate:
    """An UpdateItem call in the making: names and values are declared where they are used."""

    def __init__(self, table: str, key: Item) -> None:
        self._table = table
        self._key = key
        self._names: dict[str, str] = {}
        self._values: Item = {}

    def name(self, attribute: str, alias: str | None = None) -> str:
        """Declare an attribute, and give what stands for it in expressions."""
        placeholder = f"#{alias or attribute}"
        self._names[placeholder] = attribute
        return placeholder

    def number(self, label: str, value: int) -> str:
        """Declare an integer, and give what stands for it in expressions."""
        self._values[f":{label}"] = number(value)
        return f":{label}"

    def text(self, label: str, value: str) -> str:
        """Declare a string, and give what stands for it in expressions."""
        self._values[f":{label}"] = text(value)
        return f":{label}"

    def hold(self, rid: str) -> str:
        """Declare the place of a hold in its account."""
        return f"{self.name('holds')}.{self.name(rid, 'rid')}"

    def key_counter(self, keyslot: str) -> str:
        """Declare the counter of a key's budget."""
        return self.name(f"k{keyslot}", "key")

    def payload(
        self,
        *,
        sets: Sequence[str] = (),
        adds: Sequence[str] = (),
        removes: Sequence[str] = (),
        condition: Iterable[str],
    ) -> Json:
        """Compose the call: what changes, and the clauses that must all hold for it."""
        sections = (("SET", sets), ("ADD", adds), ("REMOVE", removes))
        return {
            "TableName": self._table,
            "Key": self._key,
            "UpdateExpression": " ".join(
                f"{verb} {', '.join(actions)}" for verb, actions in sections if actions
            ),
            "ConditionExpression": " AND ".join(condition),
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": self._values,
        }


def update_of(command: Reserve | Release | Renew | Enlarge, table: str) -> Json:
    """Compose the write of a command on its account.

    It answers with the whole account: as it is after the write, or as it was if the condition
    failed.
    """
    payload = _composed(command, ItemUpdate(table, account_key(command.account_id)))
    return payload | {
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _composed(command: Reserve | Release | Renew | Enlarge, update: ItemUpdate) -> Json:
    match command:
        case Reserve():
            return _reserve(command, update)
        case Release():
            return _release(command, update)
        case Renew():
            return _renew(command, update)
        case Enlarge():
            return _enlarge(command, update)


def _reserve(command: Reserve, update: ItemUpdate) -> Json:
    admission = command.admission
    available, first_expiry = update.name("available"), update.name("hx")
    # What the hold says, and not the quote it was made from: a release gives back what it says.
    amount = update.number("amount", command.hold.amount_nanousd)
    hold = update.hold(admission.rid)

    # Only an account that exists has a status, so this clause also refuses one that does not.
    is_active = f"{update.name('status')} = {update.text('active', AccountStatus.ACTIVE)}"
    # The quote was computed with this tier's prices; another may have been given since.
    has_the_tier = f"{update.name('tier')} = {update.text('tier', admission.tier)}"
    # A refund of credits already spent blocks the account until it is paid.
    owes_nothing = f"{update.name('debt')} <= {update.number('zero', 0)}"
    # The item stays small, and a caller cannot start requests without end.
    has_room = f"size({update.name('holds')}) < {update.number('cap', IN_FLIGHT_CAP)}"
    # The whole quote or nothing: this is what makes an overdraft impossible.
    can_pay = f"{available} >= {amount}"
    # No earlier send of this same reserve has landed.
    is_no_duplicate = f"attribute_not_exists({hold})"

    expiry = update.number("expiry", command.hold.expires_at)
    return update.payload(
        sets=(
            f"{available} = {available} - {amount}",
            f"{hold} = {update.text('hold', str(command.hold))}",
            # The first hold of several decides when the sweeper looks.
            f"{first_expiry} = if_not_exists({first_expiry}, {expiry})",
        ),
        adds=_counted(command, update),
        condition=(
            is_active,
            has_the_tier,
            owes_nothing,
            *_within_limits(command, update),
            has_room,
            can_pay,
            is_no_duplicate,
        ),
    )


def _within_limits(command: Reserve, update: ItemUpdate) -> Iterator[str]:
    admission = command.admission
    for index, window in enumerate(admission.windows):
        if window.limit is not None:
            counter = update.name(window.window)
            yield _at_most(update, counter, f"limit{index}", window.limit - 1)
    if admission.key_budget_nanousd is not None:
        left_nanousd = admission.key_budget_nanousd - command.hold.amount_nanousd
        yield _at_most(update, update.key_counter(admission.keyslot), "left", left_nanousd)


def _at_most(update: ItemUpdate, counter: str, label: str, most: int) -> str:
    within = f"{counter} <= {update.number(label, most)}"
    # An absent counter is 0, and even that is too much for a limit that admits nothing.
    return f"(attribute_not_exists({counter}) OR {within})" if most >= 0 else within


def _counted(command: Reserve, update: ItemUpdate) -> list[str]:
    windows = command.admission.windows
    counted = [f"{update.name(each.window)} {update.number('one', 1)}" for each in windows]
    if command.hold.keyslot:
        amount = update.number("amount", command.hold.amount_nanousd)
        counted.append(f"{update.key_counter(command.hold.keyslot)} {amount}")
    return counted


def _release(command: Release, update: ItemUpdate) -> Json:
    available, spent = update.name("available"), update.name("spent")
    refund = update.number("refund", command.refund_nanousd)
    cost = update.number("cost", command.cost_nanousd)
    hold = update.hold(command.rid)

    # The whole string: a renewed or enlarged hold is not the one this release was computed from,
    # and a released one is gone, so that no release is booked twice.
    is_the_hold = f"{hold} = {update.text('hold', command.hold)}"

    lowered = [(update.name(window), update.number("one", 1)) for window in command.windows]
    if command.keyslot:
        lowered.append((update.key_counter(command.keyslot), refund))
    return update.payload(
        sets=(
            f"{available} = {available} + {refund}",
            f"{spent} = {spent} + {cost}",
            # A counter that was cleaned up meanwhile comes back as 0 instead of failing the write.
            *(f"{name} = if_not_exists({name}, {by}) - {by}" for name, by in lowered),
        ),
        removes=(hold,),
        condition=(is_the_hold,),
    )


def _renew(command: Renew, update: ItemUpdate) -> Json:
    hold = update.hold(command.rid)

    # A hold that was swept stays swept: only the string we know is prolonged.
    is_the_hold = f"{hold} = {update.text('hold', command.hold)}"

    return update.payload(
        sets=(f"{hold} = {update.text('renewed', command.renewed)}",), condition=(is_the_hold,)
    )


def _enlarge(command: Enlarge, update: ItemUpdate) -> Json:
    available = update.name("available")
    extra = update.number("extra", command.extra_nanousd)
    hold = update.hold(command.rid)

    # As for a renewal; it also keeps a command that is sent again from taking the extra twice.
    is_the_hold = f"{hold} = {update.text('hold', command.hold)}"
    # The difference is taken under the same rule as the quote was.
    can_pay = f"{available} >= {extra}"

    return update.payload(
        sets=(
            f"{available} = {available} - {extra}",
            f"{hold} = {update.text('enlarged', command.enlarged)}",
        ),
        adds=[f"{update.key_counter(command.keyslot)} {extra}"] if command.keyslot else [],
        condition=(is_the_hold, can_pay),
    )


def reset_of(account_id: str, seen: int, following: int | None, table: str) -> Json:
    """Compose the write that moves an account to its place in the sweeper's index."""
    update = ItemUpdate(table, account_key(account_id))
    first_expiry = update.name("hx")

    # Another sweeper, or a reserve after a removal, may have changed it since we looked.
    is_as_seen = f"{first_expiry} = {update.number('seen', seen)}"

    if following is not None:
        moved = f"{first_expiry} = {update.number('following', following)}"
        return update.payload(sets=(moved,), condition=(is_as_seen,))

    # A hold made since we looked found the attribute there and left it: it needs this one.
    has_no_hold = f"size({update.name('holds')}) = {update.number('zero', 0)}"

    return update.payload(removes=(first_expiry,), condition=(is_as_seen, has_no_hold))


def creation_of(item: Item, table: str) -> Json:
    """Compose the write of an item that nobody may overwrite."""
    return {
        "TableName": table,
        "Item": item,
        # Whatever has this key already stays as it is.
        "ConditionExpression": "attribute_not_exists(pk)",
    }


def grant_of(entry: Entry, accounts_table: str, entries_table: str) -> Json:
    """Compose the transaction that writes a grant's entry and credits its account."""
    update = ItemUpdate(accounts_table, account_key(entry.account_id))
    available, granted = update.name("available"), update.name("granted")
    amount = update.number("amount", entry.amount_nanousd)

    # An update without a condition would create an account out of nothing but credits.
    exists = f"attribute_exists({available})"

    credit = update.payload(
        sets=(f"{available} = {available} + {amount}", f"{granted} = {granted} + {amount}"),
        condition=(exists,),
    )
    put = creation_of(entry_item(entry), entries_table)
    return {"TransactItems": [{"Put": put}, {"Update": credit}]}

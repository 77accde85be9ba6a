"""What says how to reach somebody, or who they are to a shop: sealed wherever it is kept (docs/adr/0020)."""

from typing import Final

# Of a customer (`shops.customers.Customer`). A shop's own number for one is an e-mail address often enough.
OF_CUSTOMER: Final = ("id", "email", "phone")
CUSTOMER: Final = tuple(f"customer.{name}" for name in OF_CUSTOMER)
# By the type of the event, where it stands in the facts.
PRIVATE: Final[dict[str, tuple[str, ...]]] = {
    "session.deferred": ("email",),
    "visitor.introduced": ("email",),
    "session.identified": CUSTOMER,
    "customer.described": CUSTOMER,
    "mail.sent": ("to",),
    "mail.failed": ("to", "detail"),
}

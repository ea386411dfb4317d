"""The one way out over HTTP: for steps, webhooks and notification channels.

What may be talked to is decided by address, not by name: a name is resolved once, each address is checked,
and the connection goes to exactly the address that was checked. Nothing is read from the environment.
"""

from infra.egress.client import Answer, Ask, Egress, Limits
from infra.egress.faults import EgressFault
from infra.egress.rules import AddressRule
from infra.egress.tls import Trust

__all__ = ["AddressRule", "Answer", "Ask", "Egress", "EgressFault", "Limits", "Trust"]

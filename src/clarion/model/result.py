"""What became of one try to send one message."""

import msgspec

from clarion.model.clock import Millis
from clarion.model.outcome import MessageStatus, Outcome, Verdict
from clarion.model.push import Send


class Result(msgspec.Struct, frozen=True):
    """A try and its verdict. `retry_at` is set while the message is pending."""

    environment_id: str
    integration_id: str
    send: Send
    title: str
    content: str
    status: MessageStatus
    verdict: Verdict
    at: Millis
    retry_at: Millis | None = None

    @property
    def token_died(self) -> bool:
        """Whether the device is to be retired."""
        return self.verdict.outcome is Outcome.TOKEN_DEAD and self.send.device_id != 0

"""The trace of a notification: what happened, step by step, and why."""

from enum import Enum
from typing import Any

import msgspec

from clarion.model.clock import Millis


class Event(Enum):
    """What can happen to a step: (name stored, text shown, status shown), as Novu words them."""

    STEP_CREATED = ("step_created", "Step created", "Pending")
    STEP_QUEUED = ("step_queued", "Step queued", "Pending")
    STEP_CANCELED = ("step_canceled", "Step canceled", "Failed")
    WORKFLOW_MISSING = ("workflow_missing", "Workflow was deleted before it could run", "Failed")
    CONTENT_FAILED = ("message_content_failed", "Message content could not be generated", "Failed")
    TRANSACTION_KNOWN = (
        "transaction_known",
        "The transaction was triggered before, so this would be left out",
        "Failed",
    )
    NOT_ADDRESSED = (
        "recipient_not_addressed",
        "The subscriber is not among the recipients, or is not addressed yet",
        "Pending",
    )
    WANTED = ("step_wanted", "Step is wanted by the preferences", "Success")
    CONDITION_HELD = ("step_condition_held", "Step's condition holds", "Success")
    SCHEDULE_OPEN = ("schedule_open", "The subscriber's schedule is open", "Success")
    CONTENT_CUT = (
        "message_content_cut",
        "Message content was cut to what the provider takes",
        "Warning",
    )
    SKIPPED_BY_CONDITIONS = (
        "step_skipped_by_conditions",
        "Step was filtered based on steps filters",
        "Success",
    )
    DEFERRED_TO_SCHEDULE = (
        "step_extended_to_schedule",
        "Step was deferred to the subscriber's schedule",
        "Pending",
    )
    OUTSIDE_SCHEDULE = (
        "step_skipped_outside_of_the_schedule",
        "Step was skipped outside of the subscriber's schedule",
        "Success",
    )
    FREQUENCY_CAPPED = (
        "step_skipped_by_frequency_cap",
        "Step was skipped: a frequency cap of the environment is used up",
        "Success",
    )
    FREQUENCY_LEFT = ("frequency_cap_left", "The frequency caps of the environment have room", "Success")
    FILTERED_BY_WORKFLOW = (
        "step_filtered_by_workflow",
        "Step filtered by workflow resource preferences",
        "Success",
    )
    FILTERED_BY_DASHBOARD = (
        "step_filtered_by_dashboard",
        "Step filtered by user workflow preferences",
        "Success",
    )
    FILTERED_BY_SUBSCRIBER = (
        "step_filtered_by_subscriber",
        "Step filtered by subscriber global preferences",
        "Success",
    )
    FILTERED_BY_SUBSCRIBER_OF_WORKFLOW = (
        "step_filtered_by_subscriber_of_workflow",
        "Step filtered by subscriber workflow preferences",
        "Success",
    )
    FILTERED_BY_SUBSCRIPTION = (
        "step_filtered_by_subscription",
        "Step filtered by topic subscription preferences",
        "Success",
    )
    NO_CHANNEL = ("subscriber_channel_missing", "Subscriber does not have a configured channel", "Warning")
    NO_CHOSEN_DEVICE = (
        "chosen_devices_missing",
        "Subscriber has none of the devices that the trigger chose",
        "Warning",
    )
    NO_TOKENS = (
        "push_tokens_missing",
        "Subscriber credentials is missing the tokens for sending a push notification message",
        "Failed",
    )
    NO_INTEGRATION = (
        "subscriber_integration_missing",
        "Subscriber does not have an active integration",
        "Failed",
    )
    INTEGRATION_SELECTED = ("integration_selected", "Integration instance selected", "Pending")
    MESSAGE_CREATED = ("message_created", "Message created", "Pending")
    MESSAGE_SENT = ("message_sent", "Message sent", "Success")
    PROVIDER_ERROR = ("provider_error", "Unexpected provider error", "Failed")
    RETRY_SCHEDULED = (
        "retry_scheduled",
        "Provider could not take the message yet, it will be sent again",
        "Warning",
    )
    TOKEN_REMOVED = ("push_invalid_token_removed", "Invalid device token removed", "Success")
    CHANNELS_REFUSED = ("subscriber_channels_refused", "Device tokens of the trigger were refused", "Failed")
    NOTIFICATION_ERROR = (
        "notification_error",
        "There was one or more errors when trying to execute the notification",
        "Failed",
    )

    def __init__(self, code: str, text: str, status: str) -> None:
        self.code = code
        self.text = text
        self.status = status


EVENTS = {event.code: event for event in Event}


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a trace. `event` is an `Event.code`; `raw` whatever helps to understand it.

    `device_id` is 0 where it isn't about one device, or about a token that only the trigger names.
    """

    event: str
    at: Millis
    step_id: str = ""
    provider_id: str = ""
    message_id: str = ""
    raw: dict[str, Any] | None = None
    device_id: int = 0

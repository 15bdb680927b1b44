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
    STEP_DELAYED = ("step_delayed", "Step delayed", "Pending")
    DELAY_FINISHED = ("delay_finished", "Delay is finished", "Success")
    DELAY_FAILED = ("delay_failed", "The delay names no time that it could wait for", "Failed")
    DELAY_LIMIT_EXCEEDED = (
        "delay_limit_exceeded",
        "The time is further away than a step may wait",
        "Failed",
    )
    START_DIGESTING = ("digest_started", "Start digesting", "Pending")
    DIGEST_MERGED = ("digest_merged", "Digest was merged with other digest", "Success")
    DIGEST_SKIPPED = (
        "digest_skipped",
        "Digest was skipped: no event came in the look-back window",
        "Success",
    )
    DIGEST_TRIGGERED = ("digest_triggered_events", "Digest triggered events", "Success")
    DIGEST_FAILED = ("digest_failed", "The digest names no time that it could wait for", "Failed")
    THROTTLE_PASSED = ("throttle_passed", "The throttle has room", "Success")
    STEP_THROTTLED = ("step_throttled", "Step throttled: its limit is used up", "Success")
    THROTTLE_FAILED = ("throttle_failed", "The throttle names no window", "Failed")
    THROTTLE_WINDOW_IN_PAST = (
        "throttle_window_in_past",
        "The window of the throttle is over already",
        "Failed",
    )
    SCHEDULE_EXTENSIONS_SPENT = (
        "step_skipped_max_extensions_reached",
        "Step was put off to the subscriber's schedule as often as it may be",
        "Success",
    )
    HTTP_REQUESTED = ("http_request_queued", "HTTP request is sent", "Pending")
    HTTP_ANSWERED = ("http_request_completed", "HTTP request was answered", "Success")
    HTTP_FAILED = ("http_request_failed", "HTTP request failed", "Failed")
    HTTP_NOT_REHEARSED = ("http_request_not_rehearsed", "HTTP request would be sent", "Pending")
    CUSTOM_COMPLETED = ("custom_step_completed", "Custom step executed", "Success")
    CUSTOM_FAILED = ("custom_step_failed", "Custom step failed", "Failed")
    AWAITING_OUTCOME = (
        "step_awaits_outcome",
        "Step waits for what becomes of the push before it",
        "Pending",
    )
    FAILOVER = (
        "integration_failover",
        "Nothing arrived through the integration, the next one is tried",
        "Warning",
    )
    FAILOVER_SPENT = (
        "integration_failover_spent",
        "Nothing arrived through any of the integrations of the step",
        "Failed",
    )
    RUN_STOPPED = ("run_stopped", "Workflow was stopped before this step", "Success")
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

"""What the topic subscriptions that a trigger reaches people through say to it."""

from collections.abc import Iterable, Mapping, Sequence

from clarion.compose.conditions import Condition, Held
from clarion.compose.variables import profile, variables
from clarion.model.people import Subscriber
from clarion.model.preference import SubscriptionPreference, is_critical
from clarion.model.trigger import Trigger
from clarion.model.workflow import Workflow

_WANTED = Held(True)


class Subscriptions:
    """Asked for each recipient of one trigger. A subscription that says nothing of its workflow wants it, and
    a critical workflow asks nobody."""

    def __init__(self, trigger: Trigger, workflow: Workflow, env: Mapping[str, str]) -> None:
        self._workflow_id = workflow.id
        self._critical = is_critical(workflow)
        self._variables = variables(trigger, workflow, env)

    def want(self, subscriber: Subscriber, through: Iterable[Sequence[SubscriptionPreference]]) -> Held:
        """Whether any of the subscriptions wants the trigger; else what the last one says."""
        said = _WANTED
        for preferences in through:
            said = self._says(subscriber, preferences)
            if said.holds:
                break
        return said

    def _says(self, subscriber: Subscriber, preferences: Sequence[SubscriptionPreference]) -> Held:
        own = next((item for item in preferences if item.workflow_id == self._workflow_id), None)
        if own is None or self._critical:
            return _WANTED
        if own.condition is None:
            return Held(own.enabled)
        return Condition(own.condition).held({**self._variables, "subscriber": profile(subscriber)})

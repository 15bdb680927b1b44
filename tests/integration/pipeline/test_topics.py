"""Topics on either database: reached in just the contexts of a trigger, as subscriptions want."""

import msgspec
from sqlalchemy.engine import Connection

from clarion.model.context import NO_SCOPE
from clarion.model.preference import SubscriptionPreference
from clarion.model.trace import Event
from clarion.model.trigger import TopicAudience
from clarion.store import subscribers, topics
from clarion.store.topics import NewSubscription
from pipeline import Pipeline

FLOW = "w-dev"
ACME = "tenant:acme"
TOPIC = [TopicAudience("news")]


async def subscribe(
    pipeline: Pipeline, name: str, scope: str = NO_SCOPE, *wanted: SubscriptionPreference
) -> None:
    def write(connection: Connection) -> None:
        person = subscribers.get(connection, pipeline.environment_id, name)
        assert person is not None
        topic, _ = topics.ensure(connection, pipeline.environment_id, "news", None, pipeline.clock())
        made = NewSubscription(person, f"{name} in {scope} for {wanted}", None, scope, wanted)
        topics.subscribe(connection, topic, [made], pipeline.clock())

    await pipeline.database.write(write)


def wanting(enabled: bool = True, text: str | None = None) -> SubscriptionPreference:
    condition = None if text is None else {"==": [{"var": "payload.text"}, text]}
    return SubscriptionPreference(FLOW, enabled, condition)


async def test_a_topic_is_reached_in_exactly_the_contexts_of_the_trigger(pipeline: Pipeline) -> None:
    await pipeline.register_all({name: [f"{name}-phone"] for name in ("ada", "bob", "cleo")})
    await subscribe(pipeline, "ada", ACME)
    await subscribe(pipeline, "bob", ACME)
    await subscribe(pipeline, "bob")
    await subscribe(pipeline, "cleo")
    await pipeline.trigger(topics=TOPIC, context={"tenant": {"id": "acme"}})
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["ada-phone", "bob-phone"]
    await pipeline.trigger(topics=TOPIC)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["ada-phone", "bob-phone", "bob-phone", "cleo-phone"]
    await pipeline.trigger(topics=TOPIC, context={"tenant": {"id": "acme"}, "app": {"id": "crm"}})
    await pipeline.drain()
    assert len(pipeline.tokens_sent_to) == 4


async def test_what_a_subscription_does_not_want_is_not_sent_and_said_so(pipeline: Pipeline) -> None:
    names = ("off", "no", "yes", "either", "other")
    await pipeline.register_all({name: [f"{name}-phone"] for name in names})
    await subscribe(pipeline, "off", NO_SCOPE, wanting(enabled=False))
    await subscribe(pipeline, "no", NO_SCOPE, wanting(text="Bye"))
    await subscribe(pipeline, "yes", NO_SCOPE, wanting(text="Hello"))
    await subscribe(pipeline, "either", NO_SCOPE, wanting(enabled=False))
    await subscribe(pipeline, "either", NO_SCOPE, wanting(text="Hello"))
    await subscribe(pipeline, "other", NO_SCOPE, SubscriptionPreference("another", enabled=False))
    await pipeline.trigger(topics=TOPIC)
    await pipeline.drain()
    assert pipeline.tokens_sent_to == ["either-phone", "other-phone", "yes-phone"]
    found = {name: events for name, _, events in await pipeline.notified()}
    refused = [Event.FILTERED_BY_SUBSCRIPTION.code]
    assert found == {"off": refused, "no": refused, "yes": [], "either": [], "other": []}


async def test_a_subscription_is_written_once_and_changed_whole(pipeline: Pipeline) -> None:
    await pipeline.register("ada", "phone")
    await subscribe(pipeline, "ada", ACME, wanting(text="Hello"))
    await subscribe(pipeline, "ada", ACME, wanting(text="Hello"))

    def change(connection: Connection) -> topics.Subscription:
        topic = topics.get(connection, pipeline.environment_id, "news")
        assert topic is not None
        (found,) = topics.subscriptions_of(connection, topic, subscriber_id="ada")
        assert (found.scope, found.preferences) == (ACME, [wanting(text="Hello")])
        topics.change_subscription(connection, msgspec.structs.replace(found, name="Mine", preferences=[]))
        (again,) = topics.subscriptions_of(connection, topic, subscriber_id="ada")
        return again

    found = await pipeline.database.write(change)
    assert (found.name, found.preferences) == ("Mine", [])

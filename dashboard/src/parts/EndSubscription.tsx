import { useChange } from "../data/change";
import { api, whole } from "../data/client";
import { text } from "../text";
import { ConfirmButton } from "./ConfirmButton";

interface EndSubscriptionProps {
  topicKey: string;
  subscriberId: string;
  /** Of the subscription. */
  identifier: string;
  /** What the button is called, of which of several it is, what it asks, and what is said when it is done. */
  words: { label: string; of: string; asks: string; done: string };
}

/** Ends a subscriber's subscription to a topic, from either side. */
export function EndSubscription({ topicKey, subscriberId, identifier, words }: EndSubscriptionProps) {
  const end = useChange(
    () => whole(api.DELETE("/v2/topics/{topicKey}/subscriptions", { params: { path: { topicKey } }, body: { subscriptions: [{ identifier, subscriberId }] } })),
    { stale: ["subscriptions"], said: words.done },
  );
  return (
    <ConfirmButton
      needs="editor"
      size="compact-xs"
      variant="default"
      aria-label={`${words.label} ${words.of}`}
      label={words.label}
      title={words.asks}
      loses={text.subscribers.topics.leavingLoses}
      change={end}
    />
  );
}

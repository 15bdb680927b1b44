/** Asks before a page, or a tab of it, is left with what isn't saved. */
import { useBlocker } from "@tanstack/react-router";
import { text } from "../text";
import { Ask } from "./Confirm";
import { leaves, type Whereabouts } from "../data/unsaved";

interface LeavingProps {
  changed: boolean;
  /** What would be lost. */
  loses: string;
  /** Whether what isn't saved stays while other tabs of the page are looked at. */
  keptInTabs?: boolean;
}

export function Leaving({ changed, loses, keptInTabs = false }: LeavingProps) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => changed && leaves(current as Whereabouts, next as Whereabouts, keptInTabs),
    enableBeforeUnload: () => changed,
    withResolver: true,
  });
  return (
    <Ask
      opened={blocker.status === "blocked"}
      close={() => blocker.reset?.()}
      title={text.unsaved.title}
      loses={loses}
      action={text.unsaved.leave}
      back={text.unsaved.stay}
      act={() => blocker.proceed?.()}
    />
  );
}

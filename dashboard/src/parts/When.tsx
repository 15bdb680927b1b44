import { Tooltip } from "@mantine/core";
import { momentOf } from "../data/moments";

/** A time in the viewer's zone; the exact instant on hover. */
export function When({ at }: { at: string }) {
  return (
    <Tooltip label={at}>
      <time dateTime={at}>{momentOf(at, new Date())}</time>
    </Tooltip>
  );
}

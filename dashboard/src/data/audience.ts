/** How many people a broadcast reaches. */

export interface Count {
  totalCount: number;
  totalCountCapped: boolean;
}

export interface Audience {
  people: number;
  /** Whether there are more, since counting ends somewhere. */
  more: boolean;
  /** Whether there may be fewer, since who is in two topics gets one push. */
  fewer: boolean;
}

/** All that are counted; of several lists somebody may be in more than one. */
export function audienceOf(counts: readonly Count[]): Audience {
  const people = counts.reduce((sum, one) => sum + one.totalCount, 0);
  return { people, more: counts.some((one) => one.totalCountCapped), fewer: counts.filter((one) => one.totalCount > 0).length > 1 };
}

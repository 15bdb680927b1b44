import { Card, Group, SegmentedControl, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconChartAreaLine } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { lazy, memo, Suspense, useState } from "react";
import { api, told } from "../../data/client";
import { beat } from "../../data/live";
import { latency, MEASURES, percent, totals, type By, type Measure, type Statistics } from "../../data/overview";
import { spanOf } from "../../data/moments";
import { Empty, Heading, Loaded, Waiting } from "../../parts/states";
import { text } from "../../text";
import { Attention } from "./Attention";
import { useJournal } from "./data";
import { FirstSteps } from "./FirstSteps";
import { Health } from "./Health";

const Chart = lazy(() => import("./Chart"));
const words = text.overview;
const RANGES = { "24h": [24, "hour"], "7d": [168, "hour"], "30d": [720, "day"] } as const;
type Range = keyof typeof RANGES;
const HOUR = 3_600_000;

/** What became of pushes, how the integrations stand, and what needs a look first. */
export function Overview() {
  const [range, setRange] = useState<Range>("24h");
  const statistics = useQuery({
    queryKey: ["statistics", range],
    queryFn: () => {
      const [hours, step] = RANGES[range];
      const before = Date.now();
      const query = { after: new Date(before - hours * HOUR).toISOString(), before: new Date(before).toISOString(), step };
      return told(api.GET("/v1/statistics", { params: { query } }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: () => beat(15_000),
  });
  return (
    <>
      <Heading title={words.title} about={words.about}>
        <SegmentedControl
          aria-label={words.range}
          value={range}
          onChange={(value) => setRange(value as Range)}
          data={Object.keys(RANGES).map((value) => ({ value, label: words.ranges[value] ?? value }))}
        />
      </Heading>
      <Stack gap="lg">
        <FirstSteps />
        <Loaded query={statistics}>{(found) => <Told statistics={found} />}</Loaded>
      </Stack>
    </>
  );
}

/** Drawn when other numbers come, and not when another time is chosen: that answers the press at once. */
const Told = memo(function Told({ statistics }: { statistics: Statistics }) {
  return (
    <>
      <Attention statistics={statistics} />
      <Tiles statistics={statistics} />
      <Outcomes statistics={statistics} />
      <Health statistics={statistics} />
    </>
  );
});

function Tiles({ statistics: { outcomes } }: { statistics: Statistics }) {
  const sums = totals(outcomes);
  const took = latency(outcomes);
  const tried = sums.delivered + sums.failed;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
      <Tile name={words.delivered} value={sums.delivered.toLocaleString()} help={tried > 0 ? words.rate(percent(sums.delivered / tried)) : words.help["delivered"]} />
      <Tile name={words.failed} value={sums.failed.toLocaleString()} help={words.help["failed"]} />
      <Tile name={words.skipped} value={sums.skipped.toLocaleString()} help={words.help["skipped"]} />
      <Tile name={words.opened} value={sums.opened.toLocaleString()} help={words.help["opened"]} />
      <Tile
        name={words.latency}
        value={took ? spanOf(took.average) : words.noLatency}
        help={took ? `${words.slowest}: ${spanOf(took.slowest)}` : words.latencyHelp}
      />
      <Backlog />
    </SimpleGrid>
  );
}

/** What waits in the journal, where the viewer may know. */
function Backlog() {
  const lanes = useJournal().data?.lanes;
  if (!lanes) return null;
  const oldest = Math.max(0, ...lanes.map((lane) => lane.oldest ?? 0));
  const waiting = lanes.reduce((all, lane) => all + lane.records, 0);
  return <Tile name={words.backlog} value={waiting.toLocaleString()} help={oldest > 0 ? words.oldest(spanOf(oldest)) : words.backlogHelp} />;
}

function Tile({ name, value, help }: { name: string; value: string; help: string | undefined }) {
  return (
    <Card>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text fz={26} fw={650} lh={1.3} style={{ fontVariantNumeric: "tabular-nums" }}>
        {value}
      </Text>
      <Text size="xs" c="dimmed">
        {help}
      </Text>
    </Card>
  );
}

function Outcomes({ statistics }: { statistics: Statistics }) {
  const [by, setBy] = useState<By>("outcome");
  const [wanted, want] = useState<Measure>("delivered");
  const measures: readonly Measure[] = MEASURES[by];
  const measure = measures.includes(wanted) ? wanted : "delivered";
  const shown = by === "outcome" ? statistics.outcomes : statistics.outcomes.filter((one) => one[measure]);
  return (
    <Card component="section" aria-labelledby="chart">
      <Group justify="space-between" mb="md">
        <Title order={2} id="chart">
          {words.chart}
        </Title>
        <Group gap="xs">
          {measures.length > 0 && (
            <SegmentedControl
              size="xs"
              aria-label={words.measure}
              value={measure}
              onChange={(value) => want(value as Measure)}
              data={measures.map((value) => ({ value, label: words[value] }))}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label={words.by}
            value={by}
            onChange={(value) => setBy(value as By)}
            data={(["outcome", "provider", "workflow"] as const).map((value) => ({ value, label: words.bys[value] ?? value }))}
          />
        </Group>
      </Group>
      {statistics.outcomes.length === 0 ? (
        <Empty icon={IconChartAreaLine} title={words.nothing} help={words.nothingHelp} />
      ) : shown.length === 0 ? (
        <Empty icon={IconChartAreaLine} title={words.noneOf(words[measure])} help={words.noneOfHelp} />
      ) : (
        <Suspense fallback={<Waiting />}>
          <Chart statistics={statistics} by={by} measure={measure} />
        </Suspense>
      )}
    </Card>
  );
}

import { BarChart } from "@mantine/charts";
import "@mantine/charts/styles.css";
import { VisuallyHidden } from "@mantine/core";
import { chart, NOBODY, OTHERS, type By, type Count, type Measure, type Statistics } from "../../data/overview";
import { text } from "../../text";

const words = text.overview;
const TONES: Record<Count, string> = { delivered: "teal.6", failed: "red.6", skipped: "yellow.6", opened: "indigo.5", pending: "blue.4", cancelled: "gray.5" };
const COLORS = ["indigo.6", "teal.6", "orange.6", "violet.5", "blue.4", "gray.6"];
const DAY = 86_400_000;

/** Bars over time, one colour a series; the same numbers as a table for those who don't see it. */
export default function Chart({ statistics, by, measure }: { statistics: Statistics; by: By; measure: Measure }) {
  const { series, points } = chart(statistics, by, measure);
  const own: Record<string, string> = { [OTHERS]: words.others, [NOBODY]: words.nobody };
  const named = (name: string) => (by === "outcome" ? words[name as Count] : (own[name] ?? name));
  const daily = statistics.step >= DAY;
  const shown = points.map((one) => ({ ...one, time: timeOf(one.at, daily) }));
  return (
    <>
      <BarChart
        h={260}
        data={shown}
        dataKey="time"
        type="stacked"
        withLegend
        tickLine="none"
        gridAxis="x"
        series={series.map((name, at) => ({
          name,
          label: named(name),
          color: by === "outcome" ? TONES[name as Count] : (COLORS[at] ?? "gray.6"),
        }))}
        barProps={{ isAnimationActive: false, radius: 2 }}
        valueFormatter={(value) => value.toLocaleString()}
        barChartProps={{ accessibilityLayer: false }}
        aria-hidden
      />
      <VisuallyHidden>
        <table>
          <caption>{by === "outcome" ? words.chart : `${words.chart}: ${words[measure]}`}</caption>
          <tbody>
            {shown
              .filter((one) => series.some((name) => one[name as keyof typeof one]))
              .map((one) => (
                <tr key={one.at}>
                  <th scope="row">{one.time}</th>
                  {series.map((name) => (
                    <td key={name}>{`${named(name)}: ${one[name as keyof typeof one]}`}</td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </VisuallyHidden>
    </>
  );
}

function timeOf(at: string, daily: boolean): string {
  const time = new Date(at);
  const day = time.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  return daily ? day : `${day} ${time.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}`;
}

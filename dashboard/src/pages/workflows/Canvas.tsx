import { ActionIcon, Menu, Text, ThemeIcon, UnstyledButton, useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { IconArrowsJoin2, IconBell, IconBolt, IconClock, IconCode, IconFilter, IconPlus, IconWorld, type Icon } from "@tabler/icons-react";
import { Background, Handle, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { STEP_KINDS, summary, type StepKind } from "../../data/steps";
import { workflowText } from "../../text/workflows";
import classes from "./Canvas.module.css";
import type { DraftStep } from "./draft";

const words = workflowText;
const WIDTH = 232;
const STEP = 116;
const FIRST = 92;
const MARGIN = 90;
const LEAST = 340;

export const ICONS: Record<string, Icon> = {
  push: IconBell, delay: IconClock, digest: IconArrowsJoin2, throttle: IconFilter, http_request: IconWorld, custom: IconCode,
};

interface CanvasProps {
  steps: DraftStep[];
  chosen: string | null;
  /** How many problems the saved steps have, by `_id`. */
  issues: Map<string, number>;
  choose: (key: string) => void;
  add: (at: number, kind: StepKind) => void;
}

/** The steps from trigger to end, and a plus between any two. */
export function Canvas({ steps, chosen, issues, choose, add }: CanvasProps) {
  const scheme = useComputedColorScheme("light");
  const { ref, width } = useElementSize();
  const nodes: Node[] = [
    { id: "trigger", type: "mark", position: { x: 0, y: 0 }, data: { label: words.canvas.trigger, first: true } },
    ...steps.flatMap((step, at): Node[] => [
      plus(at, FIRST - 46 + at * STEP, add),
      {
        id: step.key,
        type: "step",
        position: { x: 0, y: FIRST + at * STEP },
        data: { step, chosen: step.key === chosen, problems: issues.get(step._id ?? "") ?? 0, choose },
      },
    ]),
    plus(steps.length, FIRST - 46 + steps.length * STEP, add),
    { id: "end", type: "mark", position: { x: 0, y: FIRST + steps.length * STEP }, data: { label: words.canvas.end } },
  ];
  const order = ["trigger", ...steps.map((step) => step.key), "end"];
  const edges: Edge[] = order.slice(1).map((target, at) => ({ id: `${at}`, source: order[at] ?? "", target }));
  return (
    <section ref={ref} className={classes.canvas} aria-label={words.canvas.label} style={{ height: Math.max(FIRST + steps.length * STEP + MARGIN, LEAST) }}>
      <ReactFlow
        key={`${steps.length} ${Math.round(width / 40)}`}
        colorMode={scheme}
        nodes={nodes}
        edges={edges}
        nodeTypes={KINDS}
        fitView
        fitViewOptions={{ maxZoom: 1, minZoom: 0.6, padding: "20px" }}
        minZoom={0.4}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        panOnDrag={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={18} />
      </ReactFlow>
    </section>
  );
}

const plus = (at: number, y: number, add: CanvasProps["add"]): Node => ({
  id: `add-${at}`,
  type: "plus",
  position: { x: WIDTH / 2 - 12, y: y + 10 },
  zIndex: 10,
  data: { at, add },
});

function MarkNode({ data }: NodeProps) {
  const { label, first } = data as { label: string; first?: boolean };
  return (
    <div className={classes.mark}>
      {first ? <IconBolt size={14} aria-hidden /> : <Handle type="target" position={Position.Top} className={classes.handle} />}
      {label}
      {first && <Handle type="source" position={Position.Bottom} className={classes.handle} />}
    </div>
  );
}

function StepNode({ data }: NodeProps) {
  const { step, chosen, problems, choose } = data as { step: DraftStep; chosen: boolean; problems: number; choose: (key: string) => void };
  const Shown = ICONS[step.type] ?? IconCode;
  return (
    <>
      <Handle type="target" position={Position.Top} className={classes.handle} />
      <UnstyledButton
        className={`${classes.step} nodrag nopan`}
        data-chosen={chosen || undefined}
        aria-pressed={chosen}
        onClick={() => choose(step.key)}
      >
        <ThemeIcon variant="light" size={34} radius="md" color={problems > 0 ? "red" : "indigo"} aria-hidden>
          <Shown size={18} stroke={1.7} />
        </ThemeIcon>
        <div className={classes.text}>
          <Text size="sm" fw={600} truncate>
            {step.name}
          </Text>
          <Text size="xs" c={problems > 0 ? "var(--mantine-color-error)" : "dimmed"} truncate>
            {problems > 0 ? words.canvas.issues(problems) : summary(step.type, step.controls) || words.kinds[step.type]?.[1]}
          </Text>
        </div>
      </UnstyledButton>
      <Handle type="source" position={Position.Bottom} className={classes.handle} />
    </>
  );
}

function PlusNode({ data }: NodeProps) {
  const { at, add } = data as { at: number; add: CanvasProps["add"] };
  return (
    <Menu position="right" width={250} withinPortal>
      <Menu.Target>
        <ActionIcon className={`${classes.plus} nodrag nopan`} variant="default" size={24} radius="xl" aria-label={`${words.canvas.add} (${at + 1})`}>
          <IconPlus size={14} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {STEP_KINDS.map((kind) => {
          const Shown = ICONS[kind] ?? IconCode;
          const [name, about] = words.kinds[kind] ?? [kind, ""];
          return (
            <Menu.Item key={kind} leftSection={<Shown size={18} stroke={1.6} aria-hidden />} onClick={() => add(at, kind)}>
              <Text size="sm">{name}</Text>
              <Text size="xs" c="dimmed">
                {about}
              </Text>
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

const KINDS = { mark: MarkNode, step: StepNode, plus: PlusNode };

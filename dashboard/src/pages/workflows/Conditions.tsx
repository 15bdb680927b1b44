import { ActionIcon, Autocomplete, Button, Group, NativeSelect, SegmentedControl, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { groupOf, logicOf, NO_VALUE, OPERATORS, type Group as Rules, type Operator, type Rule } from "../../data/conditions";
import { readObject } from "../../data/payload";
import { ObjectInput } from "../../parts/Json";
import { workflowText } from "../../text/workflows";

const words = workflowText.conditions;

interface ConditionsProps {
  logic: unknown;
  change: (logic: Record<string, unknown> | null) => void;
  names: readonly string[];
  error?: string | undefined;
}

/** Under which condition a step runs: rules, or JSON Logic where rules can't say it. */
export function Conditions({ logic, change, names, error }: ConditionsProps) {
  const found = groupOf(logic);
  const [rules, setRules] = useState<Rules | null>(found);
  const [written, setWritten] = useState(logic ? JSON.stringify(logic, null, 2) : "");
  function set(next: Rules) {
    setRules(next);
    change(logicOf(next));
  }
  function toggle() {
    if (rules) setWritten(logic ? JSON.stringify(logic, null, 2) : "");
    setRules(rules ? null : groupOf(logic));
  }
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2}>{words.title}</Title>
        {(rules || found) && (
          <Button variant="subtle" size="compact-xs" color="gray" onClick={toggle}>
            {rules ? words.asJson : words.asRules}
          </Button>
        )}
      </Group>
      {rules ? (
        <RuleList rules={rules} set={set} names={names} />
      ) : (
        <ObjectInput
          label={workflowText.step.condition}
          description={found ? undefined : words.json}
          value={written}
          onChange={(v) => {
            setWritten(v);
            const read = readObject(v);
            if (read || v.trim() === "") change(read);
          }}
        />
      )}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)">
          {error}
        </Text>
      )}
    </Stack>
  );
}

function RuleList({ rules, set, names }: { rules: Rules; set: (rules: Rules) => void; names: readonly string[] }) {
  const put = (at: number, part: Partial<Rule>) => set({ ...rules, rules: rules.rules.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  const add = () => set({ ...rules, rules: [...rules.rules, { field: "", operator: "==", value: "" }] });
  return (
    <Stack gap="xs">
      {rules.rules.length === 0 && (
        <Text size="sm" c="dimmed">
          {words.always}
        </Text>
      )}
      {rules.rules.length > 1 && (
        <SegmentedControl
          size="xs"
          aria-label={words.title}
          value={rules.match}
          onChange={(match) => set({ ...rules, match: match as Rules["match"] })}
          data={[
            { value: "and", label: words.and },
            { value: "or", label: words.or },
          ]}
          style={{ alignSelf: "flex-start" }}
        />
      )}
      {rules.rules.map((rule, at) => (
        <RuleRow key={at} rule={rule} put={(part) => put(at, part)} remove={() => set({ ...rules, rules: rules.rules.filter((_, place) => place !== at) })} names={names} />
      ))}
      <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={14} aria-hidden />} onClick={add} style={{ alignSelf: "flex-start" }}>
        {words.add}
      </Button>
    </Stack>
  );
}

interface RuleRowProps {
  rule: Rule;
  put: (part: Partial<Rule>) => void;
  remove: () => void;
  names: readonly string[];
}

function RuleRow({ rule, put, remove, names }: RuleRowProps) {
  const list = rule.operator === "in" || rule.operator === "notIn";
  return (
    <Group gap="xs" align="flex-start">
      <Autocomplete
        aria-label={words.field}
        placeholder="payload.kind"
        data={[...names]}
        limit={8}
        value={rule.field}
        onChange={(field) => put({ field })}
        style={{ flex: 2 }}
        miw={150}
      />
      <NativeSelect
        aria-label={words.operator}
        data={OPERATORS.map((value) => ({ value, label: words.operators[value] ?? value }))}
        value={rule.operator}
        onChange={(e) => put({ operator: e.currentTarget.value as Operator })}
      />
      {!NO_VALUE.has(rule.operator) && (
        <TextInput
          aria-label={words.value}
          placeholder={list ? words.lists : words.value}
          value={rule.value}
          onChange={(e) => put({ value: e.currentTarget.value })}
          style={{ flex: 2 }}
          miw={120}
        />
      )}
      <ActionIcon variant="default" size={36} aria-label={words.remove} onClick={remove}>
        <IconX size={16} />
      </ActionIcon>
    </Group>
  );
}

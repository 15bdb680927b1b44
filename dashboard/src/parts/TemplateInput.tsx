/** A text that may name variables: they are offered while one is written. */
import { Combobox, Textarea, useCombobox, type TextareaProps } from "@mantine/core";
import { useRef, useState } from "react";
import { completed, fitting, unfinished } from "../data/templates";

interface TemplateInputProps extends Omit<TextareaProps, "value" | "onChange"> {
  value: string;
  onChange: (value: string) => void;
  /** The variables that there are. */
  names: readonly string[];
}

export function TemplateInput({ value, onChange, names, ...rest }: TemplateInputProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [caret, setCaret] = useState(0);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const open = unfinished(value, caret);
  const offered = open ? fitting(names, open.word) : [];

  function follow(text: string, at: number) {
    setCaret(at);
    const word = unfinished(text, at);
    if (word && fitting(names, word.word).length > 0) {
      combobox.openDropdown();
      combobox.selectFirstOption();
    } else combobox.closeDropdown();
  }

  function choose(name: string) {
    const next = completed(value, caret, name);
    onChange(next.text);
    combobox.closeDropdown();
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(next.caret, next.caret);
      setCaret(next.caret);
    });
  }

  return (
    <Combobox store={combobox} onOptionSubmit={choose} position="bottom-start" shadow="md">
      <Combobox.Target>
        <Textarea
          autosize
          {...rest}
          ref={field}
          value={value}
          onChange={(event) => {
            onChange(event.currentTarget.value);
            follow(event.currentTarget.value, event.currentTarget.selectionStart);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown hidden={offered.length === 0}>
        <Combobox.Options>
          {offered.map((name) => (
            <Combobox.Option key={name} value={name}>
              {name}
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

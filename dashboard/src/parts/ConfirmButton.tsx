import { useState, type ComponentProps, type ReactNode } from "react";
import { Button } from "./acts";
import { Confirm } from "./Confirm";

type Asked = Pick<ComponentProps<typeof Confirm>, "title" | "loses" | "change"> & Omit<ComponentProps<typeof Button>, "title" | "onClick" | "children">;

/** A button that asks before it changes something; what it says is what the answer says. */
export function ConfirmButton({ title, loses, change, label, hidden, ...button }: Asked & { label: string; hidden?: ReactNode }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button {...button} onClick={() => setAsking(true)}>
        {label}
        {hidden}
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title={title} loses={loses} action={label} change={change} />
    </>
  );
}

/** A push as devices show it. */
import { Text } from "@mantine/core";
import { IconBrandChrome, IconBell } from "@tabler/icons-react";
import { text } from "../text";
import classes from "./PhonePreview.module.css";

export const DEVICES = ["ios", "android", "web"] as const;
export type Device = (typeof DEVICES)[number];

/** Lines of title and text that stay visible of a push that nobody unfolded. */
const LINES: Record<Device, { title: number; body: number }> = {
  ios: { title: 1, body: 4 },
  android: { title: 1, body: 1 },
  web: { title: 2, body: 3 },
};
const UNFOLDED = 30;

interface Shown {
  title: string;
  body: string;
  image?: string;
}

const words = text.workflows.preview;

export function PhonePreview({ device, title, body, whole = false }: Shown & { device: Device; whole?: boolean }) {
  const lines = whole ? { title: UNFOLDED, body: UNFOLDED } : LINES[device];
  return (
    <div className={classes.device} data-device={device} role="img" aria-label={`${words.devices[device]}: ${title}. ${body}`}>
      {device !== "web" && <div className={classes.clock}>9:41</div>}
      <div className={classes.push}>
        <div className={classes.icon}>{device === "web" ? <IconBrandChrome size={20} /> : <IconBell size={18} />}</div>
        <div className={classes.words}>
          {device === "android" && (
            <div className={classes.app}>
              {words.app} · {words.now}
            </div>
          )}
          <div className={classes.line}>
            <Text fw={600} size="sm" lineClamp={lines.title} style={{ overflowWrap: "anywhere", whiteSpace: "pre-line" }}>
              {title || " "}
            </Text>
            {device === "ios" && <span className={classes.now}>{words.now}</span>}
          </div>
          <Text size="sm" lineClamp={lines.body} style={{ overflowWrap: "anywhere", whiteSpace: "pre-line" }}>
            {body || " "}
          </Text>
          {device === "web" && <div className={classes.app}>{location.host}</div>}
        </div>
      </div>
    </div>
  );
}

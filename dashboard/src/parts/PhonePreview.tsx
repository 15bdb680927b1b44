/** A push as devices show it. */
import { Text, VisuallyHidden } from "@mantine/core";
import { IconBrandChrome, IconBell, IconPhoto } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Device, Look, Picture } from "../data/look";
import { workflowText } from "../text/workflows";
import classes from "./PhonePreview.module.css";

export const DEVICES: readonly Device[] = ["ios", "android", "web"];

/** Lines of title and text that stay visible of a push that nobody unfolded. */
const LINES: Record<Device, { title: number; body: number }> = {
  ios: { title: 1, body: 4 },
  android: { title: 1, body: 1 },
  web: { title: 2, body: 3 },
};
const UNFOLDED = 30;

interface Push {
  device: Device;
  title: string;
  body: string;
  look?: Look;
  /** Unfolded by its reader. */
  whole?: boolean;
  /** When it came; now, where nothing is said. */
  when?: ReactNode;
}

const words = workflowText.preview;

export function PhonePreview(push: Push) {
  const { device, title, body, look } = push;
  return (
    <div role="img" aria-label={`${words.devices[device]}: ${title}. ${body} ${seen(look)}`.trim()}>
      <DeviceScreen device={device} locked>
        <DevicePush {...push} />
      </DeviceScreen>
    </div>
  );
}

/** What there is to see besides the words, in words. */
function seen(look: Look = {}): string {
  return [look.image && words.withImage, look.icon && words.withIcon, look.badge && words.withBadge(look.badge)].filter(Boolean).join(" ");
}

/** What pushes are shown on. */
export function DeviceScreen({ device, locked = false, children }: { device: Device; locked?: boolean; children: ReactNode }) {
  return (
    <div className={classes.device} data-device={device}>
      {locked && device !== "web" && <div className={classes.clock}>9:41</div>}
      {children}
    </div>
  );
}

export function DevicePush({ device, title, body, look = {}, whole = false, when = words.now }: Push) {
  const lines = whole ? { title: UNFOLDED, body: UNFOLDED } : LINES[device];
  return (
    <div className={classes.push}>
      <div className={classes.icon}>
        {look.icon ? <Pictured picture={look.icon} /> : device === "web" ? <IconBrandChrome size={20} /> : <IconBell size={18} />}
        {look.badge && <span className={classes.badge}>{look.badge}</span>}
      </div>
      <div className={classes.words}>
        {device === "android" && (
          <div className={classes.app}>
            {words.app} · {when}
          </div>
        )}
        <div className={classes.line}>
          <Text fw={600} size="sm" lineClamp={lines.title} style={{ overflowWrap: "anywhere", whiteSpace: "pre-line" }}>
            {title || " "}
          </Text>
          {device === "ios" && <span className={classes.now}>{when}</span>}
        </div>
        <Text size="sm" lineClamp={lines.body} style={{ overflowWrap: "anywhere", whiteSpace: "pre-line" }}>
          {body || " "}
        </Text>
        <VisuallyHidden>{seen(look)}</VisuallyHidden>
        {look.image && (whole || device === "web") && (
          <div className={classes.image}>
            <Pictured picture={look.image} />
          </div>
        )}
        {device === "web" && (
          <div className={classes.app}>
            {location.host}
            {when !== words.now && <> · {when}</>}
          </div>
        )}
      </div>
      {look.image && !whole && device !== "web" && (
        <div className={classes.thumb}>
          <Pictured picture={look.image} />
        </div>
      )}
    </div>
  );
}

/** The picture, or the place of one that the dashboard doesn't load. */
function Pictured({ picture }: { picture: Picture }) {
  return "src" in picture ? <img src={picture.src} alt="" className={classes.picture} /> : <IconPhoto size={20} aria-hidden />;
}

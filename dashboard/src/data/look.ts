/** How a push looks besides its words, as far as a preview shows it. */

export type Device = "ios" | "android" | "web";

/** A picture: one that the page may show, or where it would come from. The dashboard loads nothing from elsewhere. */
export type Picture = { src: string } | { from: string };

export interface Look {
  image?: Picture;
  /** In place of the app's own: an address on the web, the name of a drawable on Android. */
  icon?: Picture;
  /** On the app's icon. */
  badge?: string;
}

/** What a device shows of a push's look; iOS has no icon of a push, a browser no number. */
export function lookOf(device: Device, shown: Record<string, unknown>): Look {
  const said = (name: string) => (typeof shown[name] === "string" || typeof shown[name] === "number" ? String(shown[name]) : "");
  const [image, icon, badge] = [pictureOf(said("image")), pictureOf(said("icon")), said("badge")];
  return {
    ...(image && { image }),
    ...(icon && device !== "ios" && { icon }),
    ...(badge && badge !== "0" && device !== "web" && { badge }),
  };
}

function pictureOf(address: string): Picture | null {
  if (address === "") return null;
  if (address.startsWith("data:image/")) return { src: address };
  try {
    const { host, pathname } = new URL(address);
    return { from: host + pathname };
  } catch {
    return { from: address };
  }
}

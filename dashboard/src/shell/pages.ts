/** The pages that the navigation and the search lead to. */
import {
  IconActivity, IconBell, IconBroadcast, IconDeviceMobile, IconLanguage, IconPlugConnected, IconRoute, IconSettings,
  IconStack2, IconTags, IconUsers, IconWebhook, type Icon,
} from "@tabler/icons-react";
import { text } from "../text";

export interface PageEntry {
  to: string;
  label: string;
  icon: Icon;
}

const { nav } = text;
const page = (to: string, label: string, icon: Icon): PageEntry => ({ to, label, icon });

export const GROUPS: { label: string; pages: PageEntry[] }[] = [
  {
    label: nav.groups.observe,
    pages: [page("/activity", nav.activity, IconActivity)],
  },
  {
    label: nav.groups.build,
    pages: [page("/workflows", nav.workflows, IconRoute), page("/integrations", nav.integrations, IconPlugConnected), page("/phones", nav.phones, IconDeviceMobile)],
  },
];

export const PAGES: PageEntry[] = GROUPS.flatMap((group) => group.pages);

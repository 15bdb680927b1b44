/** The pages that the navigation and the search lead to. */
import {
  IconActivity, IconBell, IconBroadcast, IconDeviceMobile, IconLanguage, IconLayoutDashboard, IconPlugConnected, IconRoute, IconSettings,
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
  { label: "", pages: [page("/overview", nav.overview, IconLayoutDashboard)] },
  {
    label: nav.groups.observe,
    pages: [page("/activity", nav.activity, IconActivity), page("/broadcasts", nav.broadcasts, IconBroadcast)],
  },
  {
    label: nav.groups.build,
    pages: [page("/workflows", nav.workflows, IconRoute), page("/integrations", nav.integrations, IconPlugConnected), page("/phones", nav.phones, IconDeviceMobile)],
  },
  {
    label: nav.groups.people,
    pages: [page("/subscribers", nav.subscribers, IconUsers), page("/topics", nav.topics, IconTags)],
  },
];

export const PAGES: PageEntry[] = GROUPS.flatMap((group) => group.pages);
